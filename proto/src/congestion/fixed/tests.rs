use super::*;

#[test]
fn nothing_changes_the_rate() {
    let config = CongestionConfig::default();
    let mut fixed = FixedRate::new(&config, 1_000);
    fixed.on_lost(Timestamp::ZERO, 1_000, 0);
    fixed.on_ecn(Timestamp::ZERO, 10, 10);
    fixed.on_persistent_congestion(Timestamp::ZERO);
    assert_eq!(fixed.pacing_rate_bytes_per_sec(), 1_000);
    assert_eq!(fixed.window_bytes(), config.max_window_bytes);
    assert_eq!(FixedRate::new(&config, 0).pacing_rate_bytes_per_sec(), 1);
}
