use std::collections::VecDeque;

use super::*;
use crate::rng::Jitter;

const ROOM: u8 = 1;
const OTHER: u8 = 2;

fn takes(takes: u8) -> Claim {
    Claim { takes, lacks: 0 }
}

fn lacks(lacks: u8) -> Claim {
    Claim { takes: lacks, lacks }
}

fn serve_all(levels: &mut Levels<u32>) -> Vec<u32> {
    core::iter::from_fn(|| {
        let place = levels.next(|_, _| takes(ROOM))?;
        levels.serve(place)
    })
    .collect()
}

#[test]
fn urgent_ones_go_first_and_a_level_keeps_its_order() {
    let mut levels = Levels::default();
    for entry in [70, 71, 30, 31, 0] {
        levels.push((entry / 10) as usize, entry);
    }
    levels.push_ahead(99);
    assert_eq!(serve_all(&mut levels), [99, 0, 30, 70, 31, 71]);
    assert!(levels.is_empty());
    assert_eq!(levels.most_urgent(), None);
}

/// [SCHED-8] a level that waits holds up itself only.
#[test]
fn who_waits_does_not_block_the_others() {
    let mut levels = Levels::default();
    levels.push(5, 50);
    levels.push(2, 20);
    levels.push(6, 60);
    // the least urgent may go, since it takes something else
    let claim = |level, _: &u32| match level {
        2 => lacks(ROOM),
        5 => takes(ROOM),
        _ => takes(OTHER),
    };
    assert_eq!(levels.next(claim), Some(Place::Level(6)));
    // what the more urgent one waits for is not taken by the less urgent
    assert_eq!(levels.serve(Place::Level(6)), Some(60));
    assert_eq!(levels.next(claim), None);
    // but the other way round
    let claim = |level, _: &u32| if level == 5 { lacks(ROOM) } else { takes(ROOM) };
    assert_eq!(levels.next(claim), Some(Place::Level(2)));
}

/// [SCHED-8] more urgent levels pass one that waits, but not for ever.
#[test]
fn nobody_waits_for_ever() {
    let mut levels = Levels::default();
    (0..100).for_each(|entry| levels.push(0, entry));
    levels.push(1, 1_000);
    let claim = |level, _: &u32| if level == 1 { lacks(ROOM) } else { takes(ROOM) };
    let mut passed = 0;
    while let Some(place) = levels.next(claim) {
        levels.serve(place);
        passed += 1;
    }
    assert_eq!(passed, 4, "one turn of the level that waits");
    // now it is that level's turn, whatever the others want
    assert_eq!(levels.next(|_, _| takes(ROOM)), Some(Place::Level(1)));
}

#[test]
fn those_that_are_gone_are_not_counted_and_do_not_pile_up() {
    let mut levels = Levels::default();
    let mut most = 0;
    levels.push(3, 0);
    for entry in 1..10_000 {
        levels.push(3, entry);
        levels.note_gone(3, |&waiting| waiting == 0);
        assert_eq!(levels.waiting(3), 1);
        most = most.max(levels.levels.as_ref().map_or(0, |l| l.levels[3].entries.len()));
    }
    assert!(most <= 2 * GONE + 4, "{most}");
    assert_eq!(levels.serve(Place::Level(3)), Some(0));
    while levels.discard(Place::Level(3)).is_some() {}
    assert_eq!(levels.waiting(3), 0);
    assert!(levels.is_empty());
}

/// Against eight plain queues: order inside a level, counts, and what is empty.
#[test]
fn any_sequence_keeps_the_order_of_each_level() {
    for seed in 0..200 {
        let mut rng = Jitter::new(seed);
        let mut levels = Levels::default();
        let mut reference: [VecDeque<u64>; 8] = Default::default();
        for entry in 0..500 {
            let level = rng.below(8) as usize;
            if rng.below(2) == 0 {
                levels.push(level, entry);
                reference[level].push_back(entry);
            } else {
                let blocked = rng.below(256) as u8;
                let place = levels.next(|level, _| match blocked & 1 << level {
                    0 => takes(ROOM),
                    _ => lacks(ROOM),
                });
                if let Some(Place::Level(level)) = place {
                    assert_eq!(blocked & 1 << level, 0, "seed {seed}");
                    assert_eq!(levels.serve(Place::Level(level)), reference[level].pop_front());
                } else {
                    let free =
                        (0..8).find(|&at| blocked & 1 << at == 0 && !reference[at].is_empty());
                    let waits =
                        (0..8).any(|at| blocked & 1 << at != 0 && !reference[at].is_empty());
                    assert!(free.is_none() || waits, "seed {seed}: {free:?} could go");
                }
            }
            for (level, reference) in reference.iter().enumerate() {
                assert_eq!(levels.waiting(level), reference.len(), "seed {seed}");
            }
            let first = reference.iter().position(|level| !level.is_empty());
            assert_eq!(levels.most_urgent(), first, "seed {seed}");
        }
    }
}
