use super::*;
use crate::congestion::bandwidth::RateSample;

const RTT: Duration = Duration::from_millis(10);

fn config() -> CongestionConfig {
    CongestionConfig {
        initial_window_bytes: 14_000,
        min_window_bytes: 2_800,
        ..CongestionConfig::datacenter()
    }
}

fn ack(cubic: &mut Cubic, now: Timestamp, bytes: u64) {
    let rate = RateSample { sent_at: now - RTT, ..RateSample::default() };
    let sample = AckSample {
        newly_acked_bytes: bytes,
        rtt: Some(RTT),
        rate: Some(rate),
        in_flight_bytes: cubic.window_bytes(),
    };
    cubic.on_ack(now, &sample);
}

/// In congestion avoidance from a million bytes, reduced at `now`.
fn reduced(now: Timestamp) -> Cubic {
    let mut cubic = Cubic::new(&config());
    ack(&mut cubic, now, 986_000);
    assert_eq!((cubic.window_bytes(), cubic.state_name()), (1_000_000, "slow_start"));
    cubic.on_lost(now, 1_400, 0);
    cubic
}

#[test]
fn a_loss_cuts_by_three_tenths_once_per_round_trip() {
    let mut cubic = reduced(Timestamp::ZERO);
    assert_eq!((cubic.window_bytes(), cubic.state_name()), (700_000, "recovery"));
    cubic.on_lost(Timestamp::ZERO, 1_400, 0);
    cubic.on_ecn(Timestamp::ZERO, 1, 1);
    assert_eq!(cubic.window_bytes(), 700_000);
    // of a packet that left before the cut
    ack(&mut cubic, Timestamp::ZERO + RTT, 1_400);
    assert_eq!(cubic.state_name(), "recovery");
    ack(&mut cubic, Timestamp::ZERO + RTT + Duration::from_nanos(1), 1_400);
    assert_eq!((cubic.window_bytes(), cubic.state_name()), (700_000, "congestion_avoidance"));
}

#[test]
fn a_mark_cuts_less() {
    let mut cubic = Cubic::new(&config());
    cubic.on_ecn(Timestamp::ZERO, 0, 10);
    assert_eq!(cubic.window_bytes(), 14_000);
    cubic.on_ecn(Timestamp::ZERO, 1, 10);
    assert_eq!(cubic.window_bytes(), 11_900);
}

#[test]
fn the_curve_is_back_at_its_plateau_after_k() {
    let epoch = Epoch::new(Timestamp::ZERO, 700_000, 1_000_000, 1_400);
    // the cube root of 300,000 / (0.4 * 1,400) is 8.12 s
    assert_eq!(epoch.plateau_after_micros, 8_121_652);
    assert_eq!(epoch.cubic_bytes(Duration::from_micros(8_121_652), 1_400), 1_000_000);
    let start = epoch.cubic_bytes(Duration::ZERO, 1_400);
    assert!((700_000..700_002).contains(&start), "{start}");
    let late = epoch.cubic_bytes(Duration::from_micros(18_121_652), 1_400);
    assert_eq!(late, 1_560_000);
    assert!(epoch.cubic_bytes(Duration::MAX, u64::MAX) > late);
}

#[test]
fn short_round_trips_grow_as_reno_does() {
    let mut cubic = reduced(Timestamp::ZERO);
    let mut now = Timestamp::ZERO + RTT * 2;
    ack(&mut cubic, now, 1_400);
    // ten windows: 9/17 of a datagram each
    for _ in 0..10 {
        now += Duration::from_micros(100);
        ack(&mut cubic, now, 700_000);
    }
    let grown = cubic.window_bytes() - 700_000;
    assert!((7_300..=7_420).contains(&grown), "{grown}");
}

#[test]
fn a_window_that_is_not_used_does_not_grow() {
    let mut cubic = Cubic::new(&config());
    let sample = AckSample { newly_acked_bytes: 1_400, ..AckSample::default() };
    cubic.on_ack(Timestamp::ZERO, &sample);
    assert_eq!(cubic.window_bytes(), 14_000);
    let rate = RateSample { is_app_limited: true, ..RateSample::default() };
    let sample = AckSample { rate: Some(rate), in_flight_bytes: 14_000, ..sample };
    cubic.on_ack(Timestamp::ZERO, &sample);
    assert_eq!(cubic.window_bytes(), 14_000);
}

#[test]
fn a_flow_that_loses_before_it_is_back_makes_room() {
    let mut cubic = reduced(Timestamp::ZERO);
    ack(&mut cubic, Timestamp::ZERO + RTT * 2, 1_400);
    cubic.on_lost(Timestamp::ZERO + RTT * 3, 1_400, 0);
    assert_eq!((cubic.window_bytes(), cubic.last_max), (490_000, 595_000));
}

#[test]
fn persistent_congestion_begins_anew() {
    let mut cubic = reduced(Timestamp::ZERO);
    cubic.on_persistent_congestion(Timestamp::ZERO);
    cubic.on_lost(Timestamp::ZERO, 1_400, 0);
    assert_eq!((cubic.window_bytes(), cubic.state_name()), (2_800, "recovery"));
    // the first answer ends it, and half of the path's capacity is soon found again
    ack(&mut cubic, Timestamp::ZERO + RTT * 2, 1_400);
    assert_eq!((cubic.window_bytes(), cubic.state_name()), (2_800, "slow_start"));
    ack(&mut cubic, Timestamp::ZERO + RTT * 3, 2_800);
    assert_eq!((cubic.window_bytes(), cubic.slow_start_below), (5_600, 700_000));
}
