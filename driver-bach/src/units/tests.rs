use super::*;

#[test]
fn quantities_are_read_with_their_units() {
    for (text, bytes) in
        [("0B", 0), ("16KiB", 16_384), ("500KB", 500_000), ("1.5 MiB", 1_572_864), ("9000b", 9_000)]
    {
        assert_eq!(parse_size(text), Ok(bytes), "{text}");
    }
    for (text, rate) in [("100Gbps", 100_000_000_000), ("1.5tbps", 1_500_000_000_000)] {
        assert_eq!(parse_rate(text), Ok(rate), "{text}");
    }
    for (text, ns) in
        [("5us", 5_000), ("20ms", 20_000_000), ("1.5s", 1_500_000_000), ("2min", 120_000_000_000)]
    {
        assert_eq!(parse_span_ns(text), Ok(ns), "{text}");
    }
    for (text, share) in [("80%", 0.8), ("0.8", 0.8), ("120 %", 1.2), ("0", 0.0)] {
        assert_eq!(parse_share(text), Ok(share), "{text}");
    }
}

#[test]
fn what_lacks_a_unit_or_makes_no_sense_is_refused() {
    for text in ["", "16", "KiB", "-1B", "1e3B", "16XiB", ".5KB", "1..2KB", "+5B", "99999999TB"] {
        assert!(parse_size(text).is_err(), "{text}");
    }
    for text in ["5", "us", "-5us", "5 weeks", "inf s", "NaNs"] {
        assert!(parse_span_ns(text).is_err(), "{text}");
    }
    assert_eq!(
        parse_rate("100G"),
        Err("\"100G\" is not a rate; write 100Gbps or 800Mbps".to_owned())
    );
    for text in ["", "%", "-1%", "half", "NaN", "inf"] {
        assert!(parse_share(text).is_err(), "{text}");
    }
    assert!(parse_probability("100%").is_ok());
    assert!(parse_probability("101%").is_err());
}

#[test]
fn sizes_are_written_so_that_they_read_back() {
    for (bytes, text) in [
        (0, "0B"),
        (1, "1B"),
        (1_500, "1500B"),
        (16_384, "16KiB"),
        (500_000, "500KB"),
        (2_000_000, "2MB"),
        (1 << 30, "1GiB"),
    ] {
        assert_eq!(format_size(bytes), text);
        assert_eq!(parse_size(text), Ok(bytes));
    }
}
