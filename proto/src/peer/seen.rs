//! What became of the latest use of each of the peer's transfer slots [XFER-1].
//!
//! A peer announces its messages in the order of their urgency, not of their slots, so that the
//! first one may name any slot. Pages keep what it costs in proportion to the notifies that came,
//! which the notify credit bounds.

use crate::{
    id::{Status, TransferId},
    slots::SlotRef,
};

/// Slots per page.
const PAGE: usize = 64;

/// What became of the latest use of one of the peer's transfer slots.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) generation: u32,
    pub(crate) fate: Fate,
    /// The accept that is due rides on the next packet.
    pub(crate) accept_due: bool,
}

/// See [`Seen`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The slot was never used.
    #[default]
    Unused,
    /// Being received.
    Active(SlotRef),
    /// Received whole.
    Delivered,
    /// Refused.
    Refused(Status),
}

/// The slots of one peer.
#[derive(Debug, Default)]
pub(crate) struct SeenSlots {
    pages: Vec<Option<Box<[Seen; PAGE]>>>,
}

impl SeenSlots {
    /// What became of a slot, whatever its generation.
    pub(crate) fn get(&self, slot: usize) -> Option<&Seen> {
        let page = self.pages.get(slot / PAGE)?.as_ref()?;
        Some(&page[slot % PAGE])
    }

    /// The entry of a slot, which may be any below the limit of transfers.
    pub(crate) fn slot_mut(&mut self, slot: u32) -> &mut Seen {
        let (page, at) = (slot as usize / PAGE, slot as usize % PAGE);
        if page >= self.pages.len() {
            self.pages.resize_with(page + 1, || None);
        }
        &mut self.pages[page].get_or_insert_with(|| Box::new([Seen::default(); PAGE]))[at]
    }

    /// The entry of a transfer, if it is the latest of its slot.
    pub(crate) fn transfer_mut(&mut self, id: TransferId) -> Option<&mut Seen> {
        let page = self.pages.get_mut(id.slot() as usize / PAGE)?.as_mut()?;
        let seen = &mut page[id.slot() as usize % PAGE];
        (seen.generation == id.generation()).then_some(seen)
    }
}

#[cfg(test)]
mod tests;
