//! Streams of many messages: what the application sends, and what it is handed in order (spec 5.3).

use bytes::Bytes;

use super::{Fate, Peer, streams::check_message};
use crate::{
    endpoint::{
        DropReason, Event, Message, Outcome, Payload, SendError, StreamError,
        context::{Context, TimerKind},
    },
    id::{Status, StreamId},
    slots::SlotRef,
    stream::{
        Phase,
        flow::{self, Limits},
    },
    time::Timestamp,
    transfer::{
        receiver::{Details, RecvTransfer},
        sender::SendTransfer,
    },
    wire::{
        content::Content,
        frame::{Body, StreamBlocked, StreamCredit, TransferNotify},
    },
};

impl Peer {
    /// What a stream may announce before the peer says more; before there is a session, what
    /// opens it.
    pub(super) fn first_credit(&self) -> Limits {
        if self.is_connected() {
            Limits { messages: self.params.stream_messages, bytes: self.params.stream_bytes }
        } else {
            Limits { messages: 1, bytes: 1 }
        }
    }

    /// The peer has told its limits: streams that were opened before may go on.
    pub(super) fn grant_first_credit(&mut self, cx: &mut Context, now: Timestamp) {
        let credit = self.first_credit();
        for slot in self.local_streams.refs() {
            let Some(stream) = self.local_streams.get_mut(slot) else { continue };
            let id = stream.id;
            let Some(outbound) = stream.outbound() else { continue };
            if outbound.on_credit(credit) {
                self.unblock(cx, id);
            } else if outbound.blocked {
                // the message that opened the stream took all of it: there is somebody to ask now
                self.block(cx, now, id);
            }
        }
    }

    /// Queues the next message of a stream.
    pub(crate) fn send(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        stream: StreamId,
        message: Message,
    ) -> Result<(), SendError> {
        let payload = Payload::Whole(message.body.clone().unwrap_or_default());
        check_message(cx, message.metadata.len(), &payload)?;
        let size = payload.size();
        let here = stream.opener() == self.role;
        let found = self.stream_mut(stream).ok_or(StreamError::UnknownStream)?;
        let (pattern, priority) = (found.pattern, found.priority);
        let outbound = found.outbound().ok_or(StreamError::WrongState)?;
        if outbound.finished {
            return Err(SendError::Finished);
        }
        if !outbound.has_credit() {
            self.block(cx, now, stream);
            return Err(SendError::Blocked);
        }
        let fin = message.fin;
        let mut transfer =
            SendTransfer::new(stream, pattern, priority, message.metadata, fin, payload);
        transfer.index = outbound.next_index();
        transfer.content = Content::new(message.body.is_none(), false);
        let Some(slot) = self.send_message(cx, now, transfer) else {
            self.block_for_slot(stream);
            return Err(SendError::Blocked);
        };
        let Some(found) = self.stream_mut(stream) else { return Ok(()) };
        let mut given_up = None;
        if !here {
            found.phase = Phase::Responding;
            given_up = found.receiving.take();
        }
        if let Some(outbound) = found.outbound() {
            outbound.on_queued(size, slot, fin.is_some());
        }
        if let Some(receiving) = given_up {
            self.drop_incoming(cx, receiving);
        }
        if let Some(status) = fin.filter(|_| !here) {
            self.note_answered(stream, status);
            self.settle_woken(cx, now);
        }
        Ok(())
    }

    /// The application has to wait for credit, and the frame that gives it may get lost.
    fn block(&mut self, cx: &mut Context, now: Timestamp, stream: StreamId) {
        let wait = self.timeout(cx);
        let timer = self.timer(TimerKind::Blocked(stream));
        let connected = self.is_connected();
        if let Some(outbound) = self.stream_mut(stream).and_then(|stream| stream.outbound()) {
            outbound.blocked = true;
            if connected {
                let wait = wait.saturating_mul(2 << outbound.asked.min(16));
                cx.arm(&mut outbound.blocked_timer, now + wait.min(cx.config.max_timeout), timer);
            }
        }
    }

    /// The application has to wait until one of the peer's transfers ends.
    fn block_for_slot(&mut self, stream: StreamId) {
        if let Some(outbound) = self.stream_mut(stream).and_then(|stream| stream.outbound())
            && !outbound.blocked
        {
            outbound.blocked = true;
            let rare = self.control.rare.get_or_insert_default();
            rare.waiting_for_slot.push_back(stream);
        }
    }

