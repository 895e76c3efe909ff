//! quinn-proto as a [`Host`]: QUIC as most would use it, driven by its senders.
//!
//! It is the baseline that a receiver-driven transport is compared with, so it must be as good as a
//! user who knows the network would make it. Windows never limit, 20,000 streams may be open, the
//! MTU and the round trip are right from the start, ECN is on, nothing is probed, and peers answer
//! within 1 ms. Hosts that talk share one connection, which exists before anything is measured, and
//! each message is a unidirectional stream. What cannot be set remains: quinn declares no loss by
//! time and sends no probe within 1 ms. Timers tick every 1 ms, as under tokio, and at every host
//! with another phase. See [`QuinnSettings`] for what each choice is worth.
//!
//! # What is counted
//!
//! [`Counters::payload_sent`] is exact: the bytes of messages in the STREAM frames of all packets
//! sealed so far, repetitions included and headers of any kind excluded. The `meter` module sees
//! them as they pass to the cipher. The useful share of a run is what its receivers delivered over
//! what its senders sent, as with every other host. [`Counters::duplicate`] is what was opened and
//! not handed over: at the end of a run the repetitions, before that also what waits behind a gap.
//!
//! # Determinism
//!
//! Times, addresses and lengths are the same in every run; bytes are not, since TLS draws its keys
//! from the operating system. [`Congestion::Bbr`] has an exception of its own.

use core::{net::SocketAddr, time::Duration};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Instant,
};

use bytes::BytesMut;
use dcquic_proto::{link::Ecn, time::Timestamp};
use quinn_proto::{
    ClientConfig, ConnectionHandle, DatagramEvent, EcnCodepoint, Endpoint, Incoming, Transmit,
    VarInt,
};

use self::{identity::SERVER_NAME, meter::Meter, session::Session, sessions::Sessions};
use super::{Counters, Host, Notice, Order};

mod cid;
mod config;
mod frames;
mod identity;
mod message;
mod meter;
mod session;
mod sessions;

pub use config::{Congestion, QuinnError, QuinnSettings, QuinnShared};

#[cfg(test)]
mod tests;

/// Datagrams that a connection sends before the next one has its turn, as many as quinn gives to
/// one segmented send.
const TURN_DATAGRAMS: usize = 10;

/// A datagram without stream data counts as control up to this size; larger are handshakes.
const MAX_CONTROL: usize = 256;

/// A host whose transport is quinn.
pub struct QuinnHost {
    local: SocketAddr,
    epoch: Instant,
    endpoint: Endpoint,
    client: ClientConfig,
    meter: Arc<Meter>,
    sessions: Sessions,
    /// The connection that messages to a peer take.
    routes: BTreeMap<SocketAddr, ConnectionHandle>,
    /// Datagrams that no session sends.
    responses: VecDeque<(SocketAddr, Vec<u8>)>,
    notices: VecDeque<Notice>,
    /// Where quinn writes a datagram.
    scratch: Vec<u8>,
    counters: Counters,
}

impl QuinnHost {
    /// A host at address `local`. Hosts of a run need different seeds.
    ///
    /// # Errors
    /// quinn refuses its configuration.
    pub fn new(shared: &QuinnShared, local: SocketAddr, seed: u64) -> Result<Self, QuinnError> {
        let meter = Arc::new(Meter::default());
        Ok(Self {
            local,
            epoch: shared.epoch,
            endpoint: shared.endpoint(seed, &meter)?,
            client: shared.client(seed, &meter),
            meter,
            sessions: Sessions::new(shared.clock(seed)),
            routes: BTreeMap::new(),
            responses: VecDeque::new(),
            notices: VecDeque::new(),
            scratch: Vec::new(),
            counters: Counters::default(),
        })
    }

    fn instant(&self, now: Timestamp) -> Instant {
        self.epoch + Duration::from_nanos(now.as_nanos())
    }

    /// The session that leads to `peer`, begun if there is none.
    fn route(&mut self, now: Timestamp, peer: SocketAddr) -> Option<ConnectionHandle> {
        if let Some(&handle) = self.routes.get(&peer)
            && self.is_usable(handle)
        {
            return Some(handle);
        }
        let (now, client) = (self.instant(now), self.client.clone());
        // the only causes are an impossible address and no connection ids left
        let (handle, quic) = self.endpoint.connect(now, client, peer, SERVER_NAME).ok()?;
        self.routes.insert(peer, handle);
        self.sessions.insert(handle, Session::new(quic, peer));
        self.drive(handle, None);
        Some(handle)
    }

