use super::*;
use crate::rng::Jitter;

fn range(start: u64, end: u64) -> ByteRange {
    ByteRange::new(start, end).unwrap()
}

#[test]
fn an_empty_range_is_not_a_range() {
    assert_eq!(ByteRange::new(3, 3), None);
    assert_eq!(ByteRange::new(4, 3), None);
}

#[test]
fn touching_ranges_become_one() {
    let mut set = RangeSet::default();
    assert_eq!(set.insert(range(0, 10)), 10);
    assert_eq!(set.insert(range(20, 30)), 10);
    assert_eq!(set.insert(range(10, 20)), 10);
    assert_eq!(set.iter().collect::<Vec<_>>(), [range(0, 30)]);
    assert_eq!(set.insert(range(5, 25)), 0);
}

#[test]
fn gaps_are_what_is_missing() {
    let mut set = RangeSet::default();
    set.insert(range(10, 20));
    set.insert(range(30, 40));
    let gaps: Vec<_> = set.gaps(range(0, 50)).collect();
    assert_eq!(gaps, [range(0, 10), range(20, 30), range(40, 50)]);
    assert_eq!(set.gaps(range(12, 18)).count(), 0);
    assert_eq!(set.gaps(range(15, 35)).collect::<Vec<_>>(), [range(20, 30)]);
}

#[test]
fn removal_trims_splits_and_swallows() {
    let mut set = RangeSet::default();
    set.insert(range(0, 100));
    assert_eq!(set.remove(range(0, 10)), 10);
    assert_eq!(set.remove(range(90, 120)), 10);
    assert_eq!(set.remove(range(40, 50)), 10);
    assert_eq!(set.iter().collect::<Vec<_>>(), [range(10, 40), range(50, 90)]);
    assert_eq!(set.remove(range(40, 50)), 0);
    set.insert(range(95, 99));
    assert_eq!(set.remove(range(30, 97)), 10 + 40 + 2);
    assert_eq!(set.iter().collect::<Vec<_>>(), [range(10, 30), range(97, 99)]);
    assert_eq!(set.remove(range(0, u64::MAX)), 22);
    assert!(set.is_empty() && set.covered() == 0);
}

#[test]
fn a_bounded_set_refuses_only_what_would_be_a_range_too_many() {
    let mut set = RangeSet::default();
    assert_eq!(set.insert_bounded(range(10, 20), 2), Ok(10));
    assert_eq!(set.insert_bounded(range(30, 40), 2), Ok(10));
    let before = set.clone();
    for apart in [range(0, 9), range(21, 29), range(41, 50)] {
        assert_eq!(set.insert_bounded(apart, 2), Err(TooManyRanges { max_ranges: 2 }));
        assert_eq!(set, before);
    }
    assert_eq!(set.insert_bounded(range(0, 10), 2), Ok(10));
    assert_eq!(set.insert_bounded(range(40, 50), 2), Ok(10));
    assert_eq!(set.insert_bounded(range(15, 35), 2), Ok(10));
    assert_eq!(set.len(), 1);
    assert_eq!(RangeSet::default().insert_bounded(range(0, 1), 0).ok(), None);
}

/// Against the unbounded set: the same result, unless that has too many ranges.
#[test]
fn a_bounded_set_agrees_with_an_unbounded_one() {
    const MAX: usize = 5;
    for seed in 0..200 {
        let mut rng = Jitter::new(seed);
        let mut set = RangeSet::default();
        for _ in 0..80 {
            let start = rng.below(200);
            let next = range(start, start + 1 + rng.below(12));
            let mut free = set.clone();
            let added = free.insert(next);
            let bounded = set.insert_bounded(next, MAX);
            if free.len() > MAX {
                assert_eq!(bounded, Err(TooManyRanges { max_ranges: MAX }), "seed {seed}");
            } else {
                assert_eq!((bounded, &set), (Ok(added), &free), "seed {seed}");
            }
        }
    }
}

/// Every operation against a plain map of bytes, for many random sequences.
#[test]
fn agrees_with_a_map_of_bytes() {
    const SPACE: u64 = 64;
    for seed in 0..400 {
        let mut rng = Jitter::new(seed);
        let mut set = RangeSet::default();
        let mut model = [false; SPACE as usize];
        for step in 0..60 {
            let start = rng.below(SPACE - 1);
            let r = range(start, start + 1 + rng.below((SPACE - start - 1).min(20) + 1));
            let bytes = r.start as usize..r.end as usize;
            let inside = model[bytes.clone()].iter().filter(|b| **b).count() as u64;
            if rng.below(3) > 0 {
                assert_eq!(set.insert(r), r.len() - inside, "seed {seed} step {step}");
                model[bytes].fill(true);
            } else {
                assert_eq!(set.remove(r), inside, "seed {seed} step {step}");
                model[bytes].fill(false);
            }
            check(&set, &model, &mut rng, seed);
        }
    }
}

fn check(set: &RangeSet, model: &[bool], rng: &mut Jitter, seed: u64) {
    let ranges: Vec<_> = set.iter().collect();
    assert!(ranges.windows(2).all(|w| w[0].end < w[1].start), "seed {seed}: {ranges:?}");
    let mut bytes = vec![false; model.len()];
    for r in &ranges {
        bytes[r.start as usize..r.end as usize].fill(true);
    }
    assert_eq!(bytes, model, "seed {seed}");
    assert_eq!(set.covered(), model.iter().filter(|b| **b).count() as u64);
    let start = rng.below(model.len() as u64 - 1);
    let within = range(start, start + 1 + rng.below(model.len() as u64 - start));
    let mut gaps = vec![false; model.len()];
    for gap in set.gaps(within) {
        gaps[gap.start as usize..gap.end as usize].fill(true);
    }
    for at in 0..model.len() {
        let inside = (within.start..within.end).contains(&(at as u64));
        assert_eq!(gaps[at], inside && !model[at], "seed {seed} at {at}");
    }
    let whole = model[within.start as usize..within.end as usize].iter().all(|b| *b);
    assert_eq!(set.contains(within), whole, "seed {seed}");
}