    /// A transfer has ended: one of those that wait for its place may try again.
    pub(super) fn unblock_for_slot(&mut self, cx: &mut Context) {
        let rare = self.control.rare.as_mut();
        if let Some(stream) = rare.and_then(|rare| rare.waiting_for_slot.pop_front()) {
            self.unblock(cx, stream);
        }
    }

    /// Tells the application that it may send again, if it waits.
    fn unblock(&mut self, cx: &mut Context, stream: StreamId) {
        let handle = self.handle(stream);
        let Some(outbound) = self.stream_mut(stream).and_then(|stream| stream.outbound()) else {
            return;
        };
        outbound.asked = 0;
        cx.disarm(&mut outbound.blocked_timer);
        if core::mem::take(&mut outbound.blocked) {
            cx.events.push_back(Event::Writable { stream: handle });
        }
    }

    /// Asks for the credit in force [STRM-5].
    pub(super) fn on_blocked_timer(&mut self, cx: &mut Context, now: Timestamp, stream: StreamId) {
        let Some(outbound) = self.stream_mut(stream).and_then(|stream| stream.outbound()) else {
            return;
        };
        outbound.blocked_timer = None;
        if !outbound.blocked {
            return;
        }
        outbound.asked += 1;
        self.control.rare.get_or_insert_default().blocked.push_back(stream);
        self.wants_to_send(cx);
        self.block(cx, now, stream);
    }

    /// The peer grants messages of a stream.
    pub(crate) fn on_stream_credit(&mut self, cx: &mut Context, frame: &StreamCredit) {
        let limit = Limits { messages: frame.messages, bytes: frame.bytes };
        let outbound = self.stream_mut(frame.stream).and_then(|stream| stream.outbound());
        if outbound.is_some_and(|outbound| outbound.on_credit(limit)) {
            self.unblock(cx, frame.stream);
        }
    }

    /// The peer waits for credit: says what it has.
    pub(crate) fn on_stream_blocked(&mut self, cx: &mut Context, frame: StreamBlocked) {
        self.queue_credit(cx, frame.stream);
    }

    fn queue_credit(&mut self, cx: &mut Context, stream: StreamId) {
        if let Some(inbound) = self.stream_mut(stream).and_then(|stream| stream.inbound())
            && !core::mem::replace(&mut inbound.credit_queued, true)
        {
            self.control.rare.get_or_insert_default().credits.push_back(stream);
            self.wants_to_send(cx);
        }
    }

    /// The application has taken messages of a stream.
    pub(crate) fn consume(
        &mut self,
        cx: &mut Context,
        stream: StreamId,
        messages: u64,
        bytes: u64,
    ) {
        let Some(inbound) = self.stream_mut(stream).and_then(|stream| stream.inbound()) else {
            return;
        };
        let freed = inbound.consume(messages, bytes);
        let due = inbound.credit_due();
        cx.receive_memory -= freed;
        if due {
            self.queue_credit(cx, stream);
        }
    }

    /// Whether a message came ahead of the one that opens its stream: it is not known yet what to
    /// do with it, and it is announced again [STRM-3].
    pub(super) fn is_ahead_of_opening(&self, notify: &TransferNotify<'_>) -> bool {
        let id = notify.stream;
        notify.index > 0
            && id.opener() != self.role
            && self.remote_streams.get(id.slot()).is_none_or(|stream| {
                super::incoming::is_newer(id.generation() as u32, stream.id.generation() as u32)
            })
    }