    fn is_usable(&mut self, handle: ConnectionHandle) -> bool {
        self.sessions.get(handle).is_some_and(|session| session.is_usable())
    }

    /// Accepts a peer's connection, and decides which one to use if there is one to it already.
    fn accept(&mut self, now: Instant, incoming: Incoming) {
        let peer = incoming.remote_address();
        let mut response = Vec::new();
        let accepted = self.endpoint.accept(incoming, now, &mut response, None);
        let Ok((handle, quic)) = accepted else {
            // what quinn answers, if anything, tells the peer why
            self.responses.extend((!response.is_empty()).then_some((peer, response)));
            return;
        };
        self.sessions.insert(handle, Session::new(quic, peer));
        self.drive(handle, None);
        let own = self.routes.get(&peer).copied().filter(|own| self.is_usable(*own));
        // both may connect at once: both then use the one from the lower address
        if own.is_some() && self.local < peer {
            return;
        }
        self.routes.insert(peer, handle);
        let moved = own.and_then(|own| self.sessions.get(own)).map(Session::take_waiting);
        for order in moved.into_iter().flatten() {
            self.begin(handle, order);
        }
    }

    fn begin(&mut self, handle: ConnectionHandle, order: Order) {
        if let Some(session) = self.sessions.get(handle) {
            session.start(order, &mut self.notices);
        }
        self.drive(handle, None);
    }

    /// Carries events between a session and the endpoint until both are quiet, and queues the
    /// session for sending. `called_at` is as for [`Sessions::set_timer`].
    fn drive(&mut self, handle: ConnectionHandle, called_at: Option<Instant>) {
        let Some(session) = self.sessions.get(handle) else { return };
        loop {
            if let Some(event) = session.quic.poll_endpoint_events() {
                if let Some(event) = self.endpoint.handle_event(handle, event) {
                    session.quic.handle_event(event);
                }
            } else if let Some(event) = session.quic.poll() {
                session.on_event(event, &mut self.notices);
            } else {
                break;
            }
        }
        self.sessions.queue(handle);
        self.sessions.set_timer(handle, called_at);
    }

    /// Sends the datagrams of one session's turn; returns how many bytes they have.
    fn take_turn(
        &mut self,
        now: Instant,
        handle: ConnectionHandle,
        budget: usize,
        send: &mut dyn FnMut(SocketAddr, Ecn, Vec<u8>, bool),
    ) -> usize {
        let mut sent = 0;
        for _ in 0..TURN_DATAGRAMS {
            let Some(size) = self.transmit(now, handle, send) else {
                self.sessions.set_timer(handle, None);
                if self.sessions.get(handle).is_some_and(|session| session.quic.is_drained()) {
                    self.remove(handle);
                }
                return sent;
            };
            sent += size;
            if sent >= budget {
                break;
            }
        }
        self.sessions.set_timer(handle, None);
        self.sessions.queue(handle);
        sent
    }

    /// Sends one datagram of a session, if it has any; returns its length.
    fn transmit(
        &mut self,
        now: Instant,
        handle: ConnectionHandle,
        send: &mut dyn FnMut(SocketAddr, Ecn, Vec<u8>, bool),
    ) -> Option<usize> {
        let frames_before = self.meter.frames_sent.load(Relaxed);
        self.scratch.clear();
        let Transmit { destination, ecn, size, .. } =
            self.sessions.get(handle)?.quic.poll_transmit(now, 1, &mut self.scratch)?;
        let is_data = self.meter.frames_sent.load(Relaxed) != frames_before;
        // quinn reserves the MTU for each: keep that for the next one if this one is small
        let datagram = if size < self.scratch.capacity() / 2 {
            self.scratch.clone()
        } else {
            std::mem::take(&mut self.scratch)
        };
        self.counters.datagrams_out += 1;
        self.counters.bytes_out += size as u64;
        send(destination, to_ecn(ecn), datagram, !is_data && size <= MAX_CONTROL);
        Some(size)
    }

    fn remove(&mut self, handle: ConnectionHandle) {
        let Some(session) = self.sessions.remove(handle) else { return };
        self.counters.payload_delivered += session.delivered;
        if self.routes.get(&session.peer) == Some(&handle) {
            self.routes.remove(&session.peer);
        }
    }
}

