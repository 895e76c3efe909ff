use super::*;
use crate::rng::Jitter;

/// 400 Gbit/s.
const FAST: u64 = 50_000_000_000;

/// When the last of `count` packets leaves if each leaves as soon as it may.
fn always_ready(bucket: &mut LeakyBucket, bytes: u64, count: u64) -> Timestamp {
    let mut now = Timestamp::ZERO;
    for _ in 0..count {
        now = bucket.next_departure(now, bytes);
        bucket.charge(now, bytes);
    }
    now
}

#[test]
fn the_first_burst_leaves_at_once_and_the_rest_at_the_rate() {
    let mut bucket = LeakyBucket::new(Timestamp::ZERO, 1_000_000_000, 3_000);
    for _ in 0..2 {
        assert_eq!(bucket.next_departure(Timestamp::ZERO, 1_500), Timestamp::ZERO);
        bucket.charge(Timestamp::ZERO, 1_500);
    }
    // one step of time was credited
    assert_eq!(bucket.next_departure(Timestamp::ZERO, 1_500), Timestamp::from_nanos(1_499));
}

#[test]
fn small_packets_at_400_gbit_do_not_drift() {
    for burst in [64, 114, 65_536] {
        let mut bucket = LeakyBucket::new(Timestamp::ZERO, FAST, burst);
        let count = 1_000_000;
        let end = always_ready(&mut bucket, 64, count);
        // 1.28 ns each, after the burst and one step of time
        let ideal = (64 * count - burst) / 50;
        assert!(end.as_nanos().abs_diff(ideal) <= 1, "{burst}: {end} {ideal}");
    }
}

#[test]
fn the_rate_is_reached_within_a_ten_thousandth() {
    let mut rng = Jitter::new(3);
    for _ in 0..200 {
        let rate = 1_000 + rng.below(FAST);
        let bytes = 64 + rng.below(9_000);
        let burst = bytes + rng.below(64 << 10);
        let mut bucket = LeakyBucket::new(Timestamp::ZERO, rate, burst);
        let count = 20_000;
        let end = always_ready(&mut bucket, bytes, count);
        let sent = u128::from(bytes * count - burst) * 1_000_000_000;
        let ideal = sent / u128::from(rate);
        let off = u128::from(end.as_nanos()).abs_diff(ideal);
        assert!(off <= 2 + ideal / 1_000_000, "rate {rate}, off by {off} ns of {ideal}");
    }
}

/// In every span, what leaves is bounded, whatever the sender and the clock do.
#[test]
fn no_span_sees_more_than_the_rate_and_a_burst() {
    let mut rng = Jitter::new(4);
    for _ in 0..300 {
        let rate = 1 + (rng.next_u64() >> (28 + rng.below(36)));
        let burst = 1 + rng.below(64 << 10);
        let most_pause = 1 << rng.below(32);
        let mut bucket = LeakyBucket::new(Timestamp::ZERO, rate, burst);
        let mut now = Timestamp::ZERO;
        let mut sent: Vec<(Timestamp, u64)> = Vec::new();
        for _ in 0..200 {
            let bytes = rng.below(burst + 1);
            // now and then the clock goes backwards
            now = match rng.below(10) {
                0 => now - Duration::from_nanos(rng.below(most_pause)),
                _ => now + Duration::from_nanos(rng.below(most_pause)),
            };
            now = bucket.next_departure(now, bytes);
            bucket.charge(now, bytes);
            sent.push((now, bytes));
            let mut total = 0;
            for &(at, bytes) in sent.iter().rev() {
                total += u128::from(bytes);
                let span = (now - at).as_nanos() + 1;
                let allowed = u128::from(rate) * span + u128::from(burst) * 1_000_000_000;
                assert!(total * 1_000_000_000 <= allowed);
            }
        }
    }
}

#[test]
fn an_idle_bucket_saves_no_more_than_a_burst() {
    let mut bucket = LeakyBucket::new(Timestamp::ZERO, 1_000, 3_000);
    let later = Timestamp::from_micros(1_000_000_000);
    bucket.charge(later, 3_000);
    assert_eq!(bucket.next_departure(later, 1_000), later + Duration::from_nanos(999_999_999));
}

#[test]
fn a_packet_above_the_burst_leaves_when_the_bucket_is_empty_and_is_paid_for() {
    let mut bucket = LeakyBucket::new(Timestamp::ZERO, 1_000_000_000, 1_000);
    assert_eq!(bucket.next_departure(Timestamp::ZERO, 5_000), Timestamp::ZERO);
    bucket.charge(Timestamp::ZERO, 5_000);
    assert_eq!(bucket.next_departure(Timestamp::ZERO, 5_000), Timestamp::from_nanos(4_999));
}

#[test]
fn no_rate_is_no_limit() {
    let mut bucket = LeakyBucket::new(Timestamp::ZERO, 0, 100);
    bucket.charge(Timestamp::ZERO, u64::MAX);
    assert_eq!(bucket.next_departure(Timestamp::ZERO, u64::MAX), Timestamp::ZERO);
    bucket.set_rate(Timestamp::ZERO, 1_000_000_000);
    assert_eq!(bucket.next_departure(Timestamp::ZERO, 100), Timestamp::ZERO);
    bucket.charge(Timestamp::ZERO, 100);
    assert_eq!(bucket.next_departure(Timestamp::ZERO, 100), Timestamp::from_nanos(100));
    bucket.set_rate(Timestamp::ZERO, 2_000_000_000);
    assert_eq!(bucket.next_departure(Timestamp::ZERO, 100), Timestamp::from_nanos(50));
}

#[test]
fn extremes_do_not_panic() {
    for rate in [1, u64::MAX] {
        for burst in [0, 1, u64::MAX] {
            let mut bucket = LeakyBucket::new(Timestamp::ZERO, rate, burst);
            for now in [Timestamp::MAX, Timestamp::ZERO, Timestamp::MAX] {
                bucket.charge(now, u64::MAX);
                assert!(bucket.next_departure(now, u64::MAX) >= now);
                bucket.set_rate(now, rate / 2 + 1);
                bucket.set_burst(now, burst / 2);
            }
        }
    }
}
