//! One call: where it stands, and the transfers that carry its messages.
//!
//! ```text
//!  opened here            Requesting --response notified--> Answering --last one there--> (closed)
//!
//!  opened by the peer     Offered --receive--> Receiving --complete--> Handling
//!                            |  inline, or many requests: straight to Handling
//!                            +------------ respond or send, from any of them --> Responding
//!                                                    last response acknowledged: (closed)
//! ```

pub(crate) mod flow;
pub(crate) mod remote;

use flow::{Flow, Inbound, Limits, Outbound};
use smallvec::SmallVec;

use crate::{
    config::Config,
    endpoint::{Destination, Event},
    id::{Pattern, Priority, StreamId, TransferId},
    slots::SlotRef,
    time::Timestamp,
    wheel::TimerToken,
    wire::frame::Dependency,
};

/// A stream that has not had its last event yet.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) id: StreamId,
    pub(crate) pattern: Pattern,
    pub(crate) phase: Phase,
    pub(crate) priority: Priority,
    /// Our single message, or the one that opened the stream, while it is not acknowledged.
    pub(crate) sending: Option<SlotRef>,
    /// Their single message, while it is not complete.
    pub(crate) receiving: Option<SlotRef>,
    /// The sender's name for the message that opened the stream, if the peer did.
    pub(crate) request: TransferId,
    /// Where the response goes, for streams opened here.
    pub(crate) response: Destination,
    /// When it is given up.
    pub(crate) expires: Option<Timestamp>,
    pub(crate) deadline: Option<TimerToken>,
    /// The application knows of the stream, so it is told of its end too.
    pub(crate) announced: bool,
    /// What it depends on, and whether others may depend on it.
    pub(crate) causes: Option<Box<Causes>>,
    /// The directions of many messages, if the pattern has any.
    pub(crate) flow: Option<Box<Flow>>,
}

/// How a stream hangs together with others.
#[derive(Debug)]
pub(crate) struct Causes {
    /// Its name, if others may depend on it.
    pub(crate) token: Option<u64>,
    /// What must come before it, and has not.
    pub(crate) dependencies: SmallVec<[Dependency; 2]>,
    /// What has come before it, or will never.
    pub(crate) passed: SmallVec<[StreamId; 2]>,
    /// What the application will be told when it has.
    pub(crate) held: Vec<Event>,
}

/// Where a stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Opened here: the request is on its way or delivered, no response yet.
    Requesting,
    /// Opened here: responses are coming.
    Answering,
    /// Opened by the peer: the application has not said where the request goes.
    Offered,
    /// Opened by the peer: the request is being pulled.
    Receiving,
    /// Opened by the peer: the application works on the response.
    Handling,
    /// Opened by the peer: responses are on their way.
    Responding,
}

impl Stream {
    /// A stream opened here.
    pub(crate) fn opened_here(
        pattern: Pattern,
        priority: Priority,
        response: Destination,
        credit: Limits,
        config: &Config,
    ) -> Self {
        let outbound = pattern.has_many_requests().then(|| Outbound::new(credit));
        let inbound = pattern.has_many_responses().then(|| inbound(config));
        let (id, request) = (StreamId::default(), TransferId::default());
        let phase = Phase::Requesting;
        let stream = Self::new(id, pattern, priority, phase, request, flow(outbound, inbound));
        Self { response, ..stream }
    }

    /// A stream that the peer opened with the transfer `request`.
    pub(crate) fn opened_by_peer(
        id: StreamId,
        pattern: Pattern,
        priority: Priority,
        phase: Phase,
        request: TransferId,
        credit: Limits,
        config: &Config,
    ) -> Self {
        let outbound = pattern.has_many_responses().then(|| Outbound::new(credit));
        let inbound = pattern.has_many_requests().then(|| inbound(config));
        Self::new(id, pattern, priority, phase, request, flow(outbound, inbound))
    }

    fn new(
        id: StreamId,
        pattern: Pattern,
        priority: Priority,
        phase: Phase,
        request: TransferId,
        flow: Option<Box<Flow>>,
    ) -> Self {
        Self {
            id,
            pattern,
            phase,
            priority,
            sending: None,
            receiving: None,
            request,
            response: Destination::Memory,
            expires: None,
            deadline: None,
            announced: phase != Phase::Receiving,
            causes: None,
            flow,
        }
    }

    /// The messages that this side sends, if they are many.
    pub(crate) fn outbound(&mut self) -> Option<&mut Outbound> {
        self.flow.as_mut()?.outbound.as_mut()
    }

    /// The messages that the peer sends, if they are many.
    pub(crate) fn inbound(&mut self) -> Option<&mut Inbound> {
        self.flow.as_mut()?.inbound.as_mut()
    }

    /// Whether the peer has all that this side had to send.
    pub(crate) fn has_responded(&mut self) -> bool {
        self.phase == Phase::Responding && self.outbound().is_none_or(|outbound| outbound.finished)
    }
}

fn flow(outbound: Option<Outbound>, inbound: Option<Inbound>) -> Option<Box<Flow>> {
    (outbound.is_some() || inbound.is_some()).then(|| Box::new(Flow { outbound, inbound }))
}

fn inbound(config: &Config) -> Inbound {
    let window = Limits { messages: config.stream_messages, bytes: config.stream_bytes };
    let (messages, bytes) = config.first_stream_credit();
    Inbound::new(Limits { messages, bytes }, window)
}
