//! Messages that wait for room in the memory for received ones (spec 5.4).

use std::collections::VecDeque;

use super::Endpoint;
use crate::{
    id::{PeerId, Priority},
    peer::Peer,
    slots::SlotRef,
    time::Timestamp,
};

/// The messages that wait, by priority; in a level, first come, first served.
#[derive(Debug, Default)]
pub(crate) struct MemoryQueue {
    levels: [VecDeque<(PeerId, SlotRef)>; Priority::LEVELS],
}

impl MemoryQueue {
    /// Adds a message.
    pub(crate) fn push(&mut self, level: u8, peer: PeerId, slot: SlotRef) {
        self.levels[usize::from(level)].push_back((peer, slot));
    }

    /// The message whose turn is next.
    fn front(&self) -> Option<(PeerId, SlotRef)> {
        self.levels.iter().find_map(|level| level.front().copied())
    }

    fn pop_front(&mut self) {
        if let Some(level) = self.levels.iter_mut().find(|level| !level.is_empty()) {
            level.pop_front();
        }
    }
}

impl Endpoint {
    /// Gives room to the messages that wait for it, as far as there is any. The first one that
    /// finds none keeps those behind it waiting: a long message comes to its turn.
    pub(super) fn place_waiting_messages(&mut self, now: Timestamp) {
        while let Some((id, slot)) = self.cx.memory_queue.front() {
            let size = self.peer(id).and_then(|peer| peer.incoming.get(slot));
            if let Some(size) = size.map(|transfer| transfer.layout.size()) {
                if !Peer::fits_memory(&self.cx, size) {
                    return;
                }
                if let Some((peer, cx)) = self.peer_and_context(id) {
                    peer.receive_to_memory(cx, now, slot);
                }
            }
            self.cx.memory_queue.pop_front();
        }
    }
}
