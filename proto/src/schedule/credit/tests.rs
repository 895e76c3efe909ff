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
    credit.on_delay(Duration::from_micros(20));
    assert_eq!((credit.bdp(), credit.short()), (Some(250_000), 250_000));
    assert_eq!((credit.total(), credit.per_peer()), (375_000, 312_500));
}

/// [SCHED-2]
#[test]
fn the_delay_is_an_average_over_peers() {
    let mut credit = PullCredit::new(&Config::dedicated(RATE));
    credit.on_delay(Duration::from_nanos(6_400));
    credit.on_delay(Duration::from_nanos(12_800));
    // one part in 64
    assert_eq!(credit.delay(), Duration::from_nanos(6_500));
    // a peer nearby that delivers as much as one far away
    for _ in 0..1_000 {
        credit.on_delay(Duration::from_micros(10));
        credit.on_delay(Duration::from_micros(30));
    }
    let delay = credit.delay().as_nanos();
    assert!((19_800..=20_200).contains(&delay), "{delay}");
    // and one that delivers three times as much
    for _ in 0..1_000 {
        credit.on_delay(Duration::from_micros(30));
        (0..3).for_each(|_| credit.on_delay(Duration::from_micros(10)));
    }
    let delay = credit.delay().as_nanos();
    assert!((14_500..=15_500).contains(&delay), "{delay}");
}

/// [SCHED-2]
#[test]
fn the_average_agrees_with_a_reference() {
    let mut rng = Jitter::new(2);
    for _ in 0..20 {
        let mut credit = PullCredit::new(&Config::dedicated(RATE));
        let mut expected: Option<f64> = None;
        for _ in 0..1_000 {
            let nanos = 1 + (rng.next_u64() >> (30 + rng.below(30)));
            credit.on_delay(Duration::from_nanos(nanos));
            let before = expected.unwrap_or(nanos as f64);
            let average = before + (nanos as f64 - before) / 64.0;
            expected = Some(average);
            let got = credit.delay().as_nanos() as f64;
            assert!((got - average).abs() <= 2.0 + average * 1e-6, "{got} instead of {average}");
        }
    }
    let mut credit = PullCredit::new(&Config::dedicated(RATE));
    (0..1_000).for_each(|_| credit.on_delay(Duration::MAX));
    assert!(credit.delay() > Duration::from_secs(100_000_000), "{:?}", credit.delay());
}

/// [SCHED-2]
#[test]
fn the_bounds_are_never_less_than_a_few_quanta_or_more_than_configured() {
    let config = Config::dedicated(RATE);
    let quantum = config.quantum();
    let mut credit = PullCredit::new(&config);
    credit.on_delay(Duration::from_nanos(1));
    assert_eq!((credit.total(), credit.per_peer()), (4 * quantum, 2 * quantum));
    let mut credit = PullCredit::new(&config);
    credit.on_delay(Duration::from_secs(10));
    assert_eq!((credit.total(), credit.per_peer()), (8 << 20, 8 << 20));
}

#[test]
fn without_a_link_rate_the_configured_bounds_hold() {
    let credit = PullCredit::new(&Config::datacenter());
    assert_eq!(credit.bdp(), None);
    assert_eq!((credit.total(), credit.per_peer()), (2 << 20, 2 << 20));
    assert_eq!(credit.short(), 0);
}

/// [SCHED-2]
#[test]
fn the_total_is_never_exceeded_and_one_pull_always_fits() {
    let mut rng = Jitter::new(1);
    for round in 0..100 {
        let short = round % 2 == 0;
        let mut credit = PullCredit::new(&Config::dedicated(1_000 * (1 + rng.below(RATE / 1_000))));
        credit.on_delay(Duration::from_nanos(rng.below(200_000)));
        let (quantum, bdp) = (credit.quantum(), credit.bdp().unwrap());
        let bound = credit.total() + if short { bdp / 2 } else { 0 };
        let mut outstanding = 0;
        for _ in 0..1_000 {
            if credit.has_room(short) {
                let bytes = 1 + rng.below(quantum);
                credit.add(bytes);
                outstanding += bytes;
                assert!(outstanding <= bound.max(quantum));
            } else {
                assert!(outstanding + quantum > bound && outstanding > 0);
                let bytes = 1 + rng.below(outstanding);
                credit.subtract(bytes);
                outstanding -= bytes;
            }
            assert_eq!(credit.outstanding(), outstanding);
        }
        credit.subtract(u64::MAX);
        assert!(credit.outstanding() == 0 && credit.has_room(short));
    }
}

