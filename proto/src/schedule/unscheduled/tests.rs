use super::*;
use crate::rng::Jitter;

const BUDGET: u64 = 1 << 20;
const ROUND: Duration = Duration::from_micros(50);
const UNLIMITED: u64 = u64::MAX;

fn with_peers(peers: u64) -> Unscheduled {
    let mut unscheduled = Unscheduled::new(BUDGET);
    (0..peers).for_each(|_| unscheduled.on_peer());
    unscheduled
}

/// In each of `rounds` rounds, `senders` peers announce something.
fn announce(
    unscheduled: &mut Unscheduled,
    now: &mut Timestamp,
    seen: &mut [Demand],
    senders: usize,
    rounds: u64,
) {
    for _ in 0..rounds {
        for seen in &mut seen[..senders] {
            unscheduled.on_announced(*now, seen, BUDGET, BUDGET, ROUND);
        }
        *now += ROUND;
    }
}

/// [SCHED-4]
#[test]
fn the_grant_halves_when_senders_double() {
    assert_eq!(Unscheduled::new(BUDGET).grant(0, UNLIMITED), BUDGET);
    for peers in 1..=64 {
        let grant = with_peers(peers).grant(0, UNLIMITED);
        assert_eq!(grant, BUDGET / peers);
        let halved = with_peers(2 * peers).grant(0, UNLIMITED);
        assert!(grant / 2 - halved <= 1);
    }
    // senders that were not expected count as soon as they are seen
    let (mut unscheduled, mut now) = (with_peers(1), Timestamp::ZERO);
    let mut seen = [Demand::default(); 64];
    for senders in [2, 4, 8, 16, 32, 64] {
        announce(&mut unscheduled, &mut now, &mut seen, senders, 1);
        assert_eq!(unscheduled.grant(0, UNLIMITED), BUDGET / senders as u64);
    }
}

/// [SCHED-4]
#[test]
fn waiting_transfers_count_as_senders() {
    let unscheduled = with_peers(4);
    for (waiting, senders) in [(0, 4), (4, 4), (5, 5), (1_000, 1_000)] {
        assert_eq!(unscheduled.grant(waiting, UNLIMITED), BUDGET / senders);
    }
}

/// [SCHED-4]
#[test]
fn the_grant_is_bounded_on_both_sides() {
    let unscheduled = with_peers(4);
    assert_eq!(unscheduled.grant(0, 5_000), 5_000);
    assert_eq!(unscheduled.grant(8_192, UNLIMITED), LEAST_GRANT);
    assert_eq!(unscheduled.grant(8_191, UNLIMITED), LEAST_GRANT);
    assert_eq!(unscheduled.grant(8_128, UNLIMITED), 129);
    assert_eq!(unscheduled.grant(usize::MAX >> 17, UNLIMITED), LEAST_GRANT);
    assert_eq!(unscheduled.grant(0, 0), LEAST_GRANT);
}

/// [SCHED-4]
#[test]
fn the_estimate_decays_by_a_sixteenth_a_round() {
    let mut unscheduled = with_peers(256);
    let (mut now, mut seen) = (Timestamp::from_micros(1), [Demand::default(); 256]);
    announce(&mut unscheduled, &mut now, &mut seen, 256, 1);
    let mut before = unscheduled.grant(0, UNLIMITED);
    for _ in 0..50 {
        announce(&mut unscheduled, &mut now, &mut seen, 1, 1);
        let grant = unscheduled.grant(0, UNLIMITED);
        assert!(grant >= before && grant <= before + before / 10, "{before} {grant}");
        before = grant;
    }
    announce(&mut unscheduled, &mut now, &mut seen, 1, 100);
    assert_eq!(unscheduled.grant(0, UNLIMITED), BUDGET);
}

/// [SCHED-4]
#[test]
fn a_steady_number_of_senders_is_not_forgotten() {
    let mut unscheduled = with_peers(10);
    let (mut now, mut seen) = (Timestamp::from_micros(1), [Demand::default(); 10]);
    announce(&mut unscheduled, &mut now, &mut seen, 10, 500);
    assert_eq!(unscheduled.grant(0, UNLIMITED), BUDGET / 10);
}

