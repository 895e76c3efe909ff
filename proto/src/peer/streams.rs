//! Calls with a peer: what the application asks for, and what it is told (spec chapter 5).

use bytes::Bytes;

use super::{Closing, Fate, Peer};
use crate::{
    endpoint::{
        Destination, DropReason, Event, Open, Outcome, Payload, PeerFailure, Respond, RespondError,
        StartError, StreamError, SupplyError,
        context::{Context, TimerKind},
    },
    id::{Status, StreamHandle, StreamId, TransferId},
    slots::SlotRef,
    stream::{Phase, Stream},
    time::Timestamp,
    transfer::{layout::Layout, sender::SendTransfer},
    wire::{
        content::Content,
        frame::{FlowReset, Side, StreamClose},
    },
};

impl Peer {
    pub(super) fn handle(&self, stream: StreamId) -> StreamHandle {
        StreamHandle { peer: self.id, stream }
    }

    pub(super) fn local_slot(id: StreamId) -> SlotRef {
        // a slot's generation has fewer bits than the id has room for
        SlotRef { slot: id.slot(), generation: id.generation() as u32 }
    }

    /// Whether a stream is open, and was opened here.
    pub(crate) fn has_opened(&self, id: StreamId) -> bool {
        id.opener() == self.role && self.local_streams.get(Self::local_slot(id)).is_some()
    }

    /// The stream with this id, whoever opened it.
    pub(crate) fn stream_mut(&mut self, id: StreamId) -> Option<&mut Stream> {
        if id.opener() == self.role {
            self.local_streams.get_mut(Self::local_slot(id))
        } else {
            self.remote_streams.get_mut(id.slot()).filter(|stream| stream.id == id)
        }
    }

    /// Starts a call.
    pub(crate) fn open(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        open: Open,
    ) -> Result<StreamHandle, StartError> {
        check_message(cx, open.metadata.len() + open.headers.len(), &open.payload)?;
        let many = open.pattern.has_many_requests();
        if many && open.payload.size() > 0 {
            return Err(StartError::UnexpectedPayload);
        }
        let limit = self.stream_limit(cx);
        let too_many = StartError::TooManyStreams { limit };
        if self.local_streams.len() >= limit as usize {
            return Err(too_many);
        }
        let causes = self.causes_of(open.token, &open.after)?;
        let was_busy = self.is_busy();
        let (pattern, priority) = (open.pattern, open.priority);
        let credit = self.first_credit();
        let stream = Stream::opened_here(pattern, priority, open.response, credit, &cx.config);
        let slot = self.local_streams.insert(stream).ok_or(too_many)?;
        let id = StreamId::new(self.role, u64::from(slot.generation), slot.slot);
        let (metadata, split) = Content::join(open.metadata, &open.headers);
        let fin = (!many).then_some(Status::OK);
        let mut transfer = SendTransfer::new(id, pattern, priority, metadata, fin, open.payload);
        transfer.content = Content::new(many, split);
        let Some(sending) = self.send_message(cx, now, transfer) else {
            self.local_streams.remove(slot);
            return Err(too_many);
        };
        if !was_busy {
            self.busy_since = now;
        }
        let timer = self.timer(TimerKind::Deadline(id));
        if let Some(stream) = self.local_streams.get_mut(slot) {
            stream.id = id;
            stream.sending = Some(sending);
            if let Some(outbound) = stream.outbound() {
                outbound.on_queued(0, sending, false);
            }
            stream.causes = causes;
            stream.expires = open.deadline;
            if let Some(at) = open.deadline {
                cx.arm(&mut stream.deadline, at, timer);
            }
        }
        cx.stats.streams_opened += 1;
        Ok(self.handle(id))
    }

    /// Whether another stream can be opened, as far as limits go.
    pub(crate) fn has_stream_room(&self, cx: &Context) -> bool {
        self.has_failed()
            || (self.local_streams.len() < self.stream_limit(cx) as usize
                && self.outgoing.len() < self.transfer_limit(cx) as usize)
    }

    fn transfer_limit(&self, cx: &Context) -> u32 {
        if self.is_connected() {
            cx.config.max_transfers.min(self.params.max_transfers)
        } else {
            cx.config.max_transfers
        }
    }

    fn stream_limit(&self, cx: &Context) -> u32 {
        if self.is_connected() {
            cx.config.max_streams.min(self.params.max_streams)
        } else {
            cx.config.max_streams
        }
    }

    /// Streams opened before the hello was answered may be more than the peer turns out to allow.
    pub(crate) fn refuse_slots_beyond_peer_limit(&mut self, cx: &mut Context) {
        let streams = self.params.max_streams.min(self.params.max_transfers);
        for slot in self.local_streams.refs() {
            if slot.slot >= streams
                && let Some(stream) = self.local_streams.get(slot)
            {
                let id = stream.id;
                self.end_stream(cx, id, Outcome::ClosedByPeer(Status::OVERLOADED));
            }
        }
    }

