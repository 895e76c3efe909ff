//! Spans of time as text: `10s`, `500ms`, `2m`, and plain seconds: `10`.

use std::time::Duration;

/// Reads a span; for clap's `value_parser`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no span of time; write 10s, 500ms or 2m");
    let trimmed = text.trim();
    let split = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(split);
    let seconds = match unit.trim() {
        "us" => 1e-6,
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_with_every_unit() {
        for (text, millis) in
            [("10s", 10_000), ("10", 10_000), ("500ms", 500), ("1.5s", 1_500), ("2m", 120_000)]
        {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in ["", "s", "ten", "-1s", "1..2s", "1e400s", "5 weeks"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