/// [SCHED-4]
#[test]
fn a_peer_counts_once_a_round() {
    let mut unscheduled = with_peers(1);
    let mut seen = [Demand::default(); 2];
    let announce = |unscheduled: &mut Unscheduled, seen: &mut Demand| {
        unscheduled.on_announced(Timestamp::ZERO, seen, BUDGET, BUDGET, ROUND);
    };
    (0..1_000).for_each(|_| announce(&mut unscheduled, &mut seen[0]));
    assert_eq!(unscheduled.grant(0, UNLIMITED), BUDGET);
    announce(&mut unscheduled, &mut seen[1]);
    assert_eq!(unscheduled.grant(0, UNLIMITED), BUDGET / 2);
}

/// What a hundred peers announce together counts, not that they are a hundred. [SCHED-4]
#[test]
fn a_peer_counts_as_the_part_of_a_grant_that_it_announced() {
    let mut unscheduled = with_peers(1);
    let mut seen = [Demand::default(); 128];
    let grant = 65_536;
    for seen in &mut seen[..100] {
        unscheduled.on_announced(Timestamp::ZERO, seen, 0, grant, ROUND);
        unscheduled.on_announced(Timestamp::ZERO, seen, 300, grant, ROUND);
        unscheduled.on_announced(Timestamp::ZERO, seen, 212, grant, ROUND);
    }
    // 51,200 bytes
    assert_eq!(unscheduled.grant(0, UNLIMITED), BUDGET);
    for seen in &mut seen {
        unscheduled.on_announced(Timestamp::ZERO, seen, 65_536 / 2, grant, ROUND);
    }
    let senders = 64.0 + 100.0 / 128.0;
    assert_eq!(unscheduled.grant(0, UNLIMITED), (BUDGET as f64 / senders) as u64);
}

/// [SCHED-4]
#[test]
fn of_a_long_silence_only_eight_rounds_count() {
    let mut seen = [Demand::default(); 1];
    for (silence, rounds) in [(0, 1), (1, 2), (7, 8), (8, 9), (9, 9), (1_000, 9)] {
        let mut unscheduled = with_peers(100);
        let mut now = Timestamp::from_micros(1);
        announce(&mut unscheduled, &mut now, &mut seen, 1, 1);
        let mut expected = 100 * ONE;
        // the first announcement ends a round that began at zero
        (0..1 + rounds).for_each(|_| expected -= expected / 16);
        now += ROUND * silence;
        announce(&mut unscheduled, &mut now, &mut seen, 1, 1);
        assert_eq!(unscheduled.grant(0, UNLIMITED), BUDGET * ONE / expected);
    }
}

/// What all senders that announce in a round may send unasked fits the budget. [SCHED-4]
#[test]
fn the_estimate_agrees_with_a_reference() {
    let mut rng = Jitter::new(1);
    for _ in 0..50 {
        let peers = 1 + rng.below(200) as usize;
        let mut unscheduled = with_peers(peers as u64);
        let (mut now, mut seen) = (Timestamp::from_micros(1), vec![Demand::default(); peers]);
        // the clock begins at zero: no silence before the first round
        let (mut expected, mut before, mut quiet) = (ONE * peers as u64, 0, 0);
        for _ in 0..300 {
            let senders = 1 + rng.below(peers as u64);
            for seen in &mut seen[..senders as usize] {
                unscheduled.on_announced(now, seen, BUDGET, BUDGET, ROUND);
            }
            // the round that has ended, and the one that has begun
            (0..=quiet).for_each(|_| expected -= expected / 16);
            expected = expected.max(ONE * before).max(ONE * senders);
            before = senders;
            let grant = unscheduled.grant(0, UNLIMITED);
            assert_eq!(grant, (BUDGET * ONE / expected).max(LEAST_GRANT));
            assert!(grant * senders <= BUDGET || grant == LEAST_GRANT);
            let silence = rng.below(1_000_000);
            quiet = (silence / 50_000).min(8);
            now = now + ROUND + Duration::from_nanos(silence);
        }
    }
}

/// [SCHED-4]
#[test]
fn a_changed_grant_is_told_when_it_has_doubled_or_halved() {
    let mut unscheduled = Unscheduled::new(BUDGET);
    unscheduled.note_refreshed(1_000);
    for (grant, changed) in
        [(500, true), (501, false), (1_000, false), (1_999, false), (2_000, true), (u64::MAX, true)]
    {
        assert_eq!(unscheduled.has_changed(grant), changed, "{grant}");
    }
    unscheduled.note_refreshed(u64::MAX);
    assert!(!unscheduled.has_changed(u64::MAX - 1));
}