    /// Hands over the next piece of a message.
    pub(crate) fn supply(
        &mut self,
        cx: &mut Context,
        stream: StreamId,
        chunk: Bytes,
    ) -> Result<(), SupplyError> {
        let sending = self.stream_mut(stream).ok_or(SupplyError::UnknownStream)?.sending;
        let slot = sending.ok_or(SupplyError::NotWanted)?;
        let transfer = self.outgoing.get_mut(slot).ok_or(SupplyError::NotWanted)?;
        let body = transfer.pulled().ok_or(SupplyError::NotWanted)?;
        if !body.wants_supply() {
            return Err(SupplyError::NotWanted);
        }
        body.supply(chunk).map_err(|excess| SupplyError::PastEnd { excess })?;
        self.queue_data(cx, slot);
        Ok(())
    }

    /// Says where an offered request goes.
    pub(crate) fn receive(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        stream: StreamId,
        destination: Destination,
    ) -> Result<(), StreamError> {
        let found = self.stream_mut(stream).ok_or(StreamError::UnknownStream)?;
        let (Phase::Offered, Some(slot)) = (found.phase, found.receiving) else {
            return Err(StreamError::WrongState);
        };
        let size = self.incoming.get(slot).map_or(0, |transfer| transfer.layout.size());
        if destination == Destination::Memory && !Self::fits_memory(cx, size) {
            let limit = cx.config.max_message.min(cx.config.receive_memory);
            return Err(StreamError::TooLargeForMemory { size, limit });
        }
        if let Some(found) = self.stream_mut(stream) {
            found.phase = Phase::Receiving;
        }
        self.begin_receiving(cx, now, slot, destination);
        Ok(())
    }

    /// Answers a call, whether or not its request was received.
    pub(crate) fn respond(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        stream: StreamId,
        respond: Respond,
    ) -> Result<(), RespondError> {
        check_message(cx, respond.metadata.len(), &respond.payload)?;
        if stream.opener() == self.role {
            return Err(StreamError::WrongState.into());
        }
        let found = self.stream_mut(stream).ok_or(StreamError::UnknownStream)?;
        if found.phase == Phase::Responding || found.pattern.has_many_responses() {
            return Err(StreamError::WrongState.into());
        }
        let (pattern, priority) = (found.pattern, found.priority);
        let receiving = found.receiving.take();
        let transfer = SendTransfer::new(
            stream,
            pattern,
            priority,
            respond.metadata,
            Some(respond.status),
            respond.payload,
        );
        let limit = cx.config.max_transfers;
        let slot =
            self.send_message(cx, now, transfer).ok_or(StartError::TooManyStreams { limit })?;
        if let Some(found) = self.stream_mut(stream) {
            found.sending = Some(slot);
            found.phase = Phase::Responding;
        }
        if let Some(receiving) = receiving {
            self.drop_incoming(cx, receiving);
        }
        self.note_answered(stream, respond.status);
        self.settle_woken(cx, now);
        Ok(())
    }

    /// The application has consumed records of a message.
    pub(crate) fn release(&mut self, cx: &mut Context, stream: StreamId, bytes: u64) {
        if let Some(slot) = self.stream_mut(stream).and_then(|stream| stream.receiving) {
            self.release_records(cx, slot, bytes);
        }
    }

    /// Gives a call up, on either side.
    pub(crate) fn cancel(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        stream: StreamId,
        status: Status,
        outcome: Outcome,
    ) -> Result<(), StreamError> {
        let found = self.stream_mut(stream).ok_or(StreamError::UnknownStream)?;
        let sending = found.sending;
        // what the peer has never heard of needs no close, unless others depend on it
        let named = found.causes.as_ref().is_some_and(|causes| causes.token.is_some());
        let unknown_to_peer = found.id.opener() == self.role
            && !named
            && sending
                .and_then(|slot| self.outgoing.get(slot))
                .is_some_and(|transfer| transfer.notify.sent == 0);
        self.end_stream(cx, stream, outcome);
        if !unknown_to_peer {
            self.closing.push(Closing { stream, status, queued: true, attempts: 0, ignored: 0 });
            let at = now + self.timeout(cx);
            self.arm_close(cx, at);
            self.arm_idle(cx, now);
            self.wants_to_send(cx);
        }
        self.settle_woken(cx, now);
        Ok(())
    }

    /// A stream's last event; its transfers end with it.
    pub(crate) fn end_stream(&mut self, cx: &mut Context, stream: StreamId, outcome: Outcome) {
        let removed = if stream.opener() == self.role {
            self.local_streams.remove(Self::local_slot(stream))
        } else {
            self.remote_streams.remove(stream)
        };
        let Some(mut removed) = removed else { return };
        if let Some(slot) = removed.sending {
            self.drop_outgoing(cx, slot);
        }
        if let Some(slot) = removed.receiving {
            self.drop_incoming(cx, slot);
        }
        cx.disarm(&mut removed.deadline);
        if let Some(causes) = removed.causes.as_ref().filter(|_| stream.opener() != self.role) {
            self.note_ended(stream, causes);
        }
        if let Some(flow) = removed.flow.take() {
            self.drop_flow(cx, flow);
        }
        cx.stats.streams_closed += 1;
        if removed.announced {
            cx.events.push_back(Event::Closed { stream: self.handle(stream), outcome });
        }
    }

