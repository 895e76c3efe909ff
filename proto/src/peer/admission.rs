//! Whether a message that a peer announces is taken, and what is told of it.

use bytes::Bytes;

use super::{Fate, Peer, incoming::is_newer};
use crate::{
    endpoint::{
        Destination, Event, Offer, Outcome,
        context::{Context, TimerKind},
    },
    id::{Status, StreamId},
    slots::SlotRef,
    stream::{Phase, Stream},
    time::Timestamp,
    transfer::receiver::{Details, RecvTransfer},
    wire::{
        content::Content,
        frame::{Body, TransferNotify},
    },
};

impl Peer {
    /// A new stream's request is announced.
    pub(crate) fn admit_request(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        notify: &TransferNotify<'_>,
    ) -> Fate {
        let (id, many) = (notify.stream, notify.pattern.has_many_requests());
        // [STRM-2] a single request is the first and last one; many are opened by a message without
        // payload
        let Some(content) = Content::from_wire(notify.content_type).filter(|content| {
            content.is_headers_only() == many
                && notify.fin.is_some() != many
                && (!many || notify.size == 0)
                && notify.dependencies.len() <= super::causes::MAX_DEPENDENCIES
                && (!content.is_split() || Content::split(notify.metadata).is_some())
        }) else {
            return Fate::Refused(Status::INVALID);
        };
        if notify.index != 0 {
            return Fate::Refused(Status::INVALID);
        }
        if let Some(old) = self.remote_streams.get_mut(id.slot()) {
            if old.id == id {
                return Fate::Refused(Status::INVALID);
            }
            if !is_newer(id.generation() as u32, old.id.generation() as u32) {
                // a late notify of a stream that its opener has given up
                return Fate::Refused(Status::CANCELLED);
            }
            let (old_id, responded) = (old.id, old.has_responded());
            // the opener uses the slot anew: for it the old stream is over
            let outcome = if responded {
                Outcome::Complete
            } else {
                Outcome::ClosedByPeer(Status::CANCELLED)
            };
            self.end_stream(cx, old_id, outcome);
        }
        if self.remote_streams.len() >= cx.config.max_streams as usize {
            return Fate::Refused(Status::OVERLOADED);
        }
        let was_busy = self.is_busy();
        let fate = self.admit_request_body(cx, now, notify, content);
        if !matches!(fate, Fate::Refused(_)) {
            if !was_busy {
                self.busy_since = now;
            }
            self.arm_idle(cx, now);
        }
        fate
    }

    /// Takes down a stream that the peer opens; false if there are too many. The caller's deadline
    /// holds here too.
    fn add_stream(
        &mut self,
        cx: &mut Context,
        notify: &TransferNotify<'_>,
        stream: Stream,
    ) -> bool {
        let (id, expires) = (stream.id, stream.expires);
        if !self.remote_streams.insert(stream) {
            return false;
        }
        let timer = self.timer(TimerKind::Deadline(id));
        if let (Some(at), Some(stream)) = (expires, self.stream_mut(id)) {
            cx.arm(&mut stream.deadline, at, timer);
        }
        self.note_causes(notify);
        true
    }

    fn admit_request_body(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        notify: &TransferNotify<'_>,
        content: Content,
    ) -> Fate {
        let (id, pattern, priority) = (notify.stream, notify.pattern, notify.priority);
        let size = notify.size;
        let credit = self.first_credit();
        let expires =
            notify.remaining_lifetime_us.map(|us| now + core::time::Duration::from_micros(us));
        let opened = |phase, config: &_| {
            let request = notify.transfer;
            let stream =
                Stream::opened_by_peer(id, pattern, priority, phase, request, credit, config);
            Stream { expires, ..stream }
        };
        if let Body::Inline(bytes) = notify.body {
            let mut stream = opened(Phase::Handling, &cx.config);
            let body = match stream.inbound() {
                // the message that opens the stream is the first of its direction, and taken
                Some(inbound) => {
                    if inbound.announce(0, 0, false).is_err() {
                        return Fate::Refused(Status::INVALID);
                    }
                    inbound.skip_opening();
                    None
                }
                None => Some(Self::take_inline(cx, bytes)),
            };
            let metadata = cx.arena.copy(notify.metadata);
            if !self.add_stream(cx, notify, stream) {
                return Fate::Refused(Status::OVERLOADED);
            }
            self.announce_stream(cx, id, content, metadata, size, body);
            return Fate::Delivered;
        }
        let auto = size <= cx.config.auto_receive && Self::fits_memory(cx, size);
        let details = Details::Request { announced: !auto, content };
        let slot = match self.begin_incoming(cx, notify, details) {
            Ok(slot) => slot,
            Err(status) => return Fate::Refused(status),
        };
        let phase = if auto { Phase::Receiving } else { Phase::Offered };
        let mut stream = opened(phase, &cx.config);
        stream.receiving = Some(slot);
        if !self.add_stream(cx, notify, stream) {
            self.drop_incoming(cx, slot);
            return Fate::Refused(Status::OVERLOADED);
        }
        if auto {
            self.begin_receiving(cx, now, slot, Destination::Memory);
        } else {
            let metadata = cx.arena.copy(notify.metadata);
            self.announce_stream(cx, id, content, metadata, size, None);
        }
        Fate::Active(slot)
    }

