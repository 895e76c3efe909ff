use super::*;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn a_minimum_is_due_after_the_interval_and_forgotten_after_two() {
    let mut min = MinRtt::default();
    let start = Timestamp::from_micros(1_000_000);
    let rtt = Duration::from_micros(80);
    assert!(!min.update(start, Some(rtt)));
    assert!(!min.update(start + ms(160), Some(rtt * 2)));
    assert_eq!(min.get(), Some(rtt));
    assert!(min.update(start + ms(161), Some(rtt * 2)));
    assert_eq!(min.get(), Some(rtt));
    assert!(!min.update(start + ms(320), Some(rtt * 2)));
    assert_eq!(min.get(), Some(rtt));
    assert!(min.update(start + ms(322), Some(rtt * 3)));
    assert_eq!(min.get(), Some(rtt * 3));
}

#[test]
fn long_paths_have_the_drafts_times() {
    let mut min = MinRtt::default();
    min.update(Timestamp::ZERO, Some(ms(20)));
    assert_eq!((min.interval(), min.probe_duration()), (MAX_INTERVAL, MAX_DURATION));
    let mut min = MinRtt::default();
    min.update(Timestamp::ZERO, Some(Duration::from_micros(20)));
    assert_eq!((min.interval(), min.probe_duration()), (MIN_INTERVAL, MIN_DURATION));
    min.update(Timestamp::MAX, Some(Duration::MAX));
    min.update(Timestamp::ZERO, Some(Duration::ZERO));
    assert_eq!(min.get(), Some(Duration::ZERO));
}
