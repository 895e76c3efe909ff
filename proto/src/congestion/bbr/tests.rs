use core::time::Duration;

use super::*;

const RTT: Duration = Duration::from_micros(100);

fn bbr() -> Bbr {
    Bbr::new(&CongestionConfig::default(), Timestamp::ZERO)
}

/// One acknowledgement of `bytes` in a round trip, with a queue of as much again.
fn ack_round(bbr: &mut Bbr, now: &mut Timestamp, bytes: u64, is_app_limited: bool) {
    *now += RTT;
    let rate = RateSample {
        bytes_per_sec: bytes * 10_000,
        delivered_bytes: bytes,
        prior_delivered_bytes: bbr.delivered,
        tx_in_flight_bytes: bytes,
        lost_bytes: 0,
        sent_at: *now - RTT,
        is_app_limited,
    };
    let sample = AckSample {
        newly_acked_bytes: bytes,
        rtt: Some(RTT),
        rate: Some(rate),
        in_flight_bytes: bytes * 2,
    };
    bbr.on_ack(*now, &sample);
}

/// In ProbeBW after a plateau of 10 GB/s.
fn steady(now: &mut Timestamp) -> Bbr {
    let mut bbr = bbr();
    for _ in 0..10 {
        ack_round(&mut bbr, now, 1_000_000, false);
    }
    assert!(matches!(bbr.state, State::ProbeBw(_)), "{:?}", bbr.state);
    bbr
}

#[test]
fn startup_ends_after_three_rounds_without_growth() {
    let (mut bbr, mut now) = (bbr(), Timestamp::ZERO);
    for bytes in [100_000, 200_000, 400_000, 499_000, 499_000] {
        ack_round(&mut bbr, &mut now, bytes, false);
        assert_eq!(bbr.state_name(), "startup");
    }
    ack_round(&mut bbr, &mut now, 499_000, false);
    assert_eq!(bbr.state_name(), "drain");
    assert_eq!(bbr.pacing_rate_bytes_per_sec(), 2_470_050_000);
    for _ in 0..3 {
        ack_round(&mut bbr, &mut now, 499_000, false);
        assert_eq!(bbr.state_name(), "drain");
    }
    // not empty, but no longer waited for
    ack_round(&mut bbr, &mut now, 499_000, false);
    assert_eq!(bbr.state_name(), "probe_bw_down");
}

#[test]
fn rounds_that_the_application_limits_do_not_end_startup() {
    let (mut bbr, mut now) = (bbr(), Timestamp::ZERO);
    for _ in 0..10 {
        ack_round(&mut bbr, &mut now, 100_000, true);
    }
    assert_eq!(bbr.state_name(), "startup");
    // nor does the rate fall to what they show
    assert!(bbr.pacing_rate_bytes_per_sec() >= 1_250_000_000);
}

#[test]
fn samples_that_the_application_limits_never_lower_the_rate() {
    let mut now = Timestamp::ZERO;
    let mut bbr = steady(&mut now);
    let before = bbr.model.max_bandwidth();
    for _ in 0..1_000 {
        ack_round(&mut bbr, &mut now, 1_000, true);
    }
    assert_eq!(bbr.model.max_bandwidth(), before);
    ack_round(&mut bbr, &mut now, 2_000_000, true);
    assert_eq!(bbr.model.max_bandwidth(), before * 2);
}

#[test]
fn a_round_with_losses_cuts_to_what_was_delivered() {
    let mut now = Timestamp::ZERO;
    let mut bbr = steady(&mut now);
    let window = bbr.window_bytes();
    bbr.on_lost(now, 10_000, 0);
    ack_round(&mut bbr, &mut now, 900_000, false);
    assert_eq!(bbr.bandwidth(), bbr.model.max_bandwidth());
    assert!(bbr.model.inflight_shortterm >= window * 7 / 10);
    assert!(bbr.window_bytes() < window);
    bbr.on_lost(now, 0, 0);
    assert!(!bbr.model.has_loss_in_round());
}

#[test]
fn a_round_with_marks_cuts_by_a_third_of_alpha() {
    let mut now = Timestamp::ZERO;
    let mut bbr = steady(&mut now);
    let window = bbr.window_bytes();
    for _ in 0..2 {
        bbr.on_ecn(now, 1, 100);
        ack_round(&mut bbr, &mut now, 1_000_000, false);
    }
    let bound = bbr.model.inflight_shortterm;
    assert!(bound > window / 3 && bound < window * 8 / 10, "{bound} of {window}");
}

#[test]
fn two_rounds_half_marked_end_startup() {
    let (mut bbr, mut now) = (bbr(), Timestamp::ZERO);
    let mut bytes = 100_000;
    for _ in 0..2 {
        assert_eq!(bbr.state_name(), "startup");
        bbr.on_ecn(now, 50, 100);
        bytes *= 2;
        ack_round(&mut bbr, &mut now, bytes, false);
    }
    assert_eq!(bbr.state_name(), "drain");
}

#[test]
fn six_losses_in_a_round_end_startup() {
    let (mut bbr, mut now) = (bbr(), Timestamp::ZERO);
    ack_round(&mut bbr, &mut now, 100_000, false);
    for (losses, state) in [(5, "startup"), (6, "drain")] {
        for _ in 0..losses {
            bbr.on_lost(now, 1_400, 0);
        }
        now += RTT;
        let bytes = bbr.delivered;
        let rate = RateSample {
            bytes_per_sec: bytes * 10_000,
            delivered_bytes: bytes,
            prior_delivered_bytes: bbr.delivered,
            tx_in_flight_bytes: bytes,
            lost_bytes: bytes * 3 / 100,
            ..RateSample::default()
        };
        let sample = AckSample {
            newly_acked_bytes: bytes,
            rate: Some(rate),
            rtt: Some(RTT),
            in_flight_bytes: bytes * 2,
        };
        bbr.on_ack(now, &sample);
        assert_eq!(bbr.state_name(), state);
    }
}

#[test]
fn the_quantum_is_a_sixteenth_of_a_round_trip() {
    let mut now = Timestamp::ZERO;
    let mut bbr = bbr();
    ack_round(&mut bbr, &mut now, 100_000, true);
    let rate = bbr.pacing_rate_bytes_per_sec();
    assert_eq!(bbr.send_quantum_bytes(), rate / 10_000 / 16);
}

#[test]
fn an_idle_path_restarts_at_the_estimate() {
    let mut now = Timestamp::ZERO;
    let mut bbr = steady(&mut now);
    bbr.on_idle_restart(now + RTT * 10_000);
    assert_eq!(bbr.pacing_rate_bytes_per_sec(), bbr.bandwidth() / 100 * 99);
    // the minimum is old, but idleness has emptied the queue already
    now += RTT * 10_000;
    ack_round(&mut bbr, &mut now, 1_000_000, false);
    assert_ne!(bbr.state_name(), "probe_rtt");
}
