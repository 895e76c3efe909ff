use super::*;

const MS: Duration = Duration::from_millis(1);

#[test]
fn the_first_sample_replaces_the_initial_value() {
    let mut rtt = RttEstimator::new(MS * 100);
    rtt.update(MS * 10, MS * 2);
    assert_eq!((rtt.smoothed(), rtt.variation(), rtt.min()), (MS * 10, MS * 5, MS * 10));
}

#[test]
fn an_ack_delay_never_goes_below_the_minimum() {
    let mut rtt = RttEstimator::new(MS);
    rtt.update(MS * 10, Duration::ZERO);
    rtt.update(MS * 12, MS * 5);
    assert_eq!(rtt.smoothed(), (MS * 70 + MS * 12) / 8);
    rtt.update(MS * 20, MS * 8);
    assert!(rtt.latest() == MS * 20 && rtt.samples() == 3);
}

#[test]
fn the_timeout_has_a_floor() {
    let rtt = RttEstimator::new(Duration::from_micros(10));
    assert_eq!(rtt.pto(MS, Duration::ZERO), MS);
    assert_eq!(rtt.pto(Duration::ZERO, MS), Duration::from_micros(1_030));
}

/// The estimates stay between the samples, and the timeout above its floor, whatever is measured.
#[test]
fn estimates_stay_within_the_samples() {
    let mut rng = crate::rng::Jitter::new(2);
    for _ in 0..2_000 {
        // of every order of magnitude, up to the longest that a Duration holds
        let mut span = || match rng.below(20) {
            0 => Duration::MAX,
            1 => Duration::new(rng.next_u64(), 999_999_999),
            _ => Duration::from_nanos(rng.next_u64() >> rng.below(64)),
        };
        let mut rtt = RttEstimator::new(span());
        let (mut min, mut max) = (Duration::MAX, Duration::ZERO);
        for _ in 0..50 {
            let (sample, ack_delay, floor) = (span(), span(), span());
            rtt.update(sample, ack_delay);
            let sample = sample.min(MAX_SAMPLE);
            (min, max) = (min.min(sample), max.max(sample));
            assert!(rtt.min() == min && rtt.latest() == sample);
            assert!(rtt.smoothed() >= min && rtt.smoothed() <= max);
            assert!(rtt.variation() <= max);
            let pto = rtt.pto(floor, ack_delay);
            assert!(pto >= floor && pto >= rtt.smoothed());
        }
    }
}

/// The samples that a path really gives: short ones, near to each other.
#[test]
fn estimates_follow_a_steady_path() {
    let mut rng = crate::rng::Jitter::new(1);
    let mut rtt = RttEstimator::new(MS);
    for _ in 0..10_000 {
        let sample = Duration::from_nanos(80_000 + rng.below(20_000));
        rtt.update(sample, Duration::from_nanos(rng.below(20_000)));
        assert!(rtt.smoothed() >= Duration::from_nanos(80_000));
        assert!(rtt.smoothed() < Duration::from_nanos(100_000));
    }
    assert!(rtt.variation() < Duration::from_nanos(20_000));
}

#[test]
fn extremes_do_not_panic() {
    let mut rtt = RttEstimator::new(Duration::MAX);
    assert_eq!(rtt.pto(MS, Duration::MAX), Duration::MAX);
    for sample in [Duration::MAX, Duration::ZERO, Duration::MAX] {
        for ack_delay in [Duration::MAX, Duration::ZERO] {
            rtt.update(sample, ack_delay);
            assert_eq!(rtt.pto(Duration::MAX, Duration::MAX), Duration::MAX);
            assert!(rtt.pto(Duration::ZERO, Duration::ZERO) >= rtt.smoothed());
        }
    }
}