    /// Ends every stream.
    pub(crate) fn close_all_streams(&mut self, cx: &mut Context, cause: PeerFailure) {
        for slot in self.local_streams.refs() {
            if let Some(id) = self.local_streams.get(slot).map(|stream| stream.id) {
                self.end_stream(cx, id, Outcome::PeerFailed(cause));
            }
        }
        for id in self.remote_streams.ids() {
            self.end_stream(cx, id, Outcome::PeerFailed(cause));
        }
    }

    /// The peer has ended a stream, or made it impossible.
    pub(crate) fn close_stream_by_peer(
        &mut self,
        cx: &mut Context,
        stream: StreamId,
        status: Status,
    ) {
        self.end_stream(cx, stream, Outcome::ClosedByPeer(status));
    }

    /// The peer closes a stream.
    pub(crate) fn on_stream_close(&mut self, cx: &mut Context, frame: &StreamClose<'_>) {
        self.control.close_acks.push_back(frame.stream);
        self.wants_to_send(cx);
        if frame.stream.opener() != self.role && self.stream_mut(frame.stream).is_none() {
            // it may be one that others depend on, and never come
            self.received.get_or_insert_default().on_failed(frame.stream);
        }
        // who ends a call has got what opened it, unless that was held back there
        let opening = self.stream_mut(frame.stream).and_then(|stream| stream.sending);
        if frame.status != Status::DEPENDENCY && opening.is_some_and(|slot| self.has_sent_all(slot))
        {
            self.note_sent(cx, frame.stream);
        }
        if let Some(slot) = opening {
            self.on_notify_accepted(cx, slot);
        }
        self.close_stream_by_peer(cx, frame.stream, frame.status);
    }

    /// The peer has seen our close.
    pub(crate) fn on_stream_close_ack(&mut self, stream: StreamId) {
        self.closing.retain(|closing| closing.stream != stream);
    }

    /// The other side of a transfer does not know it, or refuses it.
    pub(crate) fn on_flow_reset(&mut self, cx: &mut Context, frame: &FlowReset) {
        match frame.side {
            Side::Sender => {
                let slot = SlotRef {
                    slot: frame.transfer.slot(),
                    generation: frame.transfer.generation(),
                };
                if let Some(stream) = self.outgoing.get(slot).map(|transfer| transfer.stream) {
                    // who refuses a notify has it
                    self.on_notify_accepted(cx, slot);
                    return self.close_stream_by_peer(cx, stream, frame.status);
                }
            }
            Side::Receiver => {
                if let Some((slot, stream)) = self.incoming_by_sender(frame.transfer) {
                    return self.on_sender_gone(cx, slot, stream, frame.status);
                }
            }
        }
        cx.stats.drop_for(DropReason::UnknownTransfer);
    }

    /// The peer no longer sends a message. That ends its stream, unless it is a request of one that
    /// was answered: whoever has the answer gives up what is left of the requests.
    pub(crate) fn on_sender_gone(
        &mut self,
        cx: &mut Context,
        slot: SlotRef,
        stream: StreamId,
        status: Status,
    ) {
        self.drop_incoming(cx, slot);
        let theirs = stream.opener() != self.role;
        if !(theirs && self.stream_mut(stream).is_some_and(Stream::has_responded)) {
            self.close_stream_by_peer(cx, stream, status);
        }
    }

    /// The incoming transfer with this sender's id.
    pub(crate) fn incoming_by_sender(&self, sender: TransferId) -> Option<(SlotRef, StreamId)> {
        let seen = self.seen.get(sender.slot() as usize)?;
        match seen.fate {
            Fate::Active(slot) if seen.generation == sender.generation() => {
                Some((slot, self.incoming.get(slot)?.stream))
            }
            _ => None,
        }
    }

    /// A call's time is up.
    pub(crate) fn on_deadline(&mut self, cx: &mut Context, now: Timestamp, stream: StreamId) {
        let Some(found) = self.stream_mut(stream) else { return };
        found.deadline = None;
        // the stream is there: it was found
        let _closed = self.cancel(cx, now, stream, Status::DEADLINE, Outcome::Deadline);
    }

    /// A message cannot be sent at all: closes its stream.
    pub(crate) fn give_up_outgoing(&mut self, cx: &mut Context, slot: SlotRef) {
        if let Some(stream) = self.outgoing.get(slot).map(|transfer| transfer.stream) {
            self.end_stream(cx, stream, Outcome::Refused(Status::INTERNAL));
        }
    }
}

pub(super) fn check_message(
    cx: &Context,
    metadata_len: usize,
    payload: &Payload,
) -> Result<(), StartError> {
    let limit = cx.config.max_metadata;
    if metadata_len > limit {
        return Err(StartError::MetadataTooLarge { len: metadata_len, limit });
    }
    let size = payload.size();
    if size > Layout::MAX_SIZE {
        return Err(StartError::MessageTooLarge { size, limit: Layout::MAX_SIZE });
    }
    Ok(())
}
