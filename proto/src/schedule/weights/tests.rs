use super::*;
use crate::rng::Jitter;

const ALL: u8 = u8::MAX;

fn all_ready() -> Weights {
    let mut weights = Weights::default();
    (0..Priority::LEVELS).for_each(|level| weights.enter(level));
    weights
}

/// [SCHED-7] over any span in which two levels have something to do, neither is ahead of the other
/// by more than one service of each.
#[test]
fn shares_are_within_one_service_of_the_weights() {
    let mut rng = Jitter::new(1);
    for _ in 0..50 {
        let mut weights = Weights::default();
        // an arbitrary past
        for _ in 0..rng.below(2_000) {
            let level = rng.below(8) as usize;
            match rng.below(3) {
                0 => weights.enter(level),
                1 => weights.leave(level),
                _ => {
                    if let Some(level) = weights.first(weights.ready()) {
                        weights.charge(level, 1);
                    }
                }
            }
        }
        let busy: Vec<usize> = (0..8).filter(|_| rng.below(2) == 0).collect();
        (0..8).for_each(|level| weights.leave(level));
        busy.iter().for_each(|&level| weights.enter(level));
        let mut served = [0_u64; 8];
        for _ in 0..40_000 {
            let Some(level) = weights.first(weights.ready()) else { break };
            served[level] += 1;
            weights.charge(level, 1);
        }
        // the reference: what each was served, times the inverse of its weight; they began apart by
        // one service at most, which doubles the bound
        for &a in &busy {
            for &b in &busy {
                let (cost_a, cost_b) = (4_u64.pow(a as u32), 4_u64.pow(b as u32));
                let apart = (served[a] * cost_a).abs_diff(served[b] * cost_b);
                assert!(apart <= 2 * (cost_a + cost_b), "{a} {b}: {served:?}");
            }
        }
    }
}

#[test]
fn every_level_gets_its_part() {
    let mut weights = all_ready();
    let mut served = [0_u64; 8];
    let round = (0..8).map(|level| 4_u64.pow(level)).sum::<u64>();
    for _ in 0..10 * round {
        let level = weights.first(ALL).unwrap();
        served[level] += 1;
        weights.charge(level, 1);
    }
    for (level, served) in served.iter().enumerate() {
        assert!(served.abs_diff(10 * 4_u64.pow(7 - level as u32)) <= 1, "{level}: {served}");
    }
}

#[test]
fn a_level_with_nothing_to_do_saves_nothing_up() {
    let mut weights = Weights::default();
    weights.enter(1);
    for _ in 0..1_000 {
        weights.charge(1, 1);
    }
    weights.enter(0);
    let mut in_a_row = 0;
    while weights.first(weights.ready()) == Some(0) {
        weights.charge(0, 1);
        in_a_row += 1;
    }
    assert_eq!(in_a_row, 5, "its weight, and once more since equals go by urgency");
}

#[test]
fn the_most_urgent_is_served_at_once() {
    let mut weights = Weights::default();
    weights.enter(7);
    for _ in 0..3 {
        weights.charge(7, 1);
    }
    weights.enter(0);
    assert_eq!(weights.first(weights.ready()), Some(0));
    assert_eq!(weights.first(1 << 7), Some(7), "only of those asked for");
    weights.leave(7);
    weights.leave(0);
    assert_eq!(weights.first(weights.ready()), None);
}

#[test]
fn who_is_ahead_of_another() {
    let mut weights = all_ready();
    for _ in 0..4 {
        assert!(!weights.is_ahead(0, 1, 1));
        weights.charge(0, 1);
    }
    assert!(weights.is_ahead(0, 1, 1));
    assert!(!weights.is_ahead(0, 1, 2));
}
