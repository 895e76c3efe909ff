//! The endpoint's schedules: whose turn it is to be pulled from, to send, or to be told of a grant
//! (spec chapter 6).

use core::time::Duration;

use super::{Endpoint, peer_id, slot_of};
use crate::{id::PeerId, schedule::order::Pick, time::Timestamp};

/// Peers told of a changed grant per turn at most.
const GRANT_BATCH: usize = 64;

/// Bytes of the link for every peer that is told of a changed grant: 160 take it, and a five
/// hundredth of the link may be spent so.
const GRANT_WORK: u128 = 160 * 500;

/// The link rate that is assumed for that where it is not known: 10 Gbit/s in bytes per second.
const LEAST_RATE: u64 = 1_250_000_000;

/// Changed grants are told no more often than once in this many round trips.
const GRANT_ROUNDS: u32 = 50;

impl Endpoint {
    /// Hands out pull credit, one quantum a turn, as fast as the link can bring what it asks for.
    pub(super) fn issue_pulls(&mut self, now: Timestamp) {
        let peers = &self.peers;
        let find = |id: PeerId| peers.get(slot_of(id))?.as_deref();
        self.cx.pulls.compact(|id, slot| find(id).is_none_or(|peer| peer.has_pulled_all(slot)));
        let short = self.cx.credit.short();
        while self.cx.credit.has_room(self.cx.pulls.is_next_short(short))
            && self.cx.pulls.waiting() > 0
        {
            let at = self.cx.pull_pacer.next_departure(now, 1);
            if at > now {
                self.cx.arm_pace(at);
                return;
            }
            let peers = &self.peers;
            let (pulls, credit) = (&mut self.cx.pulls, &self.cx.credit);
            let pick =
                pulls.next(|id, slot| peers.get(slot_of(id))?.as_deref()?.pullable(credit, slot));
            let (id, level, transfer) = match pick {
                Some(Pick::Shortest { peer, level }) => (peer, level, None),
                Some(Pick::Oldest { peer, level, transfer }) => (peer, level, Some(transfer)),
                None => return,
            };
            let Some((peer, cx)) = self.peer_and_context(id) else { return };
            peer.pull_next(cx, now, level, transfer);
        }
    }

    /// Whose turn it is to send data.
    pub(super) fn next_to_send(&mut self) -> Option<Pick> {
        let peers = &self.peers;
        let find = |id: PeerId| peers.get(slot_of(id))?.as_deref();
        self.cx.sends.compact(|id, slot| find(id).is_none_or(|peer| peer.has_sent_all(slot)));
        self.cx.sends.next(|id, slot| find(id)?.sendable(slot))
    }

    /// Tells a few peers at a time what they may send unasked, after that has changed much.
    pub(super) fn refresh_grants(&mut self, now: Timestamp) {
        let cx = &mut self.cx;
        let grant = cx.unscheduled_bytes();
        if cx.refreshing == 0 && cx.unscheduled.has_changed(grant) {
            if now < cx.refresh_at {
                let at = cx.refresh_at;
                return cx.arm_pace(at);
            }
            cx.unscheduled.note_refreshed(grant);
            cx.refreshing = self.peers.slots();
            let rate = if cx.config.link_rate == 0 { LEAST_RATE } else { cx.config.link_rate };
            let nanos = cx.peers as u128 * GRANT_WORK * 1_000_000_000 / u128::from(rate);
            let spread = Duration::from_nanos(nanos as u64);
            cx.refresh_at = now + spread.max(cx.credit.delay() * GRANT_ROUNDS);
        }
        for _ in 0..GRANT_BATCH.min(self.cx.refreshing) {
            self.cx.refreshing -= 1;
            if let Some(slot) = self.peers.at(self.cx.refreshing as u32)
                && let Some((peer, cx)) = self.peer_and_context(peer_id(slot))
            {
                peer.tell_grant(cx, grant);
            }
        }
    }

    pub(super) fn requeue_unstalled(&mut self) {
        while let Some((id, slot)) = self.cx.unstalled.pop() {
            if let Some((peer, cx)) = self.peer_and_context(id) {
                peer.queue_data(cx, slot);
            }
        }
    }
}

#[cfg(test)]
mod tests;
