use super::*;
use crate::rng::Jitter;

const RTT: Duration = Duration::from_micros(100);

fn round(n: u64) -> Timestamp {
    Timestamp::from_micros(100 * n)
}

#[test]
fn the_average_follows_the_share() {
    let mut share = MarkedShare::new();
    assert_eq!(share.alpha_per_million(), 1_000_000);
    share.end_round();
    assert_eq!(share.alpha_per_million(), 1_000_000);
    share.add(100, 0);
    share.end_round();
    assert_eq!(share.alpha_per_million(), 937_500);
    for _ in 0..300 {
        share.add(100, 0);
        share.end_round();
    }
    assert_eq!(share.alpha_per_million(), 0);
    share.add(100, 25);
    assert!(share.is_marked() && !share.is_half_marked());
    share.end_round();
    assert_eq!(share.alpha_per_million(), 15_625);
    for _ in 0..300 {
        share.add(100, 200);
        assert!(share.is_half_marked());
        share.end_round();
    }
    assert_eq!(share.alpha_per_million(), 1_000_000);
}

#[test]
fn marks_cut_once_per_round_trip() {
    let mut rate = PullRate::new(Timestamp::ZERO);
    rate.on_arrival(round(0), RTT, 1_000, 1_000);
    rate.on_arrival(round(0), RTT, 1_000, 1_000);
    assert_eq!(rate.multiplier_per_million(), 500_000);
    assert_eq!(rate.apply(10_000), 5_000);
    rate.on_arrival(round(1) - Duration::from_nanos(1), RTT, 1_000, 1_000);
    assert_eq!(rate.multiplier_per_million(), 500_000);
    rate.on_arrival(round(1), RTT, 1_000, 1_000);
    assert_eq!(rate.multiplier_per_million(), 250_000);
    for n in 2..20 {
        rate.on_arrival(round(n), RTT, 1_000, 1_000);
    }
    assert_eq!(rate.multiplier_per_million(), 62_500);
}

#[test]
fn unmarked_rounds_give_the_rate_back() {
    let mut rate = PullRate::new(Timestamp::ZERO);
    rate.on_arrival(round(0), RTT, 1_000, 1);
    rate.on_arrival(round(1), RTT, 1_000, 0);
    assert_eq!(rate.multiplier_per_million(), 500_000);
    rate.on_arrival(round(2), RTT, 1_000, 0);
    assert_eq!(rate.multiplier_per_million(), 531_250);
    rate.on_arrival(round(16), RTT, 1_000, 0);
    assert_eq!(rate.multiplier_per_million(), 968_750);
    rate.on_arrival(round(17), RTT, 1_000, 0);
    rate.on_arrival(round(1_000), RTT, 1_000, 0);
    assert_eq!(rate.multiplier_per_million(), 1_000_000);
}

#[test]
fn few_marks_cut_little() {
    let mut rate = PullRate::new(Timestamp::ZERO);
    for n in 0..300 {
        rate.on_arrival(round(n), RTT, 1_000, 0);
    }
    assert_eq!(rate.alpha_per_million(), 0);
    for n in 300..302 {
        rate.on_arrival(round(n), RTT, 900, 0);
        rate.on_arrival(round(n), RTT, 100, 100);
    }
    // alpha was 0, then 1/160; its half is cut
    assert_eq!(rate.multiplier_per_million(), 996_874);
}

#[test]
fn the_multiplier_stays_in_range() {
    let mut rng = Jitter::new(5);
    let mut rate = PullRate::new(Timestamp::ZERO);
    for _ in 0..100_000 {
        let now = Timestamp::from_nanos(rng.next_u64() >> rng.below(64));
        let rtt = Duration::from_nanos(rng.next_u64() >> rng.below(64));
        rate.on_arrival(now, rtt, rng.next_u64() >> rng.below(64), rng.next_u64());
        assert!((62_500..=1_000_000).contains(&rate.multiplier_per_million()));
        assert!(rate.alpha_per_million() <= 1_000_000);
    }
    rate.on_arrival(Timestamp::MAX, Duration::ZERO, u64::MAX, u64::MAX);
    rate.on_arrival(Timestamp::ZERO, Duration::MAX, 0, u64::MAX);
}
