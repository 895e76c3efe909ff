use super::*;
use crate::rng::Jitter;

/// 100 Gbit/s.
const RATE: u64 = 12_500_000_000;
const DELAY: Duration = Duration::from_micros(50);

fn at(micros: u64) -> Timestamp {
    Timestamp::from_micros(micros)
}

/// [SCHED-2]
#[test]
fn the_bounds_follow_rate_and_delay() {
    let mut credit = PullCredit::new(&Config::dedicated(RATE));
    // before the first sample: the configured round-trip time
    assert_eq!((credit.delay(), credit.bdp()), (DELAY, Some(625_000)));
    assert_eq!((credit.total(), credit.per_peer()), (937_500, 781_250));
    credit.on_delay(at(1), Duration::from_micros(20));
    assert_eq!(credit.bdp(), Some(250_000));
    assert_eq!((credit.total(), credit.per_peer()), (375_000, 312_500));
    credit.on_delay(at(2), DELAY);
    assert_eq!(credit.delay(), Duration::from_micros(20));
}

/// [SCHED-2]
#[test]
fn the_bounds_are_never_less_than_a_few_quanta_or_more_than_configured() {
    let config = Config::dedicated(RATE);
    let quantum = config.quantum();
    let mut credit = PullCredit::new(&config);
    credit.on_delay(at(1), Duration::ZERO);
    assert_eq!((credit.total(), credit.per_peer()), (4 * quantum, 2 * quantum));
    let mut credit = PullCredit::new(&config);
    credit.on_delay(at(1), Duration::from_secs(10));
    assert_eq!((credit.total(), credit.per_peer()), (8 << 20, 8 << 20));
}

#[test]
fn without_a_link_rate_the_configured_bounds_hold() {
    let credit = PullCredit::new(&Config::datacenter());
    assert_eq!(credit.bdp(), None);
    assert_eq!((credit.total(), credit.per_peer()), (2 << 20, 2 << 20));
}

/// [SCHED-2]
#[test]
fn the_total_is_never_exceeded_and_one_pull_always_fits() {
    let mut rng = Jitter::new(1);
    for _ in 0..100 {
        let mut credit = PullCredit::new(&Config::dedicated(1_000 * (1 + rng.below(RATE / 1_000))));
        credit.on_delay(at(1), Duration::from_nanos(rng.below(200_000)));
        let (total, quantum) = (credit.total(), credit.quantum);
        let mut outstanding = 0;
        for _ in 0..1_000 {
            if credit.has_room() {
                let bytes = 1 + rng.below(quantum);
                credit.add(bytes);
                outstanding += bytes;
                assert!(outstanding <= total.max(quantum));
            } else {
                assert!(outstanding + quantum > total && outstanding > 0);
                let bytes = 1 + rng.below(outstanding);
                credit.subtract(bytes);
                outstanding -= bytes;
            }
            assert_eq!(credit.outstanding(), outstanding);
        }
        credit.subtract(u64::MAX);
        assert!(credit.outstanding() == 0 && credit.has_room());
    }
}

/// [SCHED-2]
#[test]
fn the_shortest_delay_is_remembered_for_a_window() {
    let mut rng = Jitter::new(2);
    for _ in 0..20 {
        let mut min = WindowedMin::new(DELAY);
        assert_eq!(min.get(), DELAY);
        let gap = 1 + rng.below(1_000_000);
        let mut samples: Vec<(Timestamp, Duration)> = Vec::new();
        let mut now = Timestamp::ZERO;
        for _ in 0..300 {
            now += Duration::from_micros(1 + rng.below(gap));
            let value = Duration::from_nanos(rng.next_u64() >> (20 + rng.below(30)));
            min.update(now, value);
            samples.push((now, value));
            let least = |span: Duration| {
                let recent = samples.iter().filter(|&&(at, _)| now.saturating_since(at) <= span);
                recent.map(|&(_, value)| value).min().unwrap()
            };
            let longest = MIN_DELAY_WINDOW + Duration::from_micros(2 * gap);
            assert!(min.get() <= least(MIN_DELAY_WINDOW / 2));
            assert!(min.get() >= least(longest));
        }
    }
}

/// The part of `bytes` that the two loops leave.
fn part(share: &SenderShare, bytes: u64) -> u64 {
    bytes * share.host.share.min(share.network.share) / WHOLE
}

/// [SCHED-3]
#[test]
fn a_sender_gets_its_share_of_the_bound() {
    let (mut share, mut now) = (SenderShare::new(), at(1));
    assert_eq!(share.of(u64::MAX), u64::MAX);
    for _ in 0..50 {
        arrivals(&mut share, &mut now, 1, true, false);
        assert_eq!(share.of(781_250), part(&share, 781_250));
    }
}

/// One arrival per round: each is judged at once.
fn arrivals(share: &mut SenderShare, now: &mut Timestamp, count: u32, held: bool, marked: bool) {
    for _ in 0..count {
        share.on_arrival(*now, 1_000, held, marked, DELAY);
        *now += DELAY;
    }
}