impl Host for QuinnHost {
    fn connect(&mut self, now: Timestamp, peer: SocketAddr) {
        if self.route(now, peer).is_none() {
            self.notices.push_back(Notice::PeerFailed { peer });
        }
    }

    fn start(&mut self, now: Timestamp, order: Order) {
        match self.route(now, order.to) {
            Some(handle) => self.begin(handle, order),
            None => {
                let cause = "quinn cannot connect".to_owned();
                self.notices.push_back(Notice::Failed { transfer: order.transfer, cause });
            }
        }
    }

    fn handle(&mut self, now: Timestamp, from: SocketAddr, ecn: Ecn, payload: &mut [u8]) {
        self.counters.datagrams_in += 1;
        self.counters.bytes_in += payload.len() as u64;
        let (now, data) = (self.instant(now), BytesMut::from(&payload[..]));
        let mut response = Vec::new();
        match self.endpoint.handle(now, from, None, from_ecn(ecn), data, &mut response) {
            Some(DatagramEvent::ConnectionEvent(handle, event)) => {
                if let Some(session) = self.sessions.get(handle) {
                    session.quic.handle_event(event);
                    self.drive(handle, None);
                }
            }
            Some(DatagramEvent::NewConnection(incoming)) => self.accept(now, incoming),
            Some(DatagramEvent::Response(to)) => {
                self.responses.push_back((to.destination, response));
            }
            None => {}
        }
    }

    fn handle_timeout(&mut self, now: Timestamp) {
        let now = self.instant(now);
        for handle in self.sessions.take_due(now) {
            if let Some(session) = self.sessions.get(handle) {
                session.quic.handle_timeout(now);
                self.drive(handle, Some(now));
            }
        }
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        let deadline = self.sessions.deadline()?;
        let nanos = deadline.saturating_duration_since(self.epoch).as_nanos();
        Some(Timestamp::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    fn poll_transmit(
        &mut self,
        now: Timestamp,
        budget: usize,
        send: &mut dyn FnMut(SocketAddr, Ecn, Vec<u8>, bool),
    ) -> bool {
        let now = self.instant(now);
        let mut sent = 0;
        while sent < budget
            && let Some((to, datagram)) = self.responses.pop_front()
        {
            sent += datagram.len();
            self.counters.datagrams_out += 1;
            self.counters.bytes_out += datagram.len() as u64;
            send(to, Ecn::NotEct, datagram, true);
        }
        while sent < budget
            && let Some(handle) = self.sessions.next_turn()
        {
            sent += self.take_turn(now, handle, budget - sent, send);
        }
        self.sessions.has_turns() || !self.responses.is_empty()
    }

    fn poll_notice(&mut self, _now: Timestamp) -> Option<Notice> {
        self.notices.pop_front()
    }

    fn counters(&self) -> Counters {
        let open: u64 = self.sessions.iter().map(|session| session.delivered).sum();
        let delivered = self.counters.payload_delivered + open;
        Counters {
            payload_sent: self.meter.sent.load(Relaxed),
            payload_delivered: delivered,
            retransmitted: self.meter.resent.load(Relaxed),
            duplicate: self.meter.received.load(Relaxed).saturating_sub(delivered),
            ..self.counters
        }
    }

    fn finish(&mut self, now: Timestamp) -> Vec<String> {
        let now = self.instant(now);
        let mut problems = Vec::new();
        for session in self.sessions.iter_mut() {
            let (outgoing, incoming) = session.unfinished();
            if outgoing + incoming > 0 {
                let peer = session.peer;
                problems
                    .push(format!("with {peer}: {outgoing} sent, {incoming} received not done"));
            }
            session.quic.close(now, VarInt::from_u32(0), bytes::Bytes::new());
        }
        let unreadable = self.meter.unreadable.load(Relaxed);
        if unreadable > 0 {
            problems.push(format!("{unreadable} packets whose payload could not be counted"));
        }
        problems
    }

    fn deterministic_bytes(&self) -> bool {
        false
    }
}

fn to_ecn(ecn: Option<EcnCodepoint>) -> Ecn {
    ecn.map_or(Ecn::NotEct, |ecn| Ecn::from_bits(ecn as u8))
}

fn from_ecn(ecn: Ecn) -> Option<EcnCodepoint> {
    EcnCodepoint::from_bits(ecn.bits())
}