/// [SCHED-2]
#[test]
fn short_transfers_have_half_a_bdp_more() {
    let mut credit = PullCredit::new(&Config::dedicated(RATE));
    let quantum = credit.quantum();
    credit.add(credit.total() - quantum);
    assert!(credit.has_room(false));
    credit.add(1);
    assert!(!credit.has_room(false) && credit.has_room(true));
    credit.add(credit.short() / 2 - 1);
    assert!(!credit.has_room(false) && credit.has_room(true));
    credit.add(1);
    assert!(!credit.has_room(true));
    // without a link rate nothing is short
    let mut credit = PullCredit::new(&Config::datacenter());
    credit.add(credit.total() - credit.quantum() + 1);
    assert!(!credit.has_room(false) && !credit.has_room(true));
}

/// Takes the oldest `bytes` away, and says how many there were.
fn take(asked: &mut VecDeque<(Timestamp, u64)>, bytes: u64) -> u64 {
    let mut rest = bytes;
    while let Some((_, sum)) = asked.front_mut() {
        let part = rest.min(*sum);
        (*sum, rest) = (*sum - part, rest - part);
        if *sum > 0 {
            break;
        }
        asked.pop_front();
    }
    bytes - rest
}

/// The model keeps each pull by itself. [SCHED-5]
#[test]
fn what_is_on_the_way_is_late_once_and_leaves_oldest_first() {
    let mut rng = Jitter::new(4);
    for _ in 0..200 {
        let delay = Duration::from_nanos(rng.below(3) * rng.below(100_000));
        let step = delay / DUE_STEPS;
        let mut way = OnTheWay::default();
        let (mut asked, mut late, mut now) = (VecDeque::new(), 0, at(1_000));
        let (mut total, mut arrived, mut expired) = (0, Arrived::default(), 0);
        for _ in 0..500 {
            now += Duration::from_nanos(rng.below(20_000));
            let patience = Duration::from_nanos(rng.below(200_000));
            match rng.below(6) {
                0..=2 => {
                    let bytes = 1 + rng.below(50_000);
                    way.add(now, bytes, delay);
                    asked.push_back((now, bytes));
                    total += bytes;
                }
                3 => {
                    let bytes = rng.below(3) * rng.below(10_000);
                    way.add_late(bytes);
                    (late, total) = (late + bytes, total + bytes);
                }
                4 => {
                    // now and then more than there is
                    let bytes = rng.below(200_000);
                    let was_late = bytes.min(late);
                    let due = take(&mut asked, bytes - was_late);
                    assert_eq!(way.remove(bytes), Arrived { due, late: was_late });
                    late -= was_late;
                    arrived = Arrived { due: arrived.due + due, late: arrived.late + was_late };
                }
                _ => {
                    let sum = |latest: Timestamp| -> u64 {
                        asked.iter().filter(|&&(at, _)| at + patience <= latest).map(|p| p.1).sum()
                    };
                    let (least, most) = (sum(now), sum(now + step));
                    let bytes = way.expire(now, patience);
                    assert!((least..=most).contains(&bytes), "{bytes} of {least} to {most}");
                    assert_eq!(way.expire(now, patience), 0);
                    assert_eq!(take(&mut asked, bytes), bytes);
                    (late, expired) = (late + bytes, expired + bytes);
                }
            }
            let due: u64 = asked.iter().map(|&(_, bytes)| bytes).sum();
            assert_eq!((way.due_bytes, way.late_bytes, way.bytes()), (due, late, due + late));
            assert_eq!(total, way.bytes() + arrived.due + arrived.late);
            assert!(arrived.due + expired + due <= total);
            let oldest = asked.front().map(|&(at, _)| at + patience);
            assert_eq!(way.late_at(patience).is_some(), oldest.is_some());
            if let (Some(late_at), Some(oldest)) = (way.late_at(patience), oldest) {
                assert!(late_at <= oldest && oldest <= late_at + step);
            }
        }
        expired += way.expire(now + Duration::from_secs(1), Duration::from_secs(1));
        let rest = way.expire(Timestamp::from_micros(u64::MAX / 2_000), Duration::ZERO);
        assert_eq!((way.due_bytes, way.due.len(), way.late_at(delay)), (0, 0, None));
        assert!(arrived.due + expired + rest <= total);
        let late = total - arrived.due - arrived.late;
        assert_eq!(way.remove(u64::MAX), Arrived { due: 0, late });
    }
}

