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
