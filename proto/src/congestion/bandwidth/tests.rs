use super::*;
use crate::rng::Jitter;

fn at(micros: u64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn number(n: u64) -> PacketNumber {
    PacketNumber(n)
}

#[test]
fn a_steady_path_is_measured_exactly() {
    let mut sampler = BandwidthSampler::new();
    // 1,000 bytes each 10 us, and an RTT of 100 us
    for n in 0..100 {
        if n >= 10 {
            let measured = sampler.on_acked(at(n * 10), 1_000, Some(number(n - 10)));
            let rate = measured.rate.unwrap();
            assert_eq!(measured.rtt, Some(Duration::from_micros(100)));
            assert!(!rate.is_app_limited && rate.lost_bytes == 0);
            if n >= 20 {
                assert_eq!(rate.bytes_per_sec, 100_000_000);
                assert_eq!(rate.delivered_bytes, 10_000);
                assert_eq!(rate.tx_in_flight_bytes, 10_000);
            }
        }
        sampler.on_sent(at(n * 10), number(n), 1_000, 1_000 * (n + 1).min(10));
    }
}

#[test]
fn acknowledgements_that_bunch_up_do_not_exaggerate() {
    let mut sampler = BandwidthSampler::new();
    for n in 0..20 {
        sampler.on_sent(at(n * 10), number(n), 1_000, 1_000 * (n + 1));
    }
    // all of them at once: the rate is that at which they left
    let rate = sampler.on_acked(at(200), 20_000, Some(number(19))).rate.unwrap();
    assert_eq!(rate.bytes_per_sec, 100_000_000);
}

#[test]
fn samples_after_a_pause_of_the_application_are_marked() {
    let mut sampler = BandwidthSampler::new();
    sampler.on_sent(at(0), number(0), 1_000, 1_000);
    sampler.on_app_limited(1_000);
    sampler.on_sent(at(10), number(1), 1_000, 2_000);
    assert!(!sampler.on_acked(at(100), 1_000, Some(number(0))).rate.unwrap().is_app_limited);
    assert!(sampler.on_acked(at(110), 1_000, Some(number(1))).rate.unwrap().is_app_limited);
    sampler.on_sent(at(110), number(2), 1_000, 1_000);
    assert!(!sampler.on_acked(at(210), 1_000, Some(number(2))).rate.unwrap().is_app_limited);
}

#[test]
fn idle_time_is_no_part_of_a_sample() {
    let mut sampler = BandwidthSampler::new();
    sampler.on_sent(at(0), number(0), 1_000, 1_000);
    sampler.on_acked(at(100), 1_000, Some(number(0)));
    sampler.on_sent(at(9_000), number(1), 1_000, 1_000);
    let rate = sampler.on_acked(at(9_100), 1_000, Some(number(1))).rate.unwrap();
    assert_eq!(rate.bytes_per_sec, 10_000_000);
}

#[test]
fn a_packet_is_measured_once_and_late_ones_never() {
    let mut sampler = BandwidthSampler::new();
    for n in 0..4 {
        sampler.on_sent(at(n * 10), number(n), 1_000, 1_000 * (n + 1));
    }
    sampler.on_lost(500);
    // number 9 carried no payload; the newest that did is 3
    let rate = sampler.on_acked(at(100), 1_000, Some(number(9))).rate.unwrap();
    assert_eq!((rate.sent_at, rate.lost_bytes), (at(30), 500));
    for largest in [Some(number(9)), Some(number(1)), None] {
        assert_eq!(sampler.on_acked(at(110), 1_000, largest), Measured::default());
    }
    assert_eq!(sampler.delivered_bytes(), 4_000);
    assert_eq!(sampler.on_acked(at(120), 0, Some(number(10))), Measured::default());
}

#[test]
fn memory_is_bounded_and_a_full_ring_still_measures() {
    let mut sampler = BandwidthSampler::new();
    for n in 0..100_000 {
        sampler.on_sent(at(n), number(n), 1_000, 1_000 * (n + 1));
    }
    assert!(sampler.batches.len() <= MAX_BATCHES);
    let capacity = sampler.batches.capacity();
    let rate = sampler.on_acked(at(100_000), 1_000 * 1_000, Some(number(99_999))).rate.unwrap();
    assert!(rate.bytes_per_sec <= 1_000_000_000);
    for n in 100_000..200_000 {
        sampler.on_sent(at(n), number(n), 1_000, 1_000);
        if n % 50 == 0 {
            sampler.on_acked(at(n + 1), 50_000, Some(number(n)));
        }
    }
    assert_eq!(sampler.batches.capacity(), capacity);
}

#[test]
fn a_new_key_begins_new_numbers() {
    let mut sampler = BandwidthSampler::new();
    sampler.on_sent(at(0), number(500), 1_000, 1_000);
    sampler.on_acked(at(100), 1_000, Some(number(500)));
    sampler.on_sent(at(110), number(501), 1_000, 1_000);
    sampler.on_sent(at(120), number(0), 1_000, 2_000);
    assert!(sampler.on_acked(at(220), 1_000, Some(number(0))).rate.is_some());
}

#[test]
fn odd_inputs_do_not_panic() {
    let mut rng = Jitter::new(9);
    for _ in 0..200 {
        let mut sampler = BandwidthSampler::new();
        for _ in 0..500 {
            let now = Timestamp::from_nanos(rng.next_u64() >> rng.below(64));
            let bytes = rng.next_u64() >> rng.below(64);
            let n = number(rng.next_u64() >> rng.below(64));
            match rng.below(4) {
                0 => sampler.on_sent(now, n, bytes, rng.next_u64() >> rng.below(64)),
                1 => sampler.on_app_limited(bytes),
                2 => sampler.on_lost(bytes),
                _ => drop(sampler.on_acked(now, bytes, Some(n))),
            }
        }
    }
}
