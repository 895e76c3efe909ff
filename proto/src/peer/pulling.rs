//! When to ask a peer for bytes, and when to ask again (spec chapters 4 and 6).

use core::time::Duration;

use smallvec::SmallVec;

use super::{Peer, QueuedPull};
use crate::{
    endpoint::context::{Context, TimerKind},
    ranges::ByteRange,
    schedule::credit::PullCredit,
    slots::SlotRef,
    time::Timestamp,
    transfer::receiver::RecvTransfer,
    wire::packet::DATA_OVERHEAD,
};

/// Plaintext of one message that the application may hold unreleased, in bytes.
const RECORD_WINDOW: u64 = 4 << 20;

impl Peer {
    /// Puts a transfer into the order of those that want to pull, moves it there, or takes it out.
    pub(crate) fn want_pull(&mut self, cx: &mut Context, slot: SlotRef) {
        let Some(transfer) = self.incoming.get_mut(slot) else { return };
        let level = transfer.priority.lowered(self.demotion);
        let need = (transfer.pullable(RECORD_WINDOW) > 0).then(|| transfer.unpulled());
        if need != transfer.listed {
            if let Some(old) = core::mem::replace(&mut transfer.listed, need) {
                self.pulls.remove(&mut cx.pulls, level, old, slot);
            }
            if let Some(need) = need {
                self.pulls.insert(&mut cx.pulls, level, need, slot);
            }
        }
        self.refresh_pulls(cx);
    }

    /// Brings the peer's place in the order of pulls up to date.
    pub(crate) fn refresh_pulls(&mut self, cx: &mut Context) {
        let open = self.may_pull(&cx.credit);
        self.pulls.refresh(&mut cx.pulls, self.id, open);
    }

    /// Whether another pull fits what the peer may owe us. A short transfer does not wait for long
    /// ones of the same sender, which it serves later anyway.
    fn may_pull(&self, credit: &PullCredit) -> bool {
        let (most, quantum) = (credit.per_peer(), credit.quantum());
        let short = self.pulls.least_need().is_some_and(|need| need <= credit.short());
        let bound = match credit.bdp() {
            None => most,
            Some(_) if short => 2 * most,
            Some(_) => self.share.of(most, quantum),
        };
        let bytes = self.on_the_way.bytes();
        !self.stalled && (bytes == 0 || bytes + quantum <= bound)
    }

    /// What a transfer needs, if it can be pulled now; the outer `None` if it never will be again.
    pub(crate) fn pullable(&self, credit: &PullCredit, slot: SlotRef) -> Option<Option<u64>> {
        let transfer = self.incoming.get(slot)?;
        (transfer.unpulled() > 0).then(|| transfer.listed.filter(|_| self.may_pull(credit)))
    }

    /// Whether nothing of a transfer is left to pull.
    pub(crate) fn has_pulled_all(&self, slot: SlotRef) -> bool {
        self.incoming.get(slot).is_none_or(|transfer| transfer.unpulled() == 0)
    }

    /// Pulls the next piece of a transfer, or of the shortest of a level.
    pub(crate) fn pull_next(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        level: u8,
        slot: Option<SlotRef>,
    ) {
        let timeout = self.timeout(cx);
        let slice_len = self.slice_len() as u64;
        let Some(slot) = slot.or_else(|| self.pulls.shortest(level)) else {
            return self.refresh_pulls(cx);
        };
        let Some(transfer) = self.incoming.get_mut(slot) else { return self.refresh_pulls(cx) };
        let quantum = cx.config.quantum();
        let tapered = transfer.layout.sealed_len() > 2 * quantum;
        let len = pull_len(transfer.pullable(RECORD_WINDOW), quantum, slice_len, tapered);
        let arriving = transfer.begin(now);
        let Some(range) = arriving.pull(now, len) else { return self.want_pull(cx, slot) };
        let timer = crate::endpoint::context::Timer { peer: self.id, kind: TimerKind::Pull(slot) };
        cx.arm(&mut arriving.pull_timer, now + timeout, timer);
        self.control.pulls.push_back(QueuedPull { transfer: slot, range, again: false });
        self.wants_to_send(cx);
        cx.charge_pull(now, range.len(), slice_len);
        cx.pulls.charge(level, range.len());
        self.pulls.served(&mut cx.pulls, level);
        self.expect(cx, now, range.len());
        self.want_pull(cx, slot);
    }

    /// Notes that `bytes` are on their way from the peer.
    pub(crate) fn expect(&mut self, cx: &mut Context, now: Timestamp, bytes: u64) {
        self.on_the_way.add(now, bytes, self.rtt.min());
        cx.credit.add(bytes);
        let timer = self.timer(TimerKind::Credit);
        let at = now + self.patience();
        cx.arm(&mut self.timers.credit, at, timer);
    }

    /// Notes that what is on its way of a transfer changed from `before` to `after` bytes.
    pub(crate) fn move_outstanding(&mut self, cx: &mut Context, before: u64, after: u64) {
        self.on_the_way.add_late(after.saturating_sub(before));
        let arrived = self.on_the_way.remove(before.saturating_sub(after));
        cx.credit.subtract(arrived.due);
        if self.on_the_way.bytes() == 0 {
            self.stalled = false;
            self.share.on_idle();
        }
    }

    /// How long what was asked for may take before others get the credit: twice what it takes when
    /// nothing is in its way (pHost's tokens live for 1.5 round trips). A sender that serves others
    /// first makes the usual delay long, which is no reason to wait for it.
    fn patience(&self) -> Duration {
        self.rtt.min() * 2
    }

