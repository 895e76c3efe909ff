//! Bytes as hexadecimal text.

/// The bytes that `text` spells, spaces, line ends, colons and a leading `0x` aside; none if it
/// spells no bytes.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let text = text.strip_prefix("0x").unwrap_or(text);
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    for c in text.chars() {
        if c.is_whitespace() || c == ':' {
            continue;
        }
        let digit = c.to_digit(16)? as u8;
        match high.take() {
            None => high = Some(digit),
            Some(high) => bytes.push(high << 4 | digit),
        }
    }
    if high.is_some() { None } else { Some(bytes) }
}

/// `bytes` as lower-case digits.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('?');
    bytes.iter().flat_map(|&byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_round_trip() {
        assert_eq!(decode("0x00 fF:1\n2"), Some(vec![0, 255, 0x12]));
        assert_eq!(encode(&[0, 255, 0x12]), "00ff12");
        assert_eq!(decode(""), Some(vec![]));
    }

    #[test]
    fn odd_or_foreign_digits_are_refused() {
        assert_eq!(decode("123"), None);
        assert_eq!(decode("0g"), None);
        assert_eq!(decode("é1"), None);
    }
}