/// [SCHED-5]
#[test]
fn pulls_at_about_the_same_time_are_late_together() {
    let mut way = OnTheWay::default();
    way.add(at(100), 1, DELAY);
    way.add(at(106), 10, DELAY);
    way.add(at(107), 100, DELAY);
    assert_eq!(way.late_at(DELAY * 2), Some(at(200)));
    assert_eq!(way.expire(at(199), DELAY * 2), 0);
    assert_eq!(way.expire(at(200), DELAY * 2), 11);
    assert_eq!(way.late_at(DELAY * 2), Some(at(207)));
    // late bytes still count against the sender, and leave first
    assert_eq!(way.bytes(), 111);
    assert_eq!(way.remove(12), Arrived { due: 1, late: 11 });
    assert_eq!(way.expire(at(207), DELAY * 2), 99);
}

/// The part of `bytes` that the network's marks leave.
fn part(share: &SenderShare, bytes: u64) -> u64 {
    bytes * share.network.share / WHOLE
}

/// [SCHED-3]
#[test]
fn a_sender_gets_its_share_of_the_bound() {
    let (mut share, mut now) = (SenderShare::new(), at(1));
    assert_eq!(share.of(u64::MAX, 1), u64::MAX);
    for _ in 0..50 {
        share.on_idle();
        arrivals(&mut share, &mut now, 1, true, false);
        assert_eq!(share.of(781_250, 1_000), part(&share, 781_250));
        assert_eq!(share.of(781_250, 781_250), 781_250, "one pull always fits");
    }
}

/// [SCHED-3]
#[test]
fn a_busy_sender_gets_half_more_than_it_delivers() {
    let (most, quantum) = (781_250, 35_600);
    let (mut share, mut now) = (SenderShare::new(), at(1));
    // idle at first, and in the round that ends now
    assert_eq!(share.of(most, quantum), most);
    arrivals(&mut share, &mut now, 1, false, false);
    assert_eq!(share.of(most, quantum), most);
    let round = |share: &mut SenderShare, bytes: u64, idle: bool| {
        let end = share.round_ends;
        share.on_arrival(end - DELAY / 2, bytes / 4, false, false, DELAY);
        if idle {
            share.on_idle();
        }
        share.on_arrival(end, bytes - bytes / 4, false, false, DELAY);
    };
    for bytes in [200_000, 40_000, 0, 100_000] {
        round(&mut share, bytes, false);
        assert_eq!(share.of(most, quantum), bytes * 3 / 2 + quantum);
    }
    // no more than all
    round(&mut share, 600_000, false);
    assert_eq!(share.of(most, quantum), most);
    // idle at once, and after a round with a pause: all
    round(&mut share, 10_000, false);
    share.on_idle();
    assert_eq!(share.of(most, quantum), most);
    round(&mut share, 10_000, true);
    assert_eq!(share.of(most, quantum), most);
    // stalled: one pull, until a round has told more
    share.on_stalled();
    assert_eq!(share.of(most, quantum), quantum);
    round(&mut share, 100_000, false);
    assert_eq!(share.of(most, quantum), 150_000 + quantum);
}

