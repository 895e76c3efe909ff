//! Messages on their way to a peer: notifies, pulls that ask for them, acknowledgements.

use core::time::Duration;

use super::{Peer, notify::TINY};
use crate::{
    endpoint::{
        DropReason, Event, Outcome,
        context::{Context, TimerKind},
        stats::Stats,
    },
    id::{PacketNumber, Status, StreamHandle, TransferId},
    slots::SlotRef,
    time::Timestamp,
    transfer::{
        layout::Layout,
        sender::{Ignored, PulledBody, SendBody, SendTransfer, Unaccepted},
    },
    wire::{
        frame::{CancelPull, PullRequest, RangeAck, TransferAccept},
        packet::CONTROL_OVERHEAD,
    },
};

/// How far ahead of sealing the application is asked to supply, in bytes.
const SUPPLY_AHEAD: u64 = 4 << 20;

/// The most that a notify takes besides metadata and payload, in bytes: see
/// [`TransferNotify`](crate::wire::frame::TransferNotify).
const NOTIFY_FIELDS: usize = 112;

impl Peer {
    /// Queues a message; `None` if every slot is taken.
    pub(crate) fn send_message(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        mut transfer: SendTransfer,
    ) -> Option<SlotRef> {
        transfer.notify.sent_at = now;
        let slot = self.outgoing.insert(transfer)?;
        self.queue_notify(cx, slot);
        self.arm_idle(cx, now);
        Some(slot)
    }

    /// The wire's name for one of our transfers.
    pub(crate) fn outgoing_id(slot: SlotRef) -> TransferId {
        TransferId::new(super::WORKER, slot.generation, slot.slot)
    }

    fn outgoing_slot(id: TransferId) -> SlotRef {
        SlotRef { slot: id.slot(), generation: id.generation() }
    }

    /// Sends a notify again, unless that was done too often though the peer is there [XFER-6].
    pub(crate) fn repeat_notify(&mut self, cx: &mut Context, now: Timestamp, slot: SlotRef) {
        let Some(transfer) = self.outgoing.get_mut(slot) else { return };
        let (most, least) = (cx.config.max_repeats, cx.config.idle_timeout / 2);
        if self.last_heard > transfer.notify.sent_at
            && transfer.notify.ignored.again(now, most, least)
        {
            return self.give_up_ignored(cx, now, slot);
        }
        self.queue_notify(cx, slot);
    }

    /// The peer is heard, but does not do its part of a transfer: ends its stream.
    fn give_up_ignored(&mut self, cx: &mut Context, now: Timestamp, slot: SlotRef) {
        let Some(stream) = self.outgoing.get(slot).map(|transfer| transfer.stream) else { return };
        // the stream is there: a transfer does not outlive it
        let _closed = self.cancel(cx, now, stream, Status::CANCELLED, Outcome::Unanswered);
        self.on_message_given_up(cx, now);
    }

