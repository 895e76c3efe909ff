//! One call: where it stands, and the transfers that carry its messages.
//!
//! ```text
//!  opened here            Requesting --response notified--> Answering --opened--> (closed)
//!
//!  opened by the peer     Offered --receive--> Receiving --complete--> Handling
//!                            |  inline: straight to Handling              |
//!                            +---------- respond from any of them --------+--> Responding
//!                                                       response acknowledged: (closed)
//! ```

use crate::{
    endpoint::Destination,
    id::{Pattern, StreamId, TransferId},
    slots::SlotRef,
    wheel::TimerToken,
};

/// A stream that has not had its last event yet.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) id: StreamId,
    pub(crate) pattern: Pattern,
    pub(crate) phase: Phase,
    /// Our message, while it is not acknowledged.
    pub(crate) sending: Option<SlotRef>,
    /// Their message, while it is not complete.
    pub(crate) receiving: Option<SlotRef>,
    /// The sender's name for the request, for streams that the peer opened.
    pub(crate) request: TransferId,
    /// Where the response goes, for streams opened here.
    pub(crate) response: Destination,
    pub(crate) deadline: Option<TimerToken>,
    /// The application knows of the stream, so it is told of its end too.
    pub(crate) announced: bool,
}

/// Where a stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Opened here: the request is on its way or delivered, no response yet.
    Requesting,
    /// Opened here: the response is being pulled.
    Answering,
    /// Opened by the peer: the application has not said where the request goes.
    Offered,
    /// Opened by the peer: the request is being pulled.
    Receiving,
    /// Opened by the peer: the request is complete, the application works on the response.
    Handling,
    /// Opened by the peer: the response is on its way.
    Responding,
}

impl Stream {
    /// A stream opened here whose request travels in `sending`.
    pub(crate) fn opened_here(id: StreamId, pattern: Pattern, response: Destination) -> Self {
        let phase = Phase::Requesting;
        let request = TransferId::default();
        let (sending, receiving, deadline) = (None, None, None);
        let announced = true;
        Self { id, pattern, phase, sending, receiving, request, response, deadline, announced }
    }

    /// A stream that the peer opened with the transfer `request`.
    pub(crate) fn opened_by_peer(
        id: StreamId,
        pattern: Pattern,
        phase: Phase,
        request: TransferId,
    ) -> Self {
        let response = Destination::Memory;
        let (sending, receiving, deadline) = (None, None, None);
        let announced = phase != Phase::Receiving;
        Self { id, pattern, phase, sending, receiving, request, response, deadline, announced }
    }
}
