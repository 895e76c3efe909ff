use super::*;
use crate::congestion::CongestionControl;

fn path(control: CongestionControl) -> PathCongestion {
    let config = CongestionConfig { control, ..CongestionConfig::default() };
    PathCongestion::new(&config, Timestamp::ZERO)
}

/// [CC-1, CC-2]
#[test]
fn the_window_and_the_pace_hold_packets_back() {
    let mut path = path(CongestionControl::Cubic);
    let (mut now, mut sent, mut number) = (Timestamp::ZERO, 0, 0);
    loop {
        match path.departure(now, 1_400) {
            Departure::Now => {
                path.on_sent(now, PacketNumber(number), 1_400);
                (sent, number) = (sent + 1_400, number + 1);
            }
            Departure::At(at) => {
                assert!(at > now);
                now = at;
            }
            Departure::WindowFull => break,
        }
    }
    assert!(sent <= path.window_bytes() && sent + 1_400 > path.window_bytes());
    assert_eq!(path.in_flight_bytes(), sent);
    assert!(now > Timestamp::ZERO);
    path.on_lost(now, 1_400);
    assert_eq!(path.in_flight_bytes(), sent - 1_400);
    path.on_flight_lost(now);
    assert_eq!(path.in_flight_bytes(), 0);
}

/// What was lost and will never be asked for again, since its transfer was given up, must not fill
/// the window for ever.
#[test]
fn the_arrival_of_the_newest_packet_empties_the_flight() {
    let mut path = path(CongestionControl::Bbr);
    for number in 0..10 {
        path.on_sent(Timestamp::ZERO, PacketNumber(number), 1_400);
    }
    let now = Timestamp::from_micros(100);
    path.on_feedback(now, &Feedback { largest: PacketNumber(8), acked_bytes: 7_000, ce_count: 0 });
    assert_eq!(path.in_flight_bytes(), 7_000);
    path.on_feedback(now, &Feedback { largest: PacketNumber(9), acked_bytes: 1_400, ce_count: 0 });
    assert_eq!(path.in_flight_bytes(), 0);
}

/// [CC-2] The peer's limit holds where it is lower.
#[test]
fn the_peers_rate_limits_the_pace() {
    let mut path = path(CongestionControl::FixedRate { bytes_per_sec: 1_000_000 });
    path.limit_rate(Timestamp::ZERO, 10_000);
    assert_eq!(path.pacing_rate_bytes_per_sec(), 10_000);
    path.limit_rate(Timestamp::ZERO, 0);
    assert_eq!(path.pacing_rate_bytes_per_sec(), 1_000_000);
}

/// [CC-1]
#[test]
fn one_batch_may_always_leave_an_empty_path() {
    let path = path(CongestionControl::Bbr);
    assert_eq!(path.departure(Timestamp::ZERO, u64::MAX), Departure::Now);
}

#[test]
fn feedback_measures_and_frees() {
    let mut path = path(CongestionControl::Bbr);
    path.on_sent(Timestamp::ZERO, PacketNumber(3), 1_400);
    let now = Timestamp::from_micros(80);
    let feedback = Feedback { largest: PacketNumber(5), acked_bytes: 1_400, ce_count: 0 };
    assert_eq!(path.on_feedback(now, &feedback), Some(Duration::from_micros(80)));
    assert_eq!(path.in_flight_bytes(), 0);
    assert_eq!(path.on_feedback(now, &feedback), None);
}

/// [CC-3]
#[test]
fn a_report_is_not_believed_beyond_what_was_sent() {
    for control in [CongestionControl::Bbr, CongestionControl::Cubic] {
        let (mut honest, mut lying) = (path(control), path(control));
        for n in 0..100 {
            let now = Timestamp::from_micros(n * 100);
            for path in [&mut honest, &mut lying] {
                path.on_sent(now, PacketNumber(n), 1_400);
            }
            let now = now + Duration::from_micros(80);
            let feedback = Feedback { largest: PacketNumber(n), acked_bytes: 1_400, ce_count: 0 };
            honest.on_feedback(now, &feedback);
            let largest = PacketNumber(u64::MAX);
            let acked_bytes = u64::MAX / 2;
            lying.on_feedback(now, &Feedback { largest, acked_bytes, ce_count: 0 });
        }
        assert_eq!(lying.window_bytes(), honest.window_bytes());
        let rates = [&lying, &honest].map(PathCongestion::pacing_rate_bytes_per_sec);
        assert_eq!(rates[0], rates[1]);
    }
}

#[test]
fn silence_becomes_persistent_congestion() {
    let pto = Duration::from_millis(1);
    for control in [CongestionControl::Bbr, CongestionControl::Cubic] {
        let mut path = path(control);
        path.on_sent(Timestamp::ZERO, PacketNumber(0), 1_400);
        assert!(!path.on_timeout(Timestamp::from_micros(1_000), pto));
        path.on_sent(Timestamp::from_micros(3_000), PacketNumber(1), 1_400);
        assert!(path.on_timeout(Timestamp::from_micros(3_000), pto));
        assert_eq!(path.window_bytes(), CongestionConfig::default().min_window_bytes);
    }
}

/// Whatever a peer reports, nothing panics and the window and rate stay in range. [CC-3, CC-4]
#[test]
fn odd_feedback_is_survived() {
    let mut rng = crate::rng::Jitter::new(11);
    let config = CongestionConfig::default();
    for control in [CongestionControl::Bbr, CongestionControl::Cubic] {
        for _ in 0..100 {
            let mut path = path(control);
            let mut now = Timestamp::ZERO;
            for n in 0..1_000 {
                now = match rng.below(20) {
                    0 => Timestamp::from_nanos(rng.next_u64() >> rng.below(64)),
                    _ => now + Duration::from_nanos(rng.below(100_000)),
                };
                let bytes = rng.next_u64() >> rng.below(64);
                match rng.below(6) {
                    0 | 1 => path.on_sent(now, PacketNumber(n), bytes),
                    2 => path.on_lost(now, bytes),
                    3 => path.on_app_limited(),
                    4 => drop(path.on_timeout(now, Duration::from_nanos(bytes))),
                    _ => {
                        let largest = PacketNumber(rng.next_u64() >> rng.below(64));
                        let ce_count = rng.next_u64() >> rng.below(64);
                        path.on_feedback(now, &Feedback { largest, acked_bytes: bytes, ce_count });
                    }
                }
                let window = path.window_bytes();
                assert!((config.min_window_bytes..=config.max_window_bytes).contains(&window));
                assert!(path.pacing_rate_bytes_per_sec() > 0);
                assert!(path.send_quantum_bytes() >= config.max_datagram_bytes);
            }
        }
    }
}