/// The lesser of the two counts, not their product. [SCHED-3]
#[test]
fn the_share_and_what_is_delivered_bound_each_other() {
    let (mut share, mut now) = (SenderShare::new(), at(1));
    arrivals(&mut share, &mut now, 1, false, false);
    share.on_arrival(now, 200_000, false, true, DELAY);
    let usable = 200_000 * 3 / 2 + 1_000;
    assert_eq!(share.of(100_000, 1_000), part(&share, 100_000));
    assert_eq!(share.of(1_000_000, 1_000), usable);
    assert!(part(&share, 1_000_000) > usable);
}

/// [SCHED-3]
#[test]
fn a_sender_that_holds_too_much_gets_no_more_than_it_delivers() {
    let (mut share, mut now) = (SenderShare::new(), at(1));
    arrivals(&mut share, &mut now, 2, false, false);
    assert_eq!(share.of(1_000_000, 500), 1_500 + 500);
    arrivals(&mut share, &mut now, 1, true, false);
    assert_eq!(share.of(1_000_000, 500), 1_000 + 500);
    arrivals(&mut share, &mut now, 1, false, false);
    assert_eq!(share.of(1_000_000, 500), 1_500 + 500);
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
fn marks_of_the_network_cut_down_to_three_hundredths() {
    let (mut share, mut now) = (SenderShare::new(), at(1));
    arrivals(&mut share, &mut now, 200, false, true);
    assert_eq!(part(&share, 100_000), 2_999);
}

/// [SCHED-3]
#[test]
fn rounds_without_marks_give_the_share_back_in_steps() {
    let (mut share, mut now) = (SenderShare::new(), at(1));
    arrivals(&mut share, &mut now, 200, false, true);
    let before = part(&share, 1_000_000);
    arrivals(&mut share, &mut now, 1, false, false);
    let step = part(&share, 1_000_000) - before;
    assert!((15_400..=15_500).contains(&step), "{step}");
    arrivals(&mut share, &mut now, 61, false, false);
    assert!(part(&share, 100_000) < 100_000);
    arrivals(&mut share, &mut now, 1, false, false);
    assert_eq!(part(&share, 100_000), 100_000);
}

/// [SCHED-3]
#[test]
fn a_round_is_judged_once() {
    let (mut share, now) = (SenderShare::new(), at(100));
    share.on_arrival(now, 1_000, false, true, DELAY);
    let judged = part(&share, 100_000);
    for nanos in 0..49 {
        share.on_arrival(now + Duration::from_micros(nanos), 1_000, false, true, DELAY);
    }
    assert_eq!(part(&share, 100_000), judged);
    share.on_arrival(now + DELAY, 1_000, false, true, DELAY);
    assert!(part(&share, 100_000) < judged);
}

/// The share stays within one part in two hundred of what SIRD's formulas give. [SCHED-3]
#[test]
fn the_loop_agrees_with_a_reference() {
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
        let mut network = Reference { share: 1.0, average: 0.0 };
        // the first arrival is a round of its own
        share.on_arrival(at(1), 1_000, false, false, DELAY);
        let pick = |rng: &mut Jitter| if rng.below(3) == 0 { rng.below(1_001) } else { 0 };
        for _ in 0..500 {
            let marked = pick(&mut rng);
            // the arrival that ends a round belongs to it
            let now = share.round_ends;
            let inside = now - DELAY / 2;
            share.on_arrival(inside, 1_000, true, false, DELAY);
            share.on_arrival(inside, marked, false, true, DELAY);
            share.on_arrival(now, 1_000 - marked, false, false, DELAY);
            network.round(marked as f64 / 2_000.0, 0.03);
            let expected = network.share;
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
    share.on_arrival(share.round_ends - DELAY / 2, 20, false, true, DELAY);
    share.on_arrival(share.round_ends, 980, false, false, DELAY);
    // a fiftieth of the bytes: the average is 0.0016
    let cut = 1_000_000 - part(&share, 1_000_000);
    assert!((700..=900).contains(&cut), "{cut}");
    let mut now = share.round_ends;
    arrivals(&mut share, &mut now, 1, false, false);
    assert_eq!(part(&share, 100_000), 100_000);
}
