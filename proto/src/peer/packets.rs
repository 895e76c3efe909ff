//! Control packets for a peer, full of frames.

use smallvec::SmallVec;

use super::{Peer, RareQueues, Session};
use crate::{
    crypto::SealError,
    endpoint::{TransmitQueue, context::Context},
    id::{BufferId, PathId},
    link::{DatagramInfo, Ecn},
    ranges::{ByteRange, RangeSet},
    slots::SlotRef,
    stream::flow::Limits,
    time::Timestamp,
    transfer::sender::{SendBody, SendTransfer},
    wire::{
        frame::{
            Accepted, ArrivalReport, Body, BufferFull, CancelPull, Dependency, Encode, List, Probe,
            ProbeResponse, PullRequest, RangeAck, StreamBlocked, StreamClose, StreamCloseAck,
            StreamCredit, TransferAccept, TransferChallengeResponse, TransferNotify, Writer,
        },
        packet::{CONTROL_OVERHEAD, PACKET_HEADER_LEN},
    },
};

/// Control packets written in a row before other peers get their turn.
const CONTROL_BURST: usize = 16;

/// Ranges in one frame at most; more go into the next packet.
const MAX_RANGES: usize = 32;

/// An upper bound for the encoded size of one accepted transfer, and of the frame around them.
const ACCEPTED_LEN: usize = 17;
const ACCEPT_FRAME_LEN: usize = 48;

impl Peer {
    /// Writes what waits but data: hello, or control packets.
    ///
    /// # Errors
    /// Packets can no longer be sealed.
    pub(crate) fn write_control_packets(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        out: &mut TransmitQueue,
    ) -> Result<(), SealError> {
        if let Session::Hello { initiator, send, .. } = &self.session {
            if *send {
                let packet = initiator.packet();
                let mut builder = out.build();
                builder.header(packet.len()).copy_from_slice(packet);
                builder.finish(self.remote, Ecn::NotEct, None, now);
                cx.stats.hellos_sent += 1;
                cx.stats.datagrams_sent += 1;
                cx.stats.bytes_sent += packet.len() as u64;
                self.on_hello_sent(cx, now);
            }
            return Ok(());
        }
        for _ in 0..CONTROL_BURST {
            if !self.has_control_to_send() || !self.write_control(cx, now, out)? {
                return Ok(());
            }
        }
        if self.has_control_to_send() {
            self.wants_to_send(cx);
        }
        Ok(())
    }

    /// Whether a control packet should leave now. Acknowledgements alone wait until they must.
    fn has_control_to_send(&self) -> bool {
        let control = &self.control;
        let acks = !control.accepts.is_empty()
            || !control.completed.is_empty()
            || !control.range_acks.is_empty()
            || control.credit_due
            || self.arrived_bytes > self.reported_bytes;
        (acks && control.flush)
            || !control.pulls.is_empty()
            || !control.close_acks.is_empty()
            || control.rare.as_ref().is_some_and(|rare| rare.has_frames())
            || control.probe.is_some()
            || control.probe_response.is_some()
            || self.closing.iter().any(|closing| closing.queued)
            || self.next_notify().is_some()
    }

    /// Writes one control packet; false if there was nothing to write after all.
    fn write_control(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        out: &mut TransmitQueue,
    ) -> Result<bool, SealError> {
        let room = self.max_datagram;
        let mut builder = out.build();
        let packet = builder.header(room);
        let mut writer = Writer::new(&mut packet[PACKET_HEADER_LEN..room - 16]);
        // a frame that finds no room stays queued for the next packet
        let _full = self.write_frames(cx, now, &mut writer);
        let frames_len = writer.len();
        if frames_len == 0 {
            builder.abandon();
            return Ok(false);
        }
        builder.truncate_header(CONTROL_OVERHEAD + frames_len);
        let Session::Connected { keys, .. } = &mut self.session else {
            builder.abandon();
            return Ok(false);
        };
        let sealed = keys.seal_control(PathId::ZERO, builder.last_header(), frames_len);
        let number = match sealed {
            Ok(number) => number,
            Err(error) => {
                builder.abandon();
                return Err(error);
            }
        };
        let len = builder.len();
        builder.finish(self.remote, Ecn::Ect0, None, now);
        cx.stats.datagrams_sent += 1;
        cx.stats.bytes_sent += len as u64;
        let mut notified = core::mem::take(&mut cx.scratch.notified);
        for slot in notified.drain(..) {
            self.on_notify_sent(cx, now, slot, number);
        }
        cx.scratch.notified = notified;
        Ok(true)
    }

