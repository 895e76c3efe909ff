//! Messages on their way from a peer: admit them once, pull them, put them together.

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

use super::{Fate, Peer, Seen};
use crate::{
    endpoint::{
        Destination, DropReason, Event,
        context::{Context, TimerKind},
    },
    id::{Status, StreamHandle, TransferId},
    ranges::ByteRange,
    slots::SlotRef,
    time::Timestamp,
    transfer::{
        layout::Layout,
        receiver::{Details, RecvTransfer, Sink},
    },
    wire::{
        frame::{Body, FlowReset, Side, TransferNotify},
        packet::DataFlags,
    },
};

/// A message that has not opened this often is given up.
const MAX_CORRUPT: u32 = 64;

/// Opened bytes after which an acknowledgement no longer waits for company.
const ACK_QUANTUM: u64 = 512 << 10;

/// Accepts after which they no longer wait for company: they fill about half a packet.
const ACCEPT_BATCH: usize = 64;

/// A slice of a record as a packet brought it.
#[derive(Clone, Copy)]
pub(crate) struct Data<'a> {
    pub(crate) transfer: TransferId,
    pub(crate) position: u64,
    pub(crate) payload: &'a [u8],
    pub(crate) flags: DataFlags,
    /// It met congestion on its way.
    pub(crate) congested: bool,
}

impl Peer {
    /// A message is announced, for the first time or again.
    pub(crate) fn on_notify(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        notify: &TransferNotify<'_>,
    ) {
        let id = notify.transfer;
        if id.slot() >= cx.config.max_transfers {
            cx.stats.drop_for(DropReason::Violation);
            return;
        }
        // [XFER-1]
        let seen = self.seen.get(id.slot() as usize).copied().unwrap_or_default();
        if seen.fate != Fate::Unused {
            if seen.generation == id.generation() {
                self.on_repeated_notify(cx, now, id, notify, seen.fate);
                return;
            }
            if !is_newer(id.generation(), seen.generation) {
                cx.stats.drop_for(DropReason::UnknownTransfer);
                return;
            }
        }
        if self.is_ahead_of_opening(notify) {
            cx.stats.drop_for(DropReason::Early);
            return;
        }
        // [XFER-2]
        if self.notifies_seen >= self.notify_limit_sent {
            cx.stats.drop_for(DropReason::Limit);
            return;
        }
        // the sender uses the slot anew, so it has given up what it used it for before
        if let Fate::Active(slot) = seen.fate
            && let Some(stream) = self.incoming.get(slot).map(|t| t.stream)
        {
            self.on_sender_gone(cx, slot, stream, Status::CANCELLED);
        }
        self.notifies_seen += 1;
        cx.on_announced(now, &mut self.announced, notify.size);
        if self.notifies_seen + cx.notify_credit() / 2 > self.notify_limit_sent {
            self.control.credit_due = true;
            self.hold_acknowledgement(cx, now);
        }
        let generation = id.generation();
        *self.seen.slot_mut(id.slot()) = Seen { generation, fate: Fate::Unused, accept_due: false };
        let fate = self.admit(cx, now, notify);
        self.set_fate(id, fate);
        match fate {
            Fate::Refused(status) => self.refuse(cx, id, status),
            Fate::Active(slot) => {
                self.accept(cx, now, id);
                self.control.flush = true;
                self.wants_to_send(cx);
                if let Body::Pulled { unscheduled: true, .. } = notify.body {
                    self.expect_unscheduled(cx, now, slot);
                }
                self.want_pull(cx, slot);
            }
            _ => self.accept(cx, now, id),
        }
    }

    /// The sender has not heard what became of a message: says it again.
    fn on_repeated_notify(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        id: TransferId,
        notify: &TransferNotify<'_>,
        fate: Fate,
    ) {
        if let Body::Inline(bytes) = notify.body {
            cx.stats.duplicate_bytes += bytes.len() as u64;
        }
        match fate {
            Fate::Refused(status) => self.refuse(cx, id, status),
            _ => {
                self.accept(cx, now, id);
                self.control.flush = true;
                self.wants_to_send(cx);
            }
        }
    }

    /// Whether to take a new message, and how.
    fn admit(&mut self, cx: &mut Context, now: Timestamp, notify: &TransferNotify<'_>) -> Fate {
        // the length of the metadata in front of headers takes two bytes at most
        if notify.metadata.len() > cx.config.max_metadata + 2 {
            return Fate::Refused(Status::TOO_LARGE);
        }
        let ours = notify.stream.opener() == self.role;
        let many = match ours {
            true => notify.pattern.has_many_responses(),
            false => notify.pattern.has_many_requests() && notify.index > 0,
        };
        match (many, ours) {
            (true, _) => self.admit_message(cx, now, notify),
            (false, true) => self.admit_response(cx, now, notify),
            (false, false) => self.admit_request(cx, now, notify),
        }
    }

