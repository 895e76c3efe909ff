use super::*;
use crate::id::WorkerId;

fn id(slot: u32, generation: u32) -> TransferId {
    TransferId::new(WorkerId(0), generation, slot)
}

#[test]
fn any_slot_may_come_first() {
    let mut seen = SeenSlots::default();
    assert!(seen.get(1_000_000).is_none());
    assert!(seen.transfer_mut(id(1_000_000, 0)).is_none());
    let fate = Fate::Delivered;
    *seen.slot_mut(1_000_000) = Seen { generation: 3, fate, accept_due: true };
    assert_eq!(seen.get(1_000_000).unwrap().fate, Fate::Delivered);
    assert!(seen.transfer_mut(id(1_000_000, 2)).is_none(), "an older use");
    seen.transfer_mut(id(1_000_000, 3)).unwrap().accept_due = false;
    assert!(!seen.get(1_000_000).unwrap().accept_due);
    assert_eq!(seen.get(1_000_001).unwrap().fate, Fate::Unused);
    assert_eq!(seen.pages.iter().flatten().count(), 1, "one page for one slot");
}
