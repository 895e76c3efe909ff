//! The state machine that joins peers, streams, transfers and timers.

pub mod error;
pub mod input;
pub mod output;
pub mod stats;

use core::net::SocketAddr;

use bytes::Bytes;

pub use error::{
    AddPeerError, NewEndpointError, RespondError, StartError, StreamError, SupplyError,
};
pub use input::{Destination, Open, Payload, Respond};
pub use output::{Event, Outcome, PeerFailure, Transmit, TransmitQueue, WakeReason, Wakeup};
pub use stats::{DropReason, Stats};

use crate::{
    config::Config,
    crypto::{Psk, Seed},
    id::{PeerId, Status, StreamHandle},
    link::DatagramInfo,
    time::Timestamp,
};

/// Peers, streams, transfers and timers of one worker.
///
/// Functions come in four classes: commands (`add_peer`, `open`, `respond`, ...) and `handle_*` take
/// something in, `poll_*` gives something out, bare nouns are getters. One rule governs their
/// order: after every input drain [`Self::poll_transmit`] and [`Self::poll_event`] until they are
/// empty, then wait for the next input or until [`Self::poll_timeout`].
#[derive(Debug)]
pub struct Endpoint {}

#[allow(missing_docs, unused_variables, clippy::todo, reason = "signatures first")]
impl Endpoint {
    pub fn new(
        config: Config,
        psk: Psk,
        seed: Seed,
        now: Timestamp,
    ) -> Result<Self, NewEndpointError> {
        todo!()
    }
    pub fn config(&self) -> &Config {
        todo!()
    }
    pub fn add_peer(&mut self, now: Timestamp, remote: SocketAddr) -> Result<PeerId, AddPeerError> {
        todo!()
    }
    pub fn remove_peer(&mut self, now: Timestamp, peer: PeerId) {
        todo!()
    }
    pub fn open(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        open: Open,
    ) -> Result<StreamHandle, StartError> {
        todo!()
    }
    pub fn supply(
        &mut self,
        now: Timestamp,
        stream: StreamHandle,
        chunk: Bytes,
    ) -> Result<(), SupplyError> {
        todo!()
    }
    pub fn receive(
        &mut self,
        now: Timestamp,
        stream: StreamHandle,
        destination: Destination,
    ) -> Result<(), StreamError> {
        todo!()
    }
    pub fn respond(
        &mut self,
        now: Timestamp,
        stream: StreamHandle,
        respond: Respond,
    ) -> Result<(), RespondError> {
        todo!()
    }
    pub fn release(&mut self, now: Timestamp, stream: StreamHandle, bytes: u64) {
        todo!()
    }
    pub fn cancel(
        &mut self,
        now: Timestamp,
        stream: StreamHandle,
        status: Status,
    ) -> Result<(), StreamError> {
        todo!()
    }
    pub fn handle_datagram(&mut self, now: Timestamp, info: DatagramInfo, data: &mut [u8]) {
        todo!()
    }
    pub fn handle_unreachable(&mut self, now: Timestamp, remote: SocketAddr) {
        todo!()
    }
    pub fn handle_timeout(&mut self, now: Timestamp) {
        todo!()
    }
    /// Fills `out` up to about `budget` bytes; true if there is more to send.
    pub fn poll_transmit(
        &mut self,
        now: Timestamp,
        out: &mut TransmitQueue,
        budget: usize,
    ) -> bool {
        todo!()
    }
    pub fn poll_timeout(&self) -> Option<Wakeup> {
        todo!()
    }
    pub fn poll_event(&mut self) -> Option<Event> {
        todo!()
    }
    pub fn stats(&self) -> &Stats {
        todo!()
    }
}
