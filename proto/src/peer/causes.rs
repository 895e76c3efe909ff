//! Streams that depend on others of the same peer: notified and pulled at once, handed to the
//! application in their order (spec 7.5).

use smallvec::SmallVec;

use super::{Closing, Peer};
use crate::{
    causality::received::{Received, Verdict},
    endpoint::{After, Event, Outcome, StartError, context::Context},
    id::{Status, StreamId},
    stream::{Causes, Stream},
    time::Timestamp,
    wire::frame::{Dependency, TransferNotify},
};

/// Dependencies of one stream at most: a notify has to hold them.
pub(crate) const MAX_DEPENDENCIES: usize = 64;

impl Peer {
    /// What a stream that is opened here depends on, as its notify tells.
    pub(super) fn causes_of(
        &self,
        token: Option<u64>,
        after: &[After],
    ) -> Result<Option<Box<Causes>>, StartError> {
        if token.is_none() && after.is_empty() {
            return Ok(None);
        }
        if after.len() > MAX_DEPENDENCIES {
            return Err(StartError::TooManyDependencies { limit: MAX_DEPENDENCIES });
        }
        let mut dependencies = SmallVec::new();
        for After { stream, kind } in after {
            let id = stream.stream;
            if stream.peer != self.id || !self.has_opened(id) {
                return Err(StartError::UnknownDependency);
            }
            dependencies.push(Dependency { token: id.0, kind: *kind });
        }
        Ok(Some(Box::new(Causes {
            token,
            dependencies,
            passed: SmallVec::new(),
            held: Vec::new(),
        })))
    }

    /// Takes down what a new stream of the peer's depends on.
    pub(super) fn note_causes(&mut self, notify: &TransferNotify<'_>) {
        if notify.causality.is_none() && notify.dependencies.is_empty() {
            return;
        }
        let id = notify.stream;
        let mut dependencies = SmallVec::<[Dependency; 2]>::new();
        for dependency in notify.dependencies.iter() {
            // one call may be named in several ways
            if !dependencies.iter().any(|other| other.token == dependency.token) {
                self.received().wait(StreamId(dependency.token), id);
            }
            dependencies.push(dependency);
        }
        if notify.causality.is_some() {
            self.received().on_announced(id);
        }
        let token = notify.causality;
        let causes = Causes { token, dependencies, passed: SmallVec::new(), held: Vec::new() };
        if let Some(stream) = self.remote_stream(id) {
            stream.causes = Some(Box::new(causes));
        }
    }

    fn received(&mut self) -> &mut Received {
        self.received.get_or_insert_default()
    }

    fn remote_stream(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.remote_streams.get_mut(id.slot()).filter(|stream| stream.id == id)
    }

    /// Hands an event of a stream to the application, now or when the stream may begin [CAUS-10].
    pub(super) fn push_event(&mut self, cx: &mut Context, id: StreamId, event: Event) {
        if let Some(stream) = self.remote_stream(id)
            && let Some(causes) = stream.causes.as_mut()
            && !causes.dependencies.is_empty()
        {
            stream.announced = false;
            causes.held.push(event);
            self.settle(cx, id);
        } else {
            self.emit(cx, id, event);
        }
    }

    /// Hands over an event of a stream that may begin.
    fn emit(&mut self, cx: &mut Context, id: StreamId, mut event: Event) {
        let causes = self.remote_stream(id).and_then(|stream| stream.causes.as_mut());
        if let Some(causes) = causes {
            let has_token = causes.token.is_some();
            if let Event::Opened { offer, .. } = &mut event {
                let passed = core::mem::take(&mut causes.passed);
                let open = passed.into_iter().filter(|call| self.is_open(*call));
                offer.after = open.map(|call| self.handle(call)).collect();
            }
            if has_token && event.delivers_request() {
                self.received().on_delivered(id);
            }
        }
        cx.events.push_back(event);
    }

    /// Looks at what a stream still waits for; begins or ends it if that is decided.
    fn settle(&mut self, cx: &mut Context, id: StreamId) {
        // a stream with dependencies has made it
        let received = self.received.get_or_insert_default();
        let Some(stream) = self.remote_streams.get_mut(id.slot()).filter(|s| s.id == id) else {
            return;
        };
        let Some(causes) = stream.causes.as_mut() else { return };
        let mut failed = false;
        let mut settled = SmallVec::<[StreamId; 2]>::new();
        causes.dependencies.retain(|dependency| {
            let call = StreamId(dependency.token);
            let verdict = received.check(call, dependency.kind);
            failed |= verdict == Verdict::Failed;
            if verdict != Verdict::Waiting {
                settled.push(call);
            }
            verdict == Verdict::Waiting
        });
        for call in settled {
            // the same call may still be waited for in another way
            if !causes.dependencies.iter().any(|dependency| dependency.token == call.0)
                && !causes.passed.contains(&call)
            {
                received.stop_waiting(call, id);
                causes.passed.push(call);
            }
        }
        if failed {
            self.fail_dependant(cx, id);
        } else if causes.dependencies.is_empty() {
            self.begin(cx, id);
        }
    }

    /// Nothing is in the way of a stream any more. A request that is still being pulled announces
    /// itself when it is there.
    fn begin(&mut self, cx: &mut Context, id: StreamId) {
        let Some(stream) = self.remote_stream(id) else { return };
        let Some(causes) = stream.causes.as_mut() else { return };
        let held = core::mem::take(&mut causes.held);
        stream.announced |= !held.is_empty();
        for event in held {
            self.emit(cx, id, event);
        }
    }

    fn is_open(&self, id: StreamId) -> bool {
        self.remote_streams.get(id.slot()).is_some_and(|stream| stream.id == id)
    }

    /// What a stream depends on has failed: it ends before the application has heard of it.
    fn fail_dependant(&mut self, cx: &mut Context, id: StreamId) {
        self.end_stream(cx, id, Outcome::Refused(Status::DEPENDENCY));
        let status = Status::DEPENDENCY;
        self.closing.push(Closing { stream: id, status, queued: true, attempts: 0, ignored: 0 });
        self.wants_to_send(cx);
    }

    /// Begins or ends the streams for which something has changed: one at a time, however long the
    /// chain is.
    pub(crate) fn settle_woken(&mut self, cx: &mut Context, now: Timestamp) {
        let closing = self.closing.len();
        while let Some((id, call)) = self.received.as_mut().and_then(|r| r.next_woken()) {
            self.settle(cx, id);
            let received = self.received.get_or_insert_default();
            let stream = self.remote_streams.get(id.slot()).filter(|stream| stream.id == id);
            if let Some(causes) = stream.and_then(|stream| stream.causes.as_ref())
                && causes.dependencies.iter().any(|dependency| dependency.token == call.0)
            {
                received.wait(call, id);
            }
        }
        if self.closing.len() > closing {
            let at = now + self.timeout(cx);
            self.arm_close(cx, at);
        }
    }

    /// The application has answered a stream of the peer's.
    pub(super) fn note_answered(&mut self, id: StreamId, status: Status) {
        let causes = self.remote_stream(id).and_then(|stream| stream.causes.as_ref());
        if causes.is_some_and(|causes| causes.token.is_some()) {
            self.received().on_answered(id, status.is_ok());
        }
    }

    /// A stream of the peer's has ended, answered or not.
    pub(super) fn note_ended(&mut self, id: StreamId, causes: &Causes) {
        if causes.token.is_some() {
            self.received().on_failed(id);
        }
        for dependency in &causes.dependencies {
            self.received().stop_waiting(StreamId(dependency.token), id);
        }
    }
}
