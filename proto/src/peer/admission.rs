//! Whether a message that a peer announces is taken, and what is told of it.

use bytes::Bytes;

use super::{Fate, Peer, incoming::is_newer};
use crate::{
    endpoint::{Destination, Event, Outcome, context::Context},
    id::{Pattern, Status, StreamId},
    stream::{Phase, Stream},
    time::Timestamp,
    transfer::receiver::{Details, RecvTransfer},
    wire::frame::{Body, TransferNotify},
};

impl Peer {
    /// A new stream's request is announced.
    pub(crate) fn admit_request(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        notify: &TransferNotify<'_>,
    ) -> Fate {
        if notify.index != 0 || !matches!(notify.pattern, Pattern::Unary | Pattern::Bulk) {
            return Fate::Refused(Status::INVALID);
        }
        let id = notify.stream;
        if let Some(old) = self.remote_streams.get(&id.slot()) {
            if old.id == id {
                return Fate::Refused(Status::INVALID);
            }
            if !is_newer(id.generation() as u32, old.id.generation() as u32) {
                // a late notify of a stream that its opener has given up
                return Fate::Refused(Status::CANCELLED);
            }
            let (old_id, responded) = (old.id, old.phase == Phase::Responding);
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
        let fate = self.admit_request_body(cx, now, notify);
        if !matches!(fate, Fate::Refused(_)) {
            if !was_busy {
                self.busy_since = now;
            }
            self.arm_idle(cx, now);
        }
        fate
    }

    fn admit_request_body(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        notify: &TransferNotify<'_>,
    ) -> Fate {
        let (id, pattern, priority) = (notify.stream, notify.pattern, notify.priority);
        let stream = self.handle(id);
        let size = notify.size;
        if let Body::Inline(bytes) = notify.body {
            let body = Some(Self::take_inline(cx, bytes));
            let metadata = cx.arena.copy(notify.metadata);
            let opened = Stream::opened_by_peer(id, pattern, Phase::Handling, notify.transfer);
            self.remote_streams.insert(id.slot(), opened);
            cx.events.push_back(Event::Opened { stream, pattern, priority, metadata, size, body });
            return Fate::Delivered;
        }
        let auto = size <= cx.config.auto_receive && Self::fits_memory(cx, size);
        let details = Details::Request { priority, announced: !auto };
        let slot = match self.begin_incoming(cx, now, notify, details) {
            Ok(slot) => slot,
            Err(status) => return Fate::Refused(status),
        };
        let phase = if auto { Phase::Receiving } else { Phase::Offered };
        let mut opened = Stream::opened_by_peer(id, pattern, phase, notify.transfer);
        opened.receiving = Some(slot);
        self.remote_streams.insert(id.slot(), opened);
        if auto {
            self.begin_receiving(cx, now, slot, Destination::Memory);
        } else {
            let metadata = cx.arena.copy(notify.metadata);
            let body = None;
            cx.events.push_back(Event::Opened { stream, pattern, priority, metadata, size, body });
        }
        Fate::Active(slot)
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
        let (Phase::Requesting, Some(status)) = (found.phase, notify.fin) else {
            return Fate::Refused(Status::INVALID);
        };
        found.phase = Phase::Answering;
        let destination = found.response;
        let sending = found.sending.take();
        if let Some(slot) = sending {
            // whoever answers has what it needs of the request
            self.accepted_at = now;
            self.drop_outgoing(cx, slot);
            self.on_success(cx, now);
        }
        let stream = self.handle(notify.stream);
        let size = notify.size;
        if let Body::Inline(bytes) = notify.body {
            let body = Some(Self::take_inline(cx, bytes));
            let metadata = cx.arena.copy(notify.metadata);
            cx.events.push_back(Event::Response { stream, status, metadata, size, body });
            self.end_stream(cx, notify.stream, Outcome::Complete);
            return Fate::Delivered;
        }
        let fits = destination == Destination::Records || Self::fits_memory(cx, size);
        let begun = if fits {
            self.begin_incoming(cx, now, notify, Details::Response { status })
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
        }
        self.begin_receiving(cx, now, slot, destination);
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
        let Some(found) = self.stream_mut(id) else { return };
        found.receiving = None;
        match transfer.details {
            Details::Request { announced: true, .. } => {
                found.phase = Phase::Handling;
                cx.events.push_back(Event::Received { stream, body });
            }
            Details::Request { priority, announced: false } => {
                found.phase = Phase::Handling;
                found.announced = true;
                let pattern = found.pattern;
                cx.events.push_back(Event::Opened {
                    stream,
                    pattern,
                    priority,
                    metadata,
                    size,
                    body,
                });
            }
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

    /// The peer has the whole of our message.
    pub(crate) fn on_message_delivered(&mut self, cx: &mut Context, stream: StreamId) {
        let Some(found) = self.stream_mut(stream) else { return };
        found.sending = None;
        if found.phase == Phase::Responding {
            self.end_stream(cx, stream, Outcome::Complete);
        }
    }
}