    /// Decides how a payload travels, now that the peer's limits are known.
    ///
    /// False if no data key could be had; the transfer then cannot be sent.
    pub(crate) fn decide_body(&mut self, cx: &mut Context, now: Timestamp, slot: SlotRef) -> bool {
        let Some(level) = self.outgoing.get(slot).map(|transfer| transfer.priority.level()) else {
            return true;
        };
        let grant = self.grant_of(level).saturating_sub(self.unscheduled);
        let inline_limit = cx.config.max_inline.min(grant.max(TINY) as usize);
        let room = self.max_datagram - CONTROL_OVERHEAD - NOTIFY_FIELDS;
        let max_log2 = cx.config.max_record_log2.min(self.params.record_size_log2_max);
        let Some(transfer) = self.outgoing.get_mut(slot) else { return true };
        let SendBody::Undecided(payload) = &transfer.body else { return true };
        let size = transfer.size;
        if let crate::endpoint::Payload::Whole(bytes) = payload
            && bytes.len() <= inline_limit
            && bytes.len() + transfer.metadata.len() <= room
        {
            transfer.notify.unscheduled = if size > TINY { size } else { 0 };
            self.unscheduled += transfer.notify.unscheduled;
            transfer.body = SendBody::Inline(bytes.clone());
            return true;
        }
        if size == 0 {
            transfer.body = SendBody::Inline(bytes::Bytes::new());
            return true;
        }
        let Some(layout) = Layout::choose(size, max_log2) else { return false };
        let Ok(key) = self.data_keys.allocate(layout.records()) else { return false };
        let empty = SendBody::Inline(bytes::Bytes::new());
        if let SendBody::Undecided(payload) = core::mem::replace(&mut transfer.body, empty) {
            let mut body = PulledBody::new(layout, key, payload, now);
            // all of it or nothing: the rest would wait for a grant of its own
            if size <= grant && !body.wants_supply() && cx.config.link_rate > 0 {
                body.push();
                transfer.notify.unscheduled = size;
                self.unscheduled += size;
            }
            transfer.body = SendBody::Pulled(Box::new(body));
        }
        cx.sends.begin(
            transfer.priority.lowered(self.demotion),
            layout.sealed_len(),
            self.id,
            slot,
        );
        self.ask_for_supply(cx, slot);
        true
    }

    /// The receiver has a notify: what came with it no longer counts against the grant.
    pub(super) fn on_notify_accepted(&mut self, cx: &mut Context, slot: SlotRef) {
        let Some(transfer) = self.outgoing.get_mut(slot) else { return };
        let notify = transfer.notify;
        transfer.notify.accepted = true;
        transfer.notify.ignored = Ignored::default();
        transfer.notify.unscheduled = 0;
        self.return_notify_credit(cx, &notify);
    }

    /// Asks the application for more of a message that it supplies, if it is time.
    pub(crate) fn ask_for_supply(&mut self, cx: &mut Context, slot: SlotRef) {
        let Some(transfer) = self.outgoing.get_mut(slot) else { return };
        let stream = transfer.stream;
        if let Some(up_to) = transfer.pulled().and_then(|body| body.supply_request(SUPPLY_AHEAD)) {
            let stream = StreamHandle { peer: self.id, stream };
            cx.events.push_back(Event::SupplyWanted { stream, up_to });
        }
    }

    /// A notify is written again: what was sent unasked behind it waits to be asked for, since the
    /// receiver may not have known what it was.
    pub(crate) fn wait_to_be_asked(&mut self, cx: &mut Context, now: Timestamp, slot: SlotRef) {
        let Some(transfer) = self.outgoing.get_mut(slot) else { return };
        if transfer.notify.sent == 0 || transfer.notify.accepted {
            return;
        }
        if let Some(body) = transfer.pulled()
            && body.unscheduled
        {
            // only what arrives is reported, wherever it belongs
            let lost = body.unpush();
            self.on_data_lost(cx, now, lost);
            self.queue_data(cx, slot);
        }
    }

    /// Notes that the notify left in packet `number`.
    pub(crate) fn on_notify_sent(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        slot: SlotRef,
        number: PacketNumber,
    ) {
        let Some(transfer) = self.outgoing.get_mut(slot) else { return };
        let inline = match &transfer.body {
            SendBody::Inline(bytes) => bytes.len() as u64,
            _ => 0,
        };
        let notify = &mut transfer.notify;
        notify.queued = false;
        cx.stats.payload_bytes_sent += inline;
        if notify.sent > 0 {
            cx.stats.notifies_repeated += 1;
            cx.stats.retransmitted_bytes += inline;
        }
        if notify.sent == 0 {
            let level = usize::from(transfer.priority.level());
            cx.stats.notify_waits[level].note(now.saturating_since(notify.sent_at));
            self.notifies_pending += u64::from(!notify.accepted);
        }
        notify.sent += 1;
        notify.packet = number.0;
        notify.sent_at = now;
        let accepted = notify.accepted;
        self.queue_data(cx, slot);
        if !accepted {
            self.unaccepted.push_back(Unaccepted { transfer: slot, packet: number.0 });
            let at = now + self.timeout(cx);
            let timer = self.timer(TimerKind::Notify);
            cx.arm(&mut self.timers.notify, at, timer);
        }
    }

