//! The state machine that joins peers, streams, transfers and timers.

pub mod input;
pub mod output;

pub use input::{Destination, Open, Payload, Respond};
pub use output::{Event, Outcome, PeerFailure, Transmit, TransmitQueue, WakeReason, Wakeup};

/// Placeholder.
#[derive(Debug)]
pub struct Endpoint;
