//! Request headers as the command writes them: lines of `name: value`.

use std::str::FromStr;

use bytes::Bytes;

/// One header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Without colons, white space and control characters.
    pub(crate) name: String,
    /// One line.
    pub(crate) value: String,
}

impl FromStr for Header {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no header; write 'name: value'");
        let (name, value) = text.split_once(':').ok_or_else(wrong)?;
        let odd = |c: char| c.is_whitespace() || c.is_control();
        if name.is_empty() || name.contains(odd) || value.contains(char::is_control) {
            return Err(wrong());
        }
        Ok(Self { name: name.to_owned(), value: value.trim().to_owned() })
    }
}

/// The headers as a call carries them.
pub(crate) fn encode(headers: &[Header]) -> Bytes {
    let lines: Vec<String> =
        headers.iter().map(|Header { name, value }| format!("{name}: {value}\n")).collect();
    Bytes::from(lines.concat())
}

/// The headers of a call; lines that are none are left out.
pub(crate) fn decode(headers: &[u8]) -> Vec<Header> {
    String::from_utf8_lossy(headers).lines().filter_map(|line| line.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_round_trip() {
        let headers: Vec<Header> =
            ["trace: 7f", "a:b: c", "empty:"].map(|text| text.parse().unwrap()).into();
        assert_eq!(encode(&headers), "trace: 7f\na: b: c\nempty: \n");
        assert_eq!(decode(&encode(&headers)), headers);
    }

    #[test]
    fn what_is_no_header_is_refused_or_left_out() {
        for text in ["", "trace", ": 7", "tr ace: 7", "trace: 7\n8", "\u{1b}: 7"] {
            assert!(text.parse::<Header>().is_err(), "{text:?}");
        }
        assert_eq!(decode(b"\xff\ntrace: 7\nnone"), ["trace: 7".parse().unwrap()]);
    }
}