    /// The oldest notify that waits for its accept.
    pub(crate) fn oldest_unaccepted(&mut self) -> Option<(SlotRef, Timestamp)> {
        while let Some(entry) = self.unaccepted.front() {
            if let Some(transfer) = self.outgoing.get(entry.transfer)
                && transfer.notify.packet == entry.packet
                && !transfer.notify.accepted
                && !transfer.notify.queued
            {
                return Some((entry.transfer, transfer.notify.sent_at));
            }
            self.unaccepted.pop_front();
        }
        None
    }

    /// The peer has these notifies.
    pub(crate) fn on_accept(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        frame: &TransferAccept<'_>,
    ) {
        if frame.notify_credit > self.notify_limit {
            self.notify_limit = frame.notify_credit;
            if !self.notify_queue.is_empty() {
                self.wants_to_send(cx);
            }
        }
        // a later word than what the hello said, or an earlier accept
        if frame.largest >= self.granted_at {
            self.granted_at = frame.largest;
            self.params.unscheduled_bytes = frame.unscheduled_bytes;
        }
        let delay = Duration::from_micros(frame.delay_us).min(cx.config.max_timeout);
        for accepted in frame.accepted.iter() {
            let slot = Self::outgoing_slot(accepted.sender);
            let Some(transfer) = self.outgoing.get_mut(slot) else { continue };
            self.accepted_at = now;
            // a repeated notify cannot tell which copy was answered (Karn)
            if transfer.notify.sent == 1 && !transfer.notify.accepted {
                let sample = now.saturating_since(transfer.notify.sent_at);
                self.rtt.update(sample, delay);
            }
            self.on_notify_accepted(cx, slot);
            let Some(transfer) = self.outgoing.get_mut(slot) else { continue };
            match (accepted.receiver, transfer.pulled()) {
                (None, _) => self.on_delivered(cx, now, slot),
                (Some(receiver), Some(body)) => {
                    body.receiver = Some(receiver);
                    body.active_at = now;
                    self.arm_quiet(cx, now, slot);
                }
                // an inline message has nothing to pull
                (Some(_), None) => cx.stats.drop_for(DropReason::Violation),
            }
        }
        self.mark_lost_notifies(cx, now, frame.largest);
    }

    /// A notify is lost if packets well behind its own have arrived, or any packet behind it has
    /// and its time is up: sends it again.
    fn mark_lost_notifies(&mut self, cx: &mut Context, now: Timestamp, largest: PacketNumber) {
        let distance = u64::from(cx.config.reorder_threshold);
        let overdue = now - self.timeout(cx);
        while let Some((slot, sent_at)) = self.oldest_unaccepted() {
            let Some(entry) = self.unaccepted.front() else { break };
            let overtaken = entry.packet + distance <= largest.0;
            let late = entry.packet < largest.0 && sent_at <= overdue;
            if !overtaken && !late {
                break;
            }
            self.unaccepted.pop_front();
            self.repeat_notify(cx, now, slot);
        }
    }

    /// The receiver has the whole message.
    pub(crate) fn on_delivered(&mut self, cx: &mut Context, now: Timestamp, slot: SlotRef) {
        let Some(transfer) = self.outgoing.get(slot) else { return };
        let stream = transfer.stream;
        self.on_success(cx, now);
        self.drop_outgoing(cx, slot);
        self.on_message_delivered(cx, stream, slot);
    }