    /// Something that the peer was asked for is late. If nothing came since it was asked, nothing
    /// more is asked for until something comes.
    pub(crate) fn on_credit_timer(&mut self, cx: &mut Context, now: Timestamp) {
        let patience = self.patience();
        let late = self.on_the_way.expire(now, patience);
        cx.credit.subtract(late);
        if late > 0 && self.progress_at + patience <= now && !self.stalled {
            self.stalled = true;
            self.share.on_stalled();
            cx.stats.stalls += 1;
            self.refresh_pulls(cx);
        }
        if let Some(at) = self.on_the_way.late_at(patience) {
            let timer = self.timer(TimerKind::Credit);
            cx.arm(&mut self.timers.credit, at, timer);
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
        let slice_len = self.slice_len() as u64;
        let Some(arriving) = self.incoming.get_mut(slot).and_then(RecvTransfer::arriving) else {
            return;
        };
        arriving.repull(now, ranges);
        for &range in ranges {
            cx.stats.repulled_bytes += range.len();
            cx.charge_unpaced(now, range.len(), slice_len);
            self.control.pulls.push_back(QueuedPull { transfer: slot, range, again: true });
        }
        // the sender may hold back because it never learnt what has arrived
        if !core::mem::replace(&mut arriving.ack_queued, true) {
            self.control.range_acks.push_back(slot);
        }
        // nor what it may do: the report of what has arrived may have been lost
        self.reported_bytes = 0;
        self.last_repull_at = now;
        self.wants_to_send(cx);
    }

    /// Pulled bytes have not arrived for a while.
    pub(crate) fn on_pull_timer(&mut self, cx: &mut Context, now: Timestamp, slot: SlotRef) {
        let timeout = self.timeout(cx);
        let silent = self.last_heard <= self.last_repull_at;
        let Some(arriving) = self.incoming.get_mut(slot).and_then(RecvTransfer::arriving) else {
            return;
        };
        arriving.pull_timer = None;
        if arriving.outstanding() == 0 {
            return;
        }
        let mut due: SmallVec<[ByteRange; 4]> = SmallVec::new();
        let mut next = arriving.active_at + timeout;
        // under mass timeout the peer is overloaded or gone: one question at a time
        let asked = silent && self.last_repull_at + timeout > now;
        if !asked {
            while let Some(repull) = arriving.repulled.front()
                && repull.at + timeout <= now
            {
                due.extend(arriving.holes_in(repull.range));
                arriving.repulled.pop_front();
            }
            if next <= now {
                due.extend(arriving.missing());
            }
        }
        if let Some(repull) = arriving.repulled.front() {
            next = next.min(repull.at + timeout);
        }
        if silent && !due.is_empty() {
            self.backoff = (self.backoff + 1).min(16);
            self.on_silence(cx, now);
        }
        if !due.is_empty() {
            self.pull_again(cx, now, slot, &due);
        }
        let earliest = now + timeout / 4;
        let at = if due.is_empty() { next.max(earliest) } else { now + timeout };
        let at = now + cx.jitter.stretch(at - now, 10);
        let timer = self.timer(TimerKind::Pull(slot));
        if let Some(arriving) = self.incoming.get_mut(slot).and_then(RecvTransfer::arriving) {
            cx.arm(&mut arriving.pull_timer, at, timer);
        }
    }
}

impl Context {
    /// Notes that `bytes` of a message were asked for: they will take the link that long.
    pub(crate) fn charge_pull(&mut self, now: Timestamp, bytes: u64, slice_len: u64) {
        let datagrams = bytes.div_ceil(slice_len);
        let framing = DATA_OVERHEAD as u64 + u64::from(self.config.frame_overhead);
        self.pull_pacer.charge(now, bytes + datagrams * framing);
    }

    /// The same for bytes that did not wait for their turn. What is asked for again and again, or
    /// comes faster than the link should be able to bring it, must not silence the pulls for ever.
    pub(crate) fn charge_unpaced(&mut self, now: Timestamp, bytes: u64, slice_len: u64) {
        let ahead = self.pull_pacer.next_departure(now, 1).saturating_since(now);
        if ahead <= self.credit.delay() {
            self.charge_pull(now, bytes, slice_len);
        }
    }

    /// Notes that a control packet arrived: it has taken the link that long.
    pub(crate) fn charge_arrival(&mut self, now: Timestamp, len: usize) {
        if self.pull_pacer.next_departure(now, 1) <= now {
            self.pull_pacer.charge(now, len as u64 + u64::from(self.config.frame_overhead));
        }
    }
}

/// How much to pull of `pullable` bytes, in whole datagrams: about a quantum, and so that no short
/// rest remains, which would need a turn of its own and overtake its equals.
///
/// A transfer of many turns takes a quarter of what it still needs towards its end: equals then end
/// within about one datagram of each other, not one quantum.
fn pull_len(pullable: u64, quantum: u64, slice_len: u64, tapered: bool) -> u64 {
    let slices = |bytes: u64| (bytes / slice_len).max(1) * slice_len;
    if pullable <= slice_len + slice_len / 4 {
        pullable
    } else if tapered {
        slices(quantum.min(pullable / 4))
    } else if pullable <= quantum + quantum / 2 {
        pullable
    } else if pullable < 2 * quantum + quantum / 2 {
        slices(pullable / 2 + slice_len / 2)
    } else {
        slices(quantum)
    }
}
