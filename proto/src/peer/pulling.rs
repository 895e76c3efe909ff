//! When to ask a peer for bytes, and when to ask again.

use smallvec::SmallVec;

use super::{Peer, QueuedPull};
use crate::{
    endpoint::context::{Context, TimerKind},
    ranges::ByteRange,
    slots::SlotRef,
    time::Timestamp,
};

/// Plaintext of one message that the application may hold unreleased, in bytes.
const RECORD_WINDOW: u64 = 4 << 20;

impl Peer {
    /// Queues a transfer for pulling, if there is anything to pull.
    pub(crate) fn want_pull(&mut self, cx: &mut Context, slot: SlotRef) {
        let Some(transfer) = self.incoming.get_mut(slot) else { return };
        if !transfer.pull_queued && transfer.pullable(RECORD_WINDOW) > 0 {
            transfer.pull_queued = true;
            cx.pullers.push_back((self.id, slot));
        }
    }

    /// Pulls the next piece of a transfer whose turn it is; true if it used credit.
    pub(crate) fn pull_next(&mut self, cx: &mut Context, now: Timestamp, slot: SlotRef) -> bool {
        let slice_len = self.slice_len() as u64;
        let timeout = self.timeout(cx);
        let Some(transfer) = self.incoming.get_mut(slot) else { return false };
        transfer.pull_queued = false;
        let pullable = transfer.pullable(RECORD_WINDOW);
        if pullable == 0 {
            return false;
        }
        let config = &cx.config;
        let peer_room = config.pull_credit_per_peer.saturating_sub(self.pull_outstanding);
        // whole datagrams, so that no pull ends in a short one before the last
        let quantum = (config.pull_quantum / slice_len).max(1) * slice_len;
        if peer_room < quantum.min(pullable) && self.pull_outstanding > 0 {
            transfer.pull_queued = true;
            self.pull_blocked.push_back(slot);
            return false;
        }
        let Some(range) = transfer.pull(now, quantum.min(pullable)) else { return false };
        let timer = crate::endpoint::context::Timer { peer: self.id, kind: TimerKind::Pull(slot) };
        cx.arm(&mut transfer.pull_timer, now + timeout, timer);
        cx.pull_outstanding += range.len();
        self.pull_outstanding += range.len();
        self.control.pulls.push_back(QueuedPull { transfer: slot, range, again: false });
        self.wants_to_send(cx);
        self.want_pull(cx, slot);
        true
    }

    /// Lets transfers that waited for this peer's credit try again.
    pub(super) fn unblock_pulls(&mut self, cx: &mut Context) {
        while let Some(slot) = self.pull_blocked.pop_front() {
            cx.pullers.push_back((self.id, slot));
        }
    }

    /// Asks again for ranges that are lost.
    pub(crate) fn pull_again(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        slot: SlotRef,
        ranges: &[ByteRange],
    ) {
        let Some(transfer) = self.incoming.get_mut(slot) else { return };
        transfer.repull(now, ranges);
        for &range in ranges {
            cx.stats.repulled_bytes += range.len();
            self.control.pulls.push_back(QueuedPull { transfer: slot, range, again: true });
        }
        // the sender may hold back because it never learnt what has arrived
        if !core::mem::replace(&mut transfer.ack_queued, true) {
            self.control.range_acks.push_back(slot);
        }
        self.last_repull_at = now;
        self.wants_to_send(cx);
    }

    /// Pulled bytes have not arrived for a while.
    pub(crate) fn on_pull_timer(&mut self, cx: &mut Context, now: Timestamp, slot: SlotRef) {
        let timeout = self.timeout(cx);
        let silent = self.last_heard <= self.last_repull_at;
        let Some(transfer) = self.incoming.get_mut(slot) else { return };
        transfer.pull_timer = None;
        if transfer.outstanding() == 0 {
            return;
        }
        let mut due: SmallVec<[ByteRange; 4]> = SmallVec::new();
        let mut next = transfer.active_at + timeout;
        // under mass timeout the peer is overloaded or gone: one question at a time
        let asked = silent && self.last_repull_at + timeout > now;
        if !asked {
            while let Some(repull) = transfer.repulled.front()
                && repull.at + timeout <= now
            {
                due.extend(transfer.holes_in(repull.range));
                transfer.repulled.pop_front();
            }
            if next <= now {
                due.extend(transfer.missing());
            }
        }
        if let Some(repull) = transfer.repulled.front() {
            next = next.min(repull.at + timeout);
        }
        if silent && !due.is_empty() {
            self.backoff = (self.backoff + 1).min(16);
        }
        if !due.is_empty() {
            self.pull_again(cx, now, slot, &due);
        }
        let earliest = now + timeout / 4;
        let at = if due.is_empty() { next.max(earliest) } else { now + timeout };
        let at = now + cx.jitter.stretch(at - now, 10);
        let timer = self.timer(TimerKind::Pull(slot));
        if let Some(transfer) = self.incoming.get_mut(slot) {
            cx.arm(&mut transfer.pull_timer, at, timer);
        }
    }
}
