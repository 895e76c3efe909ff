//! Quantities as people write them: `16KiB`, `100Gbps`, `5us`, `80%`. A unit is always written.

use core::fmt::Display;

/// Bytes per unit; the longest spelling of each first.
const SIZES: [(&str, f64); 9] = [
    ("KiB", 1_024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("B", 1.0),
];

/// Bits per second per unit.
const RATES: [(&str, f64); 5] =
    [("Kbps", 1e3), ("Mbps", 1e6), ("Gbps", 1e9), ("Tbps", 1e12), ("bps", 1.0)];

/// Nanoseconds per unit.
const SPANS: [(&str, f64); 5] = [("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("min", 60e9), ("s", 1e9)];

/// The largest number that is taken: what a double still counts exactly.
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// Reads bytes: `16KiB` is 16,384 and `16KB` is 16,000.
///
/// # Errors
/// The text is no number with a unit, or too large.
pub fn parse_size(text: &str) -> Result<u64, String> {
    quantity(text, &SIZES, "a size; write 16KiB, 500KB or 9000B")
}

/// Reads bits per second: `100Gbps`.
///
/// # Errors
/// The text is no number with a unit, or too large.
pub fn parse_rate(text: &str) -> Result<u64, String> {
    quantity(text, &RATES, "a rate; write 100Gbps or 800Mbps")
}

/// Reads a span of time, in nanoseconds: `5us`.
///
/// # Errors
/// The text is no number with a unit, or too large.
pub fn parse_span_ns(text: &str) -> Result<u64, String> {
    quantity(text, &SPANS, "a span of time; write 5us, 20ms or 1.5s")
}

/// Reads a share: `80%` and `0.8` are the same.
///
/// # Errors
/// The text is no number, or negative.
pub fn parse_share(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text:?} is not a share; write 80% or 0.8");
    let trimmed = text.trim();
    let (number, unit) = trimmed.strip_suffix('%').map_or((trimmed, 1.0), |n| (n, 100.0));
    Ok(decimal(number).ok_or_else(wrong)? / unit)
}

/// Reads a probability, from 0 to 1, as a share.
///
/// # Errors
/// The text is no number, negative, or above 1.
pub fn parse_probability(text: &str) -> Result<f64, String> {
    let share = parse_share(text)?;
    if share <= 1.0 { Ok(share) } else { Err(format!("{text:?} is more than everything")) }
}

/// Writes bytes in the largest unit that leaves a whole number.
pub fn format_size(bytes: u64) -> String {
    let units = [
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("KiB", 1 << 10),
        ("KB", 1_000),
    ];
    let unit = units.iter().find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{bytes}B"), |(name, unit)| format!("{}{name}", bytes / unit))
}

fn quantity(text: &str, units: &[(&str, f64)], what: &str) -> Result<u64, String> {
    let wrong = |why: &dyn Display| format!("{text:?} is not {why}");
    let trimmed = text.trim();
    let found = units.iter().find_map(|(name, unit)| {
        let at = trimmed.len().checked_sub(name.len())?;
        let (number, suffix) = trimmed.split_at_checked(at)?;
        suffix.eq_ignore_ascii_case(name).then(|| decimal(number)).flatten().map(|n| n * unit)
    });
    match found {
        Some(value) if value < LARGEST => Ok(value.round() as u64),
        Some(_) => Err(wrong(&"within range")),
        None => Err(wrong(&what)),
    }
}

/// A plain decimal number that is not negative.
fn decimal(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|_| plain && text.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