    /// A message of a stream of many is announced.
    pub(super) fn admit_message(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        notify: &TransferNotify<'_>,
    ) -> Fate {
        let (id, index, size) = (notify.stream, notify.index, notify.size);
        let Some(content) = Content::from_wire(notify.content_type) else {
            return Fate::Refused(Status::INVALID);
        };
        if content.is_split() || (content.is_headers_only() && size > 0) {
            return Fate::Refused(Status::INVALID);
        }
        if size > cx.config.max_message.min(cx.config.receive_memory) {
            return Fate::Refused(Status::TOO_LARGE);
        }
        let pattern = notify.pattern;
        // [STRM-1]
        let Some(found) = self.stream_mut(id) else { return Fate::Refused(Status::CANCELLED) };
        let same = found.pattern == pattern;
        let Some(inbound) = found.inbound().filter(|_| same) else {
            return Fate::Refused(Status::INVALID);
        };
        if inbound.announce(index, size, notify.fin.is_some()).is_err() {
            cx.stats.drop_for(DropReason::Violation);
            return Fate::Refused(Status::INVALID);
        }
        if id.opener() == self.role {
            self.on_first_response(cx, now, id);
        }
        let fin = notify.fin;
        if let Body::Inline(bytes) = notify.body {
            let body = (!content.is_headers_only()).then(|| Self::take_inline(cx, bytes));
            let metadata = cx.arena.copy(notify.metadata);
            self.on_message_complete(cx, id, index, flow::Message { metadata, body, fin });
            return Fate::Delivered;
        }
        let details = Details::Message { index, fin };
        let slot = match self.begin_incoming(cx, notify, details) {
            Ok(slot) => slot,
            Err(status) => return Fate::Refused(status),
        };
        if let Some(inbound) = self.stream_mut(id).and_then(|stream| stream.inbound()) {
            inbound.on_pulled(index, slot);
        }
        self.receive_to_memory(cx, now, slot);
        Fate::Active(slot)
    }

    /// The peer has begun to answer: it has what it needs of the message that opened the stream.
    pub(super) fn on_first_response(&mut self, cx: &mut Context, now: Timestamp, id: StreamId) {
        let Some(found) = self.stream_mut(id) else { return };
        if found.phase != Phase::Requesting {
            return;
        }
        found.phase = Phase::Answering;
        if let Some(slot) = found.sending.take() {
            if let Some(outbound) = found.outbound() {
                outbound.on_delivered(slot);
            }
            self.accepted_at = now;
            self.on_notify_accepted(cx, slot);
            self.drop_outgoing(cx, slot);
            self.on_success(cx, now);
            self.note_sent(cx, id);
        }
    }

    /// The peer has what opened a stream.
    pub(super) fn note_sent(&mut self, cx: &mut Context, id: StreamId) {
        let stream = self.handle(id);
        let ours = id.opener() == self.role;
        let causes = self.stream_mut(id).and_then(|stream| stream.causes.as_ref());
        if ours && causes.is_some_and(|causes| causes.token.is_some()) {
            cx.events.push_back(Event::Sent { stream });
        }
    }

    /// A message of a stream of many was pulled.
    pub(super) fn on_message_pulled(
        &mut self,
        cx: &mut Context,
        transfer: &RecvTransfer,
        index: u64,
        fin: Option<Status>,
        body: Option<Bytes>,
    ) {
        let metadata = transfer.metadata.clone();
        let body = Some(body.unwrap_or_default());
        self.on_message_complete(cx, transfer.stream, index, flow::Message { metadata, body, fin });
    }

    /// Hands over a message, and those behind it that waited for it.
    fn on_message_complete(
        &mut self,
        cx: &mut Context,
        id: StreamId,
        index: u64,
        message: flow::Message,
    ) {
        let stream = self.handle(id);
        let Some(inbound) = self.stream_mut(id).and_then(|stream| stream.inbound()) else { return };
        cx.receive_memory += message.body.as_ref().map_or(0, Bytes::len) as u64;
        inbound.on_complete(index, message);
        let mut last = false;
        while let Some(inbound) = self.stream_mut(id).and_then(|stream| stream.inbound())
            && let Some(flow::Message { metadata, body, fin }) = inbound.poll_message()
        {
            last = fin.is_some();
            self.push_event(cx, id, Event::Message { stream, metadata, body, fin });
        }
        if last && id.opener() == self.role {
            self.end_stream(cx, id, Outcome::Complete);
        }
    }

    /// Gives back what a stream that ends holds.
    pub(super) fn drop_flow(&mut self, cx: &mut Context, mut ended: Box<flow::Flow>) {
        if let Some(outbound) = &mut ended.outbound {
            cx.disarm(&mut outbound.blocked_timer);
            let active: Vec<SlotRef> = outbound.active().to_vec();
            for slot in active {
                self.drop_outgoing(cx, slot);
            }
        }
        if let Some(inbound) = &ended.inbound {
            cx.receive_memory -= inbound.held;
            let receiving: Vec<SlotRef> = inbound.receiving().collect();
            for slot in receiving {
                self.drop_incoming(cx, slot);
            }
        }
    }
}