    /// Tells the application of a stream that the peer opened; `field` holds the metadata, and
    /// headers if `content` says so.
    fn announce_stream(
        &mut self,
        cx: &mut Context,
        id: StreamId,
        content: Content,
        field: Bytes,
        size: u64,
        body: Option<Bytes>,
    ) {
        let stream = self.handle(id);
        let Some(found) = self.stream_mut(id) else { return };
        let (metadata, headers) = split_metadata(field, content);
        let offer = Offer {
            pattern: found.pattern,
            priority: found.priority,
            after: Vec::new(),
            metadata,
            headers,
            size,
            token: found.causes.as_ref().and_then(|causes| causes.token),
            expires: found.expires,
        };
        self.push_event(cx, id, Event::Opened { stream, offer, body });
    }

    /// The response to a stream of ours is announced.
    pub(crate) fn admit_response(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        notify: &TransferNotify<'_>,
    ) -> Fate {
        let Some(found) = self.local_streams.get_mut(Self::local_slot(notify.stream)) else {
            return Fate::Refused(Status::CANCELLED);
        };
        let (Phase::Requesting, Some(status), 0, None) =
            (found.phase, notify.fin, notify.index, notify.content_type)
        else {
            return Fate::Refused(Status::INVALID);
        };
        if found.pattern != notify.pattern {
            return Fate::Refused(Status::INVALID);
        }
        let destination = found.response;
        self.on_first_response(cx, now, notify.stream);
        let stream = self.handle(notify.stream);
        let size = notify.size;
        if let Body::Inline(bytes) = notify.body {
            let body = Some(Self::take_inline(cx, bytes));
            let metadata = cx.arena.copy(notify.metadata);
            cx.events.push_back(Event::Response { stream, status, metadata, size, body });
            self.end_stream(cx, notify.stream, Outcome::Complete);
            return Fate::Delivered;
        }
        let largest = cx.config.max_message.min(cx.config.receive_memory);
        let fits = destination == Destination::Records || size <= largest;
        let begun = if fits {
            self.begin_incoming(cx, notify, Details::Response { status })
        } else {
            Err(Status::TOO_LARGE)
        };
        let slot = match begun {
            Ok(slot) => slot,
            Err(status) => {
                self.end_stream(cx, notify.stream, Outcome::Refused(status));
                return Fate::Refused(status);
            }
        };
        if let Some(found) = self.local_streams.get_mut(Self::local_slot(notify.stream)) {
            found.receiving = Some(slot);
        }
        if destination == Destination::Records {
            let metadata = cx.arena.copy(notify.metadata);
            cx.events.push_back(Event::Response { stream, status, metadata, size, body: None });
            self.begin_receiving(cx, now, slot, destination);
        } else {
            self.receive_to_memory(cx, now, slot);
        }
        Fate::Active(slot)
    }

    /// A pulled message is complete; `body` holds it if it went to memory.
    pub(crate) fn on_message_received(
        &mut self,
        cx: &mut Context,
        transfer: &RecvTransfer,
        body: Option<Bytes>,
    ) {
        let id = transfer.stream;
        let stream = self.handle(id);
        let size = transfer.layout.size();
        let metadata = transfer.metadata.clone();
        if let Details::Message { index, fin } = transfer.details {
            self.on_message_pulled(cx, transfer, index, fin, body);
            return;
        }
        let Some(found) = self.stream_mut(id) else { return };
        found.receiving = None;
        match transfer.details {
            Details::Request { announced: true, .. } => {
                found.phase = Phase::Handling;
                self.push_event(cx, id, Event::Received { stream, body });
            }
            Details::Request { announced: false, content } => {
                found.phase = Phase::Handling;
                found.announced = true;
                self.announce_stream(cx, id, content, metadata, size, body);
            }
            Details::Message { .. } => {}
            Details::Response { status } => {
                let event = match body {
                    Some(body) => {
                        Event::Response { stream, status, metadata, size, body: Some(body) }
                    }
                    None => Event::Received { stream, body: None },
                };
                cx.events.push_back(event);
                self.end_stream(cx, id, Outcome::Complete);
            }
        }
    }

    /// The peer has the whole of a message of ours.
    pub(crate) fn on_message_delivered(
        &mut self,
        cx: &mut Context,
        stream: StreamId,
        slot: SlotRef,
    ) {
        let Some(found) = self.stream_mut(stream) else { return };
        let opening = found.sending == Some(slot);
        if opening {
            found.sending = None;
        }
        if let Some(outbound) = found.outbound() {
            outbound.on_delivered(slot);
        }
        let done = found.outbound().is_none_or(|outbound| outbound.is_done());
        if done && found.phase == Phase::Responding {
            self.end_stream(cx, stream, Outcome::Complete);
        } else if opening {
            self.note_sent(cx, stream);
        }
    }
}

/// Metadata and headers of a notify's field.
fn split_metadata(field: Bytes, content: Content) -> (Bytes, Bytes) {
    match Content::split(&field).filter(|_| content.is_split()) {
        Some((start, len)) => (field.slice(start..start + len), field.slice(start + len..)),
        None => (field, Bytes::new()),
    }
}