    /// Prepares to receive a message that has to be pulled; `None` if its key or layout is bad.
    pub(crate) fn begin_incoming(
        &mut self,
        cx: &mut Context,
        notify: &TransferNotify<'_>,
        details: Details,
    ) -> Result<SlotRef, Status> {
        let Body::Pulled { key, first_record, record_log2, buffer, .. } = notify.body else {
            return Err(Status::INVALID);
        };
        let layout = Layout::new(notify.size, record_log2).ok_or(Status::INVALID)?;
        if notify.size == 0 || first_record.checked_add(layout.records()).is_none() {
            return Err(Status::INVALID);
        }
        let key = cx.opening_keys.get(key).map_err(|_| Status::INVALID)?;
        let transfer = RecvTransfer::new(
            notify.stream,
            notify.transfer,
            buffer,
            layout,
            cx.arena.copy(notify.metadata),
            details,
            notify.priority,
            key,
            first_record,
        );
        let need = transfer.unpulled();
        let level = transfer.priority.lowered(self.demotion);
        let slot = self.incoming.insert(transfer).ok_or(Status::OVERLOADED)?;
        cx.pulls.begin(level, need, self.id, slot);
        Ok(slot)
    }

    /// Says where a message goes; from here on it is pulled.
    pub(crate) fn begin_receiving(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        slot: SlotRef,
        destination: Destination,
    ) {
        let Some(transfer) = self.incoming.get_mut(slot) else { return };
        let size = transfer.layout.size();
        let arriving = transfer.begin(now);
        cx.early_bytes -= core::mem::take(&mut arriving.early);
        arriving.sink = Some(match destination {
            Destination::Memory => {
                cx.receive_memory += size;
                Sink::Memory(BytesMut::zeroed(size as usize))
            }
            Destination::Records => Sink::Records { held: 0 },
        });
        self.open_early_records(cx, now, slot);
        self.want_pull(cx, slot);
    }

    /// Takes a message to memory, now or when there is room.
    pub(crate) fn receive_to_memory(&mut self, cx: &mut Context, now: Timestamp, slot: SlotRef) {
        let Some(transfer) = self.incoming.get(slot) else { return };
        if Self::fits_memory(cx, transfer.layout.size()) {
            self.begin_receiving(cx, now, slot, Destination::Memory);
        } else {
            cx.memory_queue.push(transfer.priority.level(), self.id, slot);
        }
    }

    /// Whether a message of `size` bytes can be assembled in memory now.
    pub(crate) fn fits_memory(cx: &Context, size: u64) -> bool {
        size <= cx.config.max_message && cx.receive_memory + size <= cx.config.receive_memory
    }

    /// A slice arrived.
    pub(crate) fn on_data(&mut self, cx: &mut Context, now: Timestamp, data: &Data<'_>) {
        self.progress_at = now;
        self.stalled = false;
        self.note_arrival(cx, now, data.payload.len() as u64);
        let slot = self.data_slot(data);
        if slot.is_none() && self.keep_early(cx, data) {
            return;
        }
        self.take_data(cx, now, slot, data);
        self.refresh_pulls(cx);
    }