    fn write_frames(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        writer: &mut Writer<'_>,
    ) -> Result<(), BufferFull> {
        self.write_arrival_report(writer)?;
        self.write_range_acks(cx, writer)?;
        self.write_stream_frames(writer)?;
        self.write_probes(now, writer)?;
        self.write_pulls(cx, writer)?;
        self.write_notifies(cx, now, writer)?;
        // behind the notifies: a response that was just written accepts its request by itself
        self.write_accepts(cx, now, writer)?;
        self.control.flush = false;
        Ok(())
    }

    fn write_arrival_report(&mut self, writer: &mut Writer<'_>) -> Result<(), BufferFull> {
        if self.arrived_bytes > self.reported_bytes {
            let (arrived_bytes, ce_count) = (self.arrived_bytes, self.ce_count);
            let largest = self.control.largest;
            ArrivalReport { arrived_bytes, ce_count, largest }.encode(writer)?;
            self.reported_bytes = arrived_bytes;
        }
        Ok(())
    }

    fn write_range_acks(
        &mut self,
        cx: &mut Context,
        writer: &mut Writer<'_>,
    ) -> Result<(), BufferFull> {
        while let Some(&transfer) = self.control.completed.front() {
            range_ack(transfer, &[], true).encode(writer)?;
            self.control.completed.pop_front();
        }
        while let Some(&slot) = self.control.range_acks.front() {
            if let Some(transfer) = self.incoming.get_mut(slot)
                && let Some(arriving) = &mut transfer.arriving
            {
                let ranges = &mut cx.scratch.ranges;
                ranges.clear();
                if let Some(opened) = ByteRange::new(0, arriving.opened_to()) {
                    arriving.unacknowledged.remove(opened);
                    ranges.push(opened);
                }
                ranges.extend(arriving.unacknowledged.iter().take(MAX_RANGES - 1));
                if !ranges.is_empty() {
                    range_ack(transfer.sender, ranges, false).encode(writer)?;
                }
                for &range in ranges.iter() {
                    arriving.unacknowledged.remove(range);
                }
                arriving.ack_queued = !arriving.unacknowledged.is_empty();
                if arriving.ack_queued {
                    continue;
                }
            }
            self.control.range_acks.pop_front();
        }
        Ok(())
    }

    fn write_accepts(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        writer: &mut Writer<'_>,
    ) -> Result<(), BufferFull> {
        let grant = cx.unscheduled_bytes();
        let delay_us = now.saturating_since(self.control.oldest_accept).as_micros() as u64;
        loop {
            let fit = writer.remaining().saturating_sub(ACCEPT_FRAME_LEN) / ACCEPTED_LEN;
            // a running count: what was once granted stays granted
            let limit = (self.notifies_seen + cx.notify_credit()).max(self.notify_limit_sent);
            let accepted = &mut cx.scratch.accepted;
            accepted.clear();
            while accepted.len() < fit
                && let Some(sender) = self.control.accepts.pop_front()
            {
                let Some(seen) = self.seen.transfer_mut(sender).filter(|seen| seen.accept_due)
                else {
                    continue;
                };
                seen.accept_due = false;
                let receiver = match seen.fate {
                    super::Fate::Active(slot) => Some(Self::incoming_id(slot)),
                    _ => None,
                };
                accepted.push(Accepted { sender, receiver });
            }
            if accepted.is_empty() && !self.control.credit_due {
                return if self.control.accepts.is_empty() { Ok(()) } else { Err(BufferFull) };
            }
            TransferAccept {
                accepted: List::Slice(accepted),
                notify_credit: limit,
                unscheduled_bytes: grant,
                largest: self.control.largest,
                delay_us,
            }
            .encode(writer)?;
            self.notify_limit_sent = limit;
            self.grant_told = grant;
            self.control.credit_due = false;
        }
    }

