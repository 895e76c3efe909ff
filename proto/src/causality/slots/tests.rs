use super::*;
use crate::causality::token::LAST_GENERATION;

fn slots(initial: u32, max: u32) -> Slots {
    Slots::new(CausalityConfig { initial, max })
}

/// Ends a transfer; its slot is free again.
fn complete(slots: &Slots, name: Name) {
    let update = slots.update(name, Word::completed).unwrap();
    assert!(matches!(update, Update::Changed { .. }), "{update:?}");
}

#[test]
fn chunks_follow_each_other_without_gaps() {
    for (initial, max) in [(1, 1), (1, 100), (3, 77), (8, 8), (64, 1_000)] {
        let slots = slots(initial, max);
        let mut chunk = 0;
        for slot in 0..max {
            let at = slots.chunk_of(slot);
            assert!(at == chunk || at == chunk + 1, "slot {slot}");
            chunk = at;
            assert!(slots.range(chunk).contains(&slot), "slot {slot}");
        }
        assert_eq!(slots.range(chunk).end, max);
    }
    assert_eq!(slots(1, SLOT_LIMIT).chunk_of(SLOT_LIMIT - 1), CHUNKS - 1);
}

/// [CAUS-8]
#[test]
fn grows_by_doubling_up_to_the_limit() {
    let slots = slots(2, 11);
    let mut capacities = vec![slots.capacity()];
    let names: Vec<_> = core::iter::from_fn(|| {
        let name = slots.allocate();
        capacities.push(slots.capacity());
        name
    })
    .collect();
    assert_eq!(names, (0..11).map(|slot| Name::new(slot, 0)).collect::<Vec<_>>());
    assert_eq!(capacities, [2, 2, 2, 4, 4, 8, 8, 8, 8, 11, 11, 11, 11]);
    assert_eq!(slots.live(), 11);
    complete(&slots, names[4]);
    assert_eq!(slots.live(), 10);
    assert_eq!(slots.allocate(), Some(Name::new(4, 1)));
    assert_eq!(slots.allocate(), None);
}

/// [CAUS-1]
#[test]
fn a_name_is_given_once() {
    let slots = slots(1, 1);
    for generation in 0..1_000 {
        let name = slots.allocate().unwrap();
        assert_eq!(name, Name::new(0, generation));
        complete(&slots, name);
        assert_eq!(slots.load(name), Err(Miss::Ended));
        assert_eq!(slots.update(name, Word::completed), Err(Miss::Ended));
    }
}

/// [CAUS-1]
#[test]
fn a_slot_that_runs_out_of_generations_is_retired() {
    let slots = slots(1, 2);
    slots.get(0).unwrap().store((LAST_GENERATION - 1) << 24, Ordering::Relaxed);
    let last = slots.allocate().unwrap();
    assert_eq!(last, Name::new(0, LAST_GENERATION - 1));
    complete(&slots, last);
    let other = slots.allocate().unwrap();
    assert_eq!((other, slots.allocate()), (Name::new(1, 0), None));
    assert_eq!(slots.load(last), Err(Miss::Ended));
}

#[test]
fn names_that_were_never_given_are_unknown() {
    let slots = slots(2, 100);
    let name = slots.allocate().unwrap();
    assert!(slots.load(name).is_ok());
    for unknown in [
        Name::new(0, 1),
        Name::new(1, 0),
        Name::new(2, 0),
        Name::new(99, 0),
        Name::new(SLOT_LIMIT - 1, LAST_GENERATION),
    ] {
        assert_eq!(slots.load(unknown), Err(Miss::Unknown), "{}", unknown.slot());
        assert_eq!(slots.update(unknown, Word::completed), Err(Miss::Unknown));
    }
}