    /// Puts a slice to its place, if its transfer wants it.
    pub(super) fn take_data(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        slot: Option<SlotRef>,
        data: &Data<'_>,
    ) {
        let len = data.payload.len() as u64;
        let distance = self.slice_len() as u64 * u64::from(self.reorder.threshold());
        let retransmission = data.flags.contains(DataFlags::RETRANSMISSION);
        let Some((slot, transfer)) =
            slot.and_then(|slot| self.incoming.get_mut(slot).map(|transfer| (slot, transfer)))
        else {
            // the tail of a transfer that is complete or was given up
            cx.stats.duplicate_bytes += len;
            cx.stats.drop_for(DropReason::UnknownTransfer);
            return;
        };
        let stream = StreamHandle { peer: self.id, stream: transfer.stream };
        // [XFER-3]
        let end = data.position.saturating_add(len);
        let Some(arriving) = transfer.arriving().filter(|arriving| end <= arriving.pulled_to)
        else {
            cx.stats.drop_for(DropReason::Violation);
            return;
        };
        let before = arriving.outstanding();
        let events = &mut cx.events;
        let arrival = arriving.arrive(
            now,
            data.position,
            data.payload,
            retransmission,
            &mut cx.records,
            |offset, data| events.push_back(Event::Record { stream, offset, data }),
        );
        let after = arriving.outstanding();
        let lost: SmallVec<[ByteRange; 4]> =
            arriving.lost(distance).into_iter().chain(arrival.corrupt.iter().copied()).collect();
        let complete = arriving.is_complete();
        let ack_now = arriving.unacknowledged.covered() >= ACK_QUANTUM;
        let ack = !arriving.ack_queued && !arriving.unacknowledged.is_empty();
        arriving.ack_queued |= ack;
        let too_corrupt = arriving.corrupt > MAX_CORRUPT;

        cx.stats.payload_bytes_delivered += arrival.fresh;
        cx.stats.duplicate_bytes += len - arrival.fresh;
        let held = data.flags.contains(DataFlags::CONGESTED_SENDER);
        self.share.on_arrival(now, len, held, data.congested, self.rtt.min());
        self.move_outstanding(cx, before, after);
        if let Some(sample) = arrival.rtt_sample {
            self.rtt.update(sample, core::time::Duration::ZERO);
            cx.credit.on_delay(self.rtt.min());
        }
        if retransmission && arrival.fresh > 0 {
            self.reorder.on_real_loss();
        }
        if let Some(range) = arrival.spurious {
            self.on_spurious_repull(cx, slot, range);
        }
        for _ in &arrival.corrupt {
            cx.stats.corrupt_records += 1;
            cx.stats.drop_for(DropReason::CorruptRecord);
        }
        if too_corrupt {
            self.give_up_corrupt(cx, now, slot);
            return;
        }
        if complete {
            self.complete_incoming(cx, now, slot);
        } else {
            if ack {
                self.control.range_acks.push_back(slot);
                self.hold_acknowledgement(cx, now);
            }
            if ack_now {
                self.control.flush = true;
                self.wants_to_send(cx);
            }
            if !lost.is_empty() {
                self.pull_again(cx, now, slot, &lost);
            }
            self.want_pull(cx, slot);
        }
    }

    /// Bytes that were pulled again have come from the first time: they were late, not lost. What
    /// was not sent again yet need not be, and more reordering is put up with.
    fn on_spurious_repull(&mut self, cx: &mut Context, slot: SlotRef, range: ByteRange) {
        cx.stats.spurious_repull_bytes += range.len();
        self.reorder.on_spurious();
        self.wants_to_send(cx);
        if let Some(transfer) = self.incoming.get(slot) {
            let cancel = (transfer.sender, range);
            self.control.rare.get_or_insert_default().cancels.push_back(cancel);
        }
    }

    /// A message is there in whole.
    pub(super) fn complete_incoming(&mut self, cx: &mut Context, now: Timestamp, slot: SlotRef) {
        let Some(mut transfer) = self.forget_incoming(cx, slot) else { return };
        let sender = transfer.sender;
        self.set_fate(sender, Fate::Delivered);
        self.control.completed.push_back(sender);
        self.hold_acknowledgement(cx, now);
        self.on_success(cx, now);
        let body = match transfer.arriving.take().and_then(|arriving| arriving.sink) {
            Some(Sink::Memory(memory)) => Some(memory.freeze()),
            _ => None,
        };
        self.on_message_received(cx, &transfer, body);
    }

    /// A message keeps arriving altered: ends its stream on both sides.
    fn give_up_corrupt(&mut self, cx: &mut Context, now: Timestamp, slot: SlotRef) {
        let Some(transfer) = self.incoming.get(slot) else { return };
        let (stream, sender) = (transfer.stream, transfer.sender);
        self.drop_incoming(cx, slot);
        self.set_fate(sender, Fate::Refused(Status::CORRUPT));
        self.refuse(cx, sender, Status::CORRUPT);
        self.close_stream_by_peer(cx, stream, Status::CORRUPT);
        self.on_message_given_up(cx, now);
    }

    pub(crate) fn set_fate(&mut self, sender: TransferId, fate: Fate) {
        if let Some(seen) = self.seen.transfer_mut(sender) {
            seen.fate = fate;
        }
    }

    /// Forgets a message that is being received; its sender is not told.
    pub(crate) fn drop_incoming(&mut self, cx: &mut Context, slot: SlotRef) {
        if let Some(transfer) = self.forget_incoming(cx, slot) {
            self.set_fate(transfer.sender, Fate::Refused(Status::CANCELLED));
            self.refresh_pulls(cx);
        }
    }