    fn write_stream_frames(&mut self, writer: &mut Writer<'_>) -> Result<(), BufferFull> {
        let mut rare = self.control.rare.as_mut();
        while let Some(rare) = rare.as_mut()
            && let Some(reset) = rare.resets.front()
        {
            reset.encode(writer)?;
            rare.resets.pop_front();
        }
        while let Some(&stream) = self.control.close_acks.front() {
            StreamCloseAck { stream }.encode(writer)?;
            self.control.close_acks.pop_front();
        }
        for closing in self.closing.iter_mut().filter(|closing| closing.queued) {
            let (stream, status) = (closing.stream, closing.status);
            StreamClose { stream, status, reason: &[] }.encode(writer)?;
            closing.queued = false;
            closing.attempts += 1;
        }
        self.write_rare_frames(writer)
    }

    fn write_rare_frames(&mut self, writer: &mut Writer<'_>) -> Result<(), BufferFull> {
        let Some(mut rare) = self.control.rare.take() else { return Ok(()) };
        let written = self.write_frames_of(&mut rare, writer);
        self.control.rare = Some(rare);
        written
    }

    fn write_frames_of(
        &mut self,
        rare: &mut RareQueues,
        writer: &mut Writer<'_>,
    ) -> Result<(), BufferFull> {
        while let Some(&stream) = rare.credits.front() {
            if let Some(inbound) = self.stream_mut(stream).and_then(|stream| stream.inbound()) {
                let Limits { messages, bytes } = inbound.credit();
                StreamCredit { stream, bytes, messages, lifetime_us: 0 }.encode(writer)?;
                inbound.on_credit_told();
            }
            rare.credits.pop_front();
        }
        while let Some(&stream) = rare.blocked.front() {
            StreamBlocked { stream }.encode(writer)?;
            rare.blocked.pop_front();
        }
        while let Some(&(transfer, nonce)) = rare.challenge_responses.front() {
            TransferChallengeResponse { transfer, nonce }.encode(writer)?;
            rare.challenge_responses.pop_front();
        }
        Ok(())
    }

    fn write_probes(&mut self, now: Timestamp, writer: &mut Writer<'_>) -> Result<(), BufferFull> {
        if let Some((nonce, at)) = self.control.probe_response {
            let delay_us = now.saturating_since(at).as_micros() as u64;
            ProbeResponse { nonce, delay_us }.encode(writer)?;
            self.control.probe_response = None;
        }
        if let Some(nonce) = self.control.probe {
            Probe { nonce }.encode(writer)?;
            self.control.probe = None;
        }
        Ok(())
    }

    fn write_pulls(&mut self, cx: &mut Context, writer: &mut Writer<'_>) -> Result<(), BufferFull> {
        let mut rare = self.control.rare.as_mut();
        while let Some(rare) = rare.as_mut()
            && let Some(&(transfer, range)) = rare.cancels.front()
        {
            CancelPull { transfer, ranges: List::Slice(&[range]) }.encode(writer)?;
            rare.cancels.pop_front();
        }
        let rate = cx.config.link_rate;
        while let Some(&first) = self.control.pulls.front() {
            let mut set = RangeSet::default();
            let mut taken = 0;
            for pull in self.control.pulls.iter().take(MAX_RANGES) {
                if pull.transfer != first.transfer || pull.again != first.again {
                    break;
                }
                set.insert(pull.range);
                taken += 1;
            }
            if let Some(transfer) = self.incoming.get(first.transfer) {
                let ranges = &mut cx.scratch.ranges;
                ranges.clear();
                ranges.extend(set.iter());
                PullRequest {
                    transfer: transfer.sender,
                    receiver: Self::incoming_id(first.transfer),
                    buffer: transfer.buffer,
                    ranges: List::Slice(ranges),
                    rate,
                    lifetime_us: 0,
                    retransmission: first.again,
                    path: None,
                }
                .encode(writer)?;
            }
            self.control.pulls.drain(..taken);
        }
        Ok(())
    }