/// [SCHED-3]
#[test]
fn a_sender_that_holds_too_much_is_cut_down_to_a_tenth() {
    let (mut share, mut now) = (SenderShare::new(), at(1));
    assert_eq!(part(&share, 100_000), 100_000);
    arrivals(&mut share, &mut now, 1, true, false);
    // the average of marks is 0.08, and half of that is cut
    assert!((95_900..=96_100).contains(&part(&share, 100_000)), "{}", part(&share, 100_000));
    let mut before = part(&share, 100_000);
    for _ in 0..100 {
        arrivals(&mut share, &mut now, 1, true, false);
        assert!(part(&share, 100_000) <= before);
        before = part(&share, 100_000);
    }
    assert_eq!(before, 9_999);
}

/// [SCHED-3]
#[test]
fn marks_of_the_network_cut_down_to_three_hundredths() {
    let (mut share, mut now) = (SenderShare::new(), at(1));
    arrivals(&mut share, &mut now, 200, false, true);
    assert_eq!(part(&share, 100_000), 2_999);
}

/// [SCHED-3]
#[test]
fn rounds_without_marks_give_the_share_back_in_steps() {
    let (mut share, mut now) = (SenderShare::new(), at(1));
    arrivals(&mut share, &mut now, 200, true, false);
    let before = part(&share, 1_000_000);
    arrivals(&mut share, &mut now, 1, false, false);
    let step = part(&share, 1_000_000) - before;
    assert!((15_400..=15_500).contains(&step), "{step}");
    arrivals(&mut share, &mut now, 57, false, false);
    assert!(part(&share, 100_000) < 100_000);
    arrivals(&mut share, &mut now, 1, false, false);
    assert_eq!(part(&share, 100_000), 100_000);
}

/// [SCHED-3]
#[test]
fn the_smaller_of_the_two_loops_counts() {
    let (mut share, mut now) = (SenderShare::new(), at(1));
    arrivals(&mut share, &mut now, 200, true, true);
    assert_eq!(part(&share, 100_000), 2_999);
    // the network recovers, the sender does not
    arrivals(&mut share, &mut now, 200, true, false);
    assert_eq!(part(&share, 100_000), 9_999);
    arrivals(&mut share, &mut now, 200, false, false);
    assert_eq!(part(&share, 100_000), 100_000);
}

/// [SCHED-3]
#[test]
fn a_round_is_judged_once() {
    let (mut share, now) = (SenderShare::new(), at(100));
    share.on_arrival(now, 1_000, true, false, DELAY);
    let judged = part(&share, 100_000);
    for nanos in 0..49 {
        share.on_arrival(now + Duration::from_micros(nanos), 1_000, true, true, DELAY);
    }
    assert_eq!(part(&share, 100_000), judged);
    share.on_arrival(now + DELAY, 1_000, true, false, DELAY);
    assert!(part(&share, 100_000) < judged);
}

/// The share stays within one part in two hundred of what SIRD's formulas give. [SCHED-3]
#[test]
fn the_loops_agree_with_a_reference() {
    struct Reference {
        share: f64,
        average: f64,
    }
    impl Reference {
        fn round(&mut self, marked: f64, least: f64) {
            self.average += (marked - self.average) * 0.08;
            self.share = if marked > 0.0 {
                (self.share * (1.0 - self.average / 2.0)).max(least)
            } else {
                (self.share + 0.0155).min(1.0)
            };
        }
    }
    let mut rng = Jitter::new(3);
    for _ in 0..50 {
        let mut share = SenderShare::new();
        let mut host = Reference { share: 1.0, average: 0.0 };
        let mut network = Reference { share: 1.0, average: 0.0 };
        // the first arrival is a round of its own
        share.on_arrival(at(1), 1_000, false, false, DELAY);
        let pick = |rng: &mut Jitter| if rng.below(3) == 0 { rng.below(1_001) } else { 0 };
        for _ in 0..500 {
            let (held, marked) = (pick(&mut rng), pick(&mut rng));
            // the arrival that ends a round belongs to it
            let now = share.round_ends;
            let inside = now - DELAY / 2;
            share.on_arrival(inside, held, true, false, DELAY);
            share.on_arrival(inside, 1_000 - held, false, false, DELAY);
            share.on_arrival(inside, marked, false, true, DELAY);
            share.on_arrival(now, 1_000 - marked, false, false, DELAY);
            host.round(held as f64 / 2_000.0, 0.1);
            network.round(marked as f64 / 2_000.0, 0.03);
            let expected = host.share.min(network.share);
            let got = part(&share, 1 << 30) as f64 / f64::from(1 << 30);
            assert!((got - expected).abs() <= 0.005, "{got} instead of {expected}");
        }
    }
}

/// [SCHED-3]
#[test]
fn few_marks_cut_little() {
    let (mut share, mut now) = (SenderShare::new(), at(1));
    arrivals(&mut share, &mut now, 50, false, false);
    share.on_arrival(share.round_ends - DELAY / 2, 20, true, false, DELAY);
    share.on_arrival(share.round_ends, 980, false, false, DELAY);
    // a fiftieth of the bytes: the average is 0.0016
    let cut = 1_000_000 - part(&share, 1_000_000);
    assert!((700..=900).contains(&cut), "{cut}");
    let mut now = share.round_ends;
    arrivals(&mut share, &mut now, 1, false, false);
    assert_eq!(part(&share, 100_000), 100_000);
}