    /// Forgets a message that is being sent.
    pub(crate) fn drop_outgoing(&mut self, cx: &mut Context, slot: SlotRef) {
        let Some(mut transfer) = self.outgoing.remove(slot) else { return };
        self.unblock_for_slot(cx);
        let (queue, level) = (transfer.priority.level(), transfer.priority.lowered(self.demotion));
        if transfer.notify.sent > 0 && !transfer.notify.accepted {
            // it may never have come: what it took would be lost for good [XFER-2]
            self.notifies_sent = self.notifies_sent.saturating_sub(1);
        }
        self.return_notify_credit(cx, &transfer.notify);
        self.forget_notify(queue, &transfer.notify);
        if let Some(body) = transfer.pulled() {
            if let Some(left) = body.listed.take() {
                self.sends.remove(&mut cx.sends, level, left, slot);
                self.refresh_sends(cx);
            }
            cx.held_credit -= if body.unscheduled { 0 } else { body.backlog() };
            body.release_memory(&mut cx.send_memory);
            cx.disarm(&mut body.quiet_timer);
            cx.wake_stalled_senders();
        }
    }

    /// The receiver asks for bytes.
    pub(crate) fn on_pull(&mut self, cx: &mut Context, now: Timestamp, frame: &PullRequest<'_>) {
        let slot = Self::outgoing_slot(frame.transfer);
        self.on_notify_accepted(cx, slot);
        let Some(transfer) = self.outgoing.get_mut(slot) else {
            self.reset_receiver(cx, frame.transfer);
            return;
        };
        let Some(body) = transfer.pulled() else {
            cx.stats.drop_for(DropReason::Violation);
            return;
        };
        if frame.ranges.within(body.layout.sealed_len()).is_err() {
            cx.stats.drop_for(DropReason::Violation);
            return;
        }
        if let Some(congestion) = &mut self.congestion {
            congestion.limit_rate(now, frame.rate);
        }
        body.active_at = now;
        body.asked = 0;
        body.receiver = Some(frame.receiver);
        let before = if core::mem::take(&mut body.unscheduled) { 0 } else { body.backlog() };
        let mut lost = 0;
        for range in frame.ranges.iter() {
            lost += body.pull(range, frame.retransmission);
        }
        cx.held_credit = cx.held_credit + body.backlog() - before;
        // a receiver that asks is there: on a slow path that loses much, a record takes its time
        let (most, least) = (cx.config.max_repeats, cx.config.idle_timeout * 4);
        if lost > 0 && body.ignored.again(now, most, least) {
            return self.give_up_ignored(cx, now, slot);
        }
        self.on_data_lost(cx, now, lost);
        self.queue_data(cx, slot);
        self.arm_quiet(cx, now, slot);
    }

    /// Puts a transfer among those with data to send.
    pub(crate) fn queue_data(&mut self, cx: &mut Context, slot: SlotRef) {
        let Some(transfer) = self.outgoing.get_mut(slot) else { return };
        let (level, notified) =
            (transfer.priority.lowered(self.demotion), transfer.notify.sent > 0);
        let Some(body) = transfer.pulled() else { return };
        let addressed = body.receiver.is_some() || (body.unscheduled && notified);
        let left = (body.has_wanted() && addressed).then(|| body.unsent());
        if left != body.listed {
            if let Some(old) = core::mem::replace(&mut body.listed, left) {
                self.sends.remove(&mut cx.sends, level, old, slot);
            }
            if let Some(left) = left {
                self.sends.insert(&mut cx.sends, level, left, slot);
            }
        }
        self.refresh_sends(cx);
    }

    /// Takes a transfer out of the order of those with data to send, until it may go on.
    pub(crate) fn unqueue_data(&mut self, cx: &mut Context, slot: SlotRef) {
        let Some(transfer) = self.outgoing.get_mut(slot) else { return };
        let level = transfer.priority.lowered(self.demotion);
        if let Some(old) = transfer.pulled().and_then(|body| body.listed.take()) {
            self.sends.remove(&mut cx.sends, level, old, slot);
        }
        self.refresh_sends(cx);
    }

    /// Brings the peer's place in the order of sends up to date.
    pub(crate) fn refresh_sends(&mut self, cx: &mut Context) {
        let open = self.is_connected() && !self.held_back;
        self.sends.refresh(&mut cx.sends, self.id, open);
    }