    fn write_notifies(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        writer: &mut Writer<'_>,
    ) -> Result<(), BufferFull> {
        while let Some(place) = self.next_notify()
            && let Some(&slot) = self.notify_queue.front(place)
        {
            if self.outgoing.get(slot).is_none() {
                self.notify_queue.discard(place);
                continue;
            }
            if !self.decide_body(cx, now, slot) {
                self.notify_queue.serve(place);
                if let Some(transfer) = self.outgoing.get_mut(slot) {
                    transfer.notify.queued = false;
                }
                self.give_up_outgoing(cx, slot);
                continue;
            }
            self.wait_to_be_asked(cx, now, slot);
            let opening = self.opening(now, slot);
            if let Some(transfer) = self.outgoing.get(slot) {
                let first_of_slot = transfer.notify.sent == 0;
                notify_frame(slot, transfer, &opening).encode(writer)?;
                let stream = transfer.stream;
                if stream.opener() != self.role
                    && let Some(request) = self.stream_mut(stream).map(|stream| stream.request)
                {
                    self.accept_implicitly(request);
                }
                cx.scratch.notified.push(slot);
                // counted now, so that one packet does not spend the same credit twice
                self.notifies_sent += u64::from(first_of_slot);
            }
            self.notify_queue.serve(place);
        }
        if !self.notify_queue.is_empty() {
            let at = now + self.timeout(cx);
            self.arm_notify(cx, at);
        }
        Ok(())
    }

    /// What only the message says that opens a stream of ours.
    fn opening(&mut self, now: Timestamp, slot: SlotRef) -> Opening {
        let Some(transfer) = self.outgoing.get(slot) else { return Opening::default() };
        let (id, first) = (transfer.stream, transfer.index == 0);
        if !first || id.opener() != self.role {
            return Opening::default();
        }
        let Some(stream) = self.stream_mut(id) else { return Opening::default() };
        let causes = stream.causes.as_ref();
        Opening {
            token: causes.and_then(|causes| causes.token),
            dependencies: causes.map(|causes| causes.dependencies.clone()).unwrap_or_default(),
            // [STRM-6]
            lifetime_us: stream.expires.map(|at| at.saturating_since(now).as_micros() as u64),
        }
    }

    /// Tells the peer what it may send unasked, if that has changed much.
    pub(crate) fn tell_grant(&mut self, cx: &mut Context, grant: u64) {
        if self.is_connected() && (grant >= 2 * self.grant_told || grant <= self.grant_told / 2) {
            self.control.credit_due = true;
            self.control.flush = true;
            self.wants_to_send(cx);
        }
    }

    /// Counts a packet that arrived, and what the network says with it.
    pub(crate) fn on_arrival(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        info: &DatagramInfo,
        len: usize,
    ) {
        let congested = info.ecn == Ecn::Ce;
        if congested {
            self.ce_count += 1;
            cx.stats.ce_received += 1;
        }
        cx.on_arrival(now, len as u64, congested);
    }

    /// The wire's name for one of our incoming transfers.
    fn incoming_id(slot: SlotRef) -> crate::id::TransferId {
        crate::id::TransferId::new(super::WORKER, slot.generation, slot.slot)
    }
}

fn range_ack<'a>(
    transfer: crate::id::TransferId,
    ranges: &'a [ByteRange],
    complete: bool,
) -> RangeAck<'a> {
    RangeAck { transfer, ranges: List::Slice(ranges), complete, occupancy: 0 }
}

/// What only the message says that opens a stream.
#[derive(Default)]
struct Opening {
    token: Option<u64>,
    dependencies: SmallVec<[Dependency; 2]>,
    lifetime_us: Option<u64>,
}

fn notify_frame<'a>(
    slot: SlotRef,
    transfer: &'a SendTransfer,
    opening: &'a Opening,
) -> TransferNotify<'a> {
    let body = match &transfer.body {
        SendBody::Pulled(body) => Body::Pulled {
            key: body.key.key_bytes(),
            first_record: body.key.first_record(),
            record_log2: body.layout.log2(),
            buffer: BufferId(0),
            memory_key: None,
            unscheduled: body.unscheduled,
        },
        SendBody::Inline(bytes) => Body::Inline(bytes),
        // decided before a frame is made of it
        SendBody::Undecided(_) => Body::Inline(&[]),
    };
    TransferNotify {
        transfer: Peer::outgoing_id(slot),
        stream: transfer.stream,
        index: transfer.index,
        size: transfer.size,
        priority: transfer.priority,
        pattern: transfer.pattern,
        fin: transfer.fin,
        metadata: &transfer.metadata,
        causality: opening.token,
        dependencies: List::Slice(&opening.dependencies),
        remaining_lifetime_us: opening.lifetime_us,
        reliability: crate::wire::frame::Reliability::Reliable,
        content_type: transfer.content.to_wire(),
        body,
    }
}
