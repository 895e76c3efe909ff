//! Byte counts as text: `64`, `64KiB`, `1.5GiB`, `10MB`.

use std::fmt;

/// A number of bytes given on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ByteSize(pub(crate) u64);

/// Units, the longest spelling of each first, so that `KiB` is not read as `K` and `iB`.
const UNITS: [(&str, u64); 17] = [
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("ki", 1 << 10),
    ("mi", 1 << 20),
    ("gi", 1 << 30),
    ("ti", 1 << 40),
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
    ("t", 1 << 40),
    ("b", 1),
];

impl std::str::FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.trim().to_ascii_lowercase();
        let (number, unit) = UNITS
            .iter()
            .find_map(|&(name, unit)| Some((lower.strip_suffix(name)?, unit)))
            .unwrap_or((&lower, 1));
        let bytes = scaled(number.trim(), unit)
            .ok_or_else(|| format!("{text:?} is no size; write 64, 64KiB, 1.5GiB or 10MB"))?;
        Ok(Self(bytes))
    }
}

/// `number` times `unit`, rounded down; exact for whole numbers up to 2^64.
fn scaled(number: &str, unit: u64) -> Option<u64> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((whole, fraction)) = number.split_once('.') else {
        return if digits(number) { number.parse::<u64>().ok()?.checked_mul(unit) } else { None };
    };
    // nine digits behind the point keep the product below 2^128
    if !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let scale = 10u128.pow(fraction.len() as u32);
    let parts = u128::from(whole.parse::<u64>().ok()?) * scale + fraction.parse::<u128>().ok()?;
    u64::try_from(parts * u128::from(unit) / scale).ok()
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("TiB", 1u64 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
        for (name, unit) in units {
            if self.0 >= unit {
                return if self.0.is_multiple_of(unit) {
                    write!(f, "{} {name}", self.0 / unit)
                } else {
                    write!(f, "{:.2} {name}", self.0 as f64 / unit as f64)
                };
            }
        }
        write!(f, "{} B", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<u64> {
        text.parse::<ByteSize>().ok().map(|size| size.0)
    }

    #[test]
    fn sizes_with_every_kind_of_unit() {
        for (text, bytes) in [
            ("0", 0),
            ("64", 64),
            ("64b", 64),
            ("64KiB", 65_536),
            ("1 GiB", 1 << 30),
            ("2g", 2 << 30),
            ("10MB", 10_000_000),
            ("1.5GiB", 3 << 29),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(parse(text), Some(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "KiB", "-1", "1.2.3", "1e3", "1xb", "17179869184GiB", ".5k", "5.k", "+5"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_print_in_the_unit_that_suits() {
        for (bytes, text) in
            [(0, "0 B"), (1_023, "1023 B"), (1_536, "1.50 KiB"), (1 << 30, "1 GiB")]
        {
            assert_eq!(ByteSize(bytes).to_string(), text);
        }
    }
}