    /// What is left of a transfer, if it can send now; the outer `None` if it never will again.
    pub(crate) fn sendable(&self, slot: SlotRef) -> Option<Option<u64>> {
        match &self.outgoing.get(slot)?.body {
            SendBody::Pulled(body) => (body.unsent() > 0).then_some(body.listed),
            _ => None,
        }
    }

    /// Whether all of a transfer was sent at least once.
    pub(crate) fn has_sent_all(&self, slot: SlotRef) -> bool {
        self.sendable(slot).is_none()
    }

    /// The receiver no longer wants bytes.
    pub(crate) fn on_cancel_pull(&mut self, cx: &mut Context, frame: &CancelPull<'_>) {
        let slot = Self::outgoing_slot(frame.transfer);
        if let Some(body) = self.outgoing.get_mut(slot).and_then(SendTransfer::pulled) {
            let before = body.backlog();
            for range in frame.ranges.iter() {
                body.cancel(range);
            }
            cx.held_credit -= if body.unscheduled { 0 } else { before - body.backlog() };
        }
        self.queue_data(cx, slot);
    }

    /// The receiver has opened records.
    pub(crate) fn on_range_ack(&mut self, cx: &mut Context, now: Timestamp, frame: &RangeAck<'_>) {
        let slot = Self::outgoing_slot(frame.transfer);
        self.on_notify_accepted(cx, slot);
        let Some(transfer) = self.outgoing.get_mut(slot) else { return };
        if frame.complete {
            self.on_delivered(cx, now, slot);
            return;
        }
        let Some(body) = transfer.pulled() else {
            cx.stats.drop_for(DropReason::Violation);
            return;
        };
        if frame.ranges.within(body.layout.sealed_len()).is_err() {
            cx.stats.drop_for(DropReason::Violation);
            return;
        }
        body.active_at = now;
        body.asked = 0;
        body.ignored = Ignored::default();
        for range in frame.ranges.iter() {
            body.acknowledge(range, &mut cx.send_memory);
        }
        self.queue_data(cx, slot);
        cx.wake_stalled_senders();
    }

    /// Arms the timer that asks what became of a transfer of which nothing is heard.
    pub(crate) fn arm_quiet(&mut self, cx: &mut Context, now: Timestamp, slot: SlotRef) {
        let timeout = self.timeout(cx);
        let timer = self.timer(TimerKind::Quiet(slot));
        if let Some(body) = self.outgoing.get_mut(slot).and_then(SendTransfer::pulled) {
            let at = now + body.quiet_span(timeout, cx.config.max_timeout);
            cx.arm(&mut body.quiet_timer, at, timer);
        }
    }

    /// A transfer may have fallen silent: repeats its notify, which the receiver answers with the
    /// state it is in. This recovers a lost final acknowledgement. A transfer may also just wait
    /// for its turn, so that the question is asked ever more rarely.
    pub(crate) fn on_quiet_timer(&mut self, cx: &mut Context, now: Timestamp, slot: SlotRef) {
        let timeout = self.timeout(cx);
        let Some(body) = self.outgoing.get_mut(slot).and_then(SendTransfer::pulled) else { return };
        body.quiet_timer = None;
        let wait = body.quiet_span(timeout, cx.config.max_timeout);
        let due = body.active_at + wait;
        if due > now || body.has_wanted() {
            let at = due.max(now + wait / 2);
            let timer = self.timer(TimerKind::Quiet(slot));
            if let Some(body) = self.outgoing.get_mut(slot).and_then(SendTransfer::pulled) {
                cx.arm(&mut body.quiet_timer, at, timer);
            }
            return;
        }
        body.asked += 1;
        if self.last_heard < body.active_at {
            self.on_silence(cx, now);
        }
        self.repeat_notify(cx, now, slot);
        self.arm_quiet(cx, now, slot);
    }

    /// Counts a slice that was handed to the link.
    pub(crate) fn count_slice(stats: &mut Stats, len: u64, retransmission: bool) {
        stats.payload_bytes_sent += len;
        if retransmission {
            stats.retransmitted_bytes += len;
        }
    }
}