    fn forget_incoming(&mut self, cx: &mut Context, slot: SlotRef) -> Option<RecvTransfer> {
        let mut transfer = self.incoming.remove(slot)?;
        self.move_outstanding(cx, transfer.outstanding(), 0);
        cx.early_bytes -= transfer.early();
        if let Some(need) = transfer.listed.take() {
            self.pulls.remove(&mut cx.pulls, transfer.priority.lowered(self.demotion), need, slot);
        }
        if let Some(Sink::Memory(_)) = transfer.sink() {
            cx.receive_memory -= transfer.layout.size();
        }
        if let Some(arriving) = &mut transfer.arriving {
            arriving.release_buffers(&mut cx.records);
            cx.disarm(&mut arriving.pull_timer);
        }
        Some(transfer)
    }

    /// The application has consumed records.
    pub(crate) fn release_records(&mut self, cx: &mut Context, slot: SlotRef, bytes: u64) {
        if let Some(Sink::Records { held }) =
            self.incoming.get_mut(slot).and_then(RecvTransfer::sink)
        {
            *held = held.saturating_sub(bytes);
        }
        self.want_pull(cx, slot);
    }

    /// Queues the accept of a notify; it rides on the next packet, or leaves by itself soon.
    fn accept(&mut self, cx: &mut Context, now: Timestamp, id: TransferId) {
        if self.control.accepts.is_empty() {
            self.control.oldest_accept = now;
        }
        let Some(seen) = self.seen.transfer_mut(id) else { return };
        if !seen.accept_due {
            seen.accept_due = true;
            self.control.accepts.push_back(id);
        }
        if self.control.accepts.len() >= ACCEPT_BATCH {
            self.control.flush = true;
            self.wants_to_send(cx);
        } else {
            self.hold_acknowledgement(cx, now);
        }
    }

    /// The response to a request tells the peer that the request arrived: no accept is needed.
    pub(crate) fn accept_implicitly(&mut self, sender: TransferId) {
        if let Some(seen) = self.seen.transfer_mut(sender) {
            seen.accept_due = false;
        }
    }

    /// Makes sure that what was received is acknowledged before long.
    pub(crate) fn hold_acknowledgement(&mut self, cx: &mut Context, now: Timestamp) {
        let at = now + cx.config.ack_delay;
        let timer = self.timer(TimerKind::Acknowledge);
        cx.arm(&mut self.timers.acknowledge, at, timer);
    }

    pub(crate) fn refuse(&mut self, cx: &mut Context, transfer: TransferId, status: Status) {
        let reset = FlowReset { transfer, side: Side::Sender, status };
        self.control.rare.get_or_insert_default().resets.push_back(reset);
        self.wants_to_send(cx);
    }

    /// Tells a receiver that we send no such transfer (any more).
    pub(crate) fn reset_receiver(&mut self, cx: &mut Context, transfer: TransferId) {
        let status = Status::UNKNOWN_ID;
        let reset = FlowReset { transfer, side: Side::Receiver, status };
        self.control.rare.get_or_insert_default().resets.push_back(reset);
        cx.stats.drop_for(DropReason::UnknownTransfer);
        self.wants_to_send(cx);
    }

    /// An owned copy of an inline payload.
    pub(crate) fn take_inline(cx: &mut Context, bytes: &[u8]) -> Bytes {
        cx.stats.payload_bytes_delivered += bytes.len() as u64;
        cx.arena.copy(bytes)
    }

    /// The peer asks for a sign of life. The credit in force goes with it: the accept that gave
    /// it may have been lost.
    pub(crate) fn on_probe(&mut self, cx: &mut Context, now: Timestamp, nonce: u64) {
        self.control.probe_response = Some((nonce, now));
        self.control.credit_due = true;
        self.control.flush = true;
        self.wants_to_send(cx);
    }

    /// The peer doubts that a notify was fresh: says whether its transfer is still wanted.
    pub(crate) fn on_challenge(&mut self, cx: &mut Context, transfer: TransferId, nonce: u64) {
        let slot = SlotRef { slot: transfer.slot(), generation: transfer.generation() };
        if self.outgoing.get(slot).is_none() {
            self.reset_receiver(cx, transfer);
            return;
        }
        self.control.rare.get_or_insert_default().challenge_responses.push_back((transfer, nonce));
        self.wants_to_send(cx);
    }
}

/// Whether generation `a` is newer than `b`, by serial-number arithmetic (RFC 1982).
pub(super) fn is_newer(a: u32, b: u32) -> bool {
    let half = 1 << (TransferId::GENERATION_BITS - 1);
    let mask = (1 << TransferId::GENERATION_BITS) - 1;
    a != b && a.wrapping_sub(b) & mask < half
}
