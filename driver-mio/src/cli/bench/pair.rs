//! Two endpoints joined in memory.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use dcquic_proto::{
    config::Config,
    crypto::{Psk, Seed},
    endpoint::{Destination, Endpoint, Event, Open, Payload, Respond},
    id::{Pattern, PeerId, Status, StreamHandle},
    link::{DatagramInfo, TransmitQueue},
    time::Timestamp,
};

use crate::cli::failure::Failure;

/// One of the two endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Opens calls.
    Client,
    /// Answers them.
    Server,
}

/// A client and a server endpoint, and memory in place of a network: nothing is lost, delayed or
/// paced. Each datagram is copied once from its sender to its receiver. Both sides call a pair of
/// peers by one address.
pub(crate) struct Pair {
    client: Endpoint,
    server: Endpoint,
    peer: PeerId,
    queue: TransmitQueue,
    datagrams: Vec<u8>,
    started: Instant,
    progressed: Instant,
    /// Datagrams that crossed, both ways.
    pub(crate) packets: u64,
}

impl Pair {
    /// Two endpoints that know each other, past the hello.
    pub(crate) fn connect(config: &Config) -> Result<Self, Failure> {
        let started = Instant::now();
        let endpoint = |seed: u8| {
            let (psk, seed) = (Psk::from_bytes([1; Psk::LEN]), Seed::from_bytes([seed; 32]));
            Endpoint::new(config.clone(), psk, seed, Timestamp::ZERO).map_err(Failure::new)
        };
        let (mut client, server) = (endpoint(2)?, endpoint(3)?);
        let peer = client.add_peer(Timestamp::ZERO, address(0)).map_err(Failure::new)?;
        let mut pair = Self {
            client,
            server,
            peer,
            queue: TransmitQueue::new(),
            datagrams: Vec::new(),
            started,
            progressed: started,
            packets: 0,
        };
        pair.await_connected(2)?;
        Ok(pair)
    }

    /// Waits until `count` more peers are connected, each side's counted.
    fn await_connected(&mut self, count: u64) -> Result<(), Failure> {
        let mut connected = 0;
        while connected < count {
            match self.step()? {
                Some((_, Event::PeerConnected { .. })) => connected += 1,
                Some((_, Event::PeerFailed { cause, .. })) => return Err(Failure::new(cause)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes the endpoints know each other as `count` more peers, a few at a time.
    pub(crate) fn connect_more(&mut self, count: u64) -> Result<(), Failure> {
        for number in 1..=count {
            let now = self.now();
            self.client.add_peer(now, address(number)).map_err(Failure::new)?;
            if number % GREETED_AT_ONCE == 0 || number == count {
                self.await_connected(2 * ((number - 1) % GREETED_AT_ONCE + 1))?;
            }
        }
        Ok(())
    }

    /// The time, as the endpoints see it.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::ZERO + self.started.elapsed()
    }

    /// Opens a call from the client.
    pub(crate) fn open(
        &mut self,
        pattern: Pattern,
        payload: Payload,
    ) -> Result<StreamHandle, Failure> {
        let open = Open { pattern, payload, ..Open::default() };
        let now = self.now();
        self.client.open(now, self.peer, open).map_err(Failure::new)
    }

    /// Has the server take a request record by record.
    pub(crate) fn receive(&mut self, stream: StreamHandle) -> Result<(), Failure> {
        let now = self.now();
        self.server.receive(now, stream, Destination::Records).map_err(Failure::new)
    }

    /// Gives the server's window for `bytes` of a request back.
    pub(crate) fn release(&mut self, stream: StreamHandle, bytes: u64) {
        let now = self.now();
        self.server.release(now, stream, bytes);
    }

    /// Has the server answer a call.
    pub(crate) fn respond(&mut self, stream: StreamHandle, body: Bytes) -> Result<(), Failure> {
        let now = self.now();
        let payload = Payload::Whole(body);
        let respond = Respond { status: Status::OK, metadata: Bytes::new(), payload };
        self.server.respond(now, stream, respond).map_err(Failure::new)
    }

    /// The next event of either side, moving datagrams until there is one; none means that nothing
    /// happened yet, and time should pass.
    pub(crate) fn step(&mut self) -> Result<Option<(Side, Event)>, Failure> {
        loop {
            if let Some(event) = self.server.poll_event() {
                return Ok(Some((Side::Server, event)));
            }
            if let Some(event) = self.client.poll_event() {
                return Ok(Some((Side::Client, event)));
            }
            let now = self.now();
            let moved = self.carry(Side::Client, now) | self.carry(Side::Server, now);
            if moved {
                self.progressed = Instant::now();
                continue;
            }
            let woken = wake(&mut self.client, now) | wake(&mut self.server, now);
            if self.progressed.elapsed() > STALLED {
                return Err(Failure::new("the two endpoints have nothing more to say"));
            }
            if !woken {
                return Ok(None);
            }
        }
    }

    /// Moves what `from` has to send to the other side, at most about one batch.
    fn carry(&mut self, from: Side, now: Timestamp) -> bool {
        let (sender, receiver) = match from {
            Side::Client => (&mut self.client, &mut self.server),
            Side::Server => (&mut self.server, &mut self.client),
        };
        sender.poll_transmit(now, &mut self.queue, BATCH);
        let mut moved = false;
        while let Some(transmit) = self.queue.front() {
            self.datagrams.clear();
            self.queue.copy_to(transmit, &mut self.datagrams);
            let info = DatagramInfo {
                local: Some(transmit.destination),
                remote: transmit.destination,
                ecn: transmit.ecn,
                segment_size: transmit.segment_size,
            };
            let segment = transmit.segment_size.map_or(transmit.len, |size| size.get());
            self.packets += transmit.len.div_ceil(segment.max(1)) as u64;
            self.queue.pop_front();
            receiver.handle_datagram(now, info, &mut self.datagrams);
            moved = true;
        }
        moved
    }
}

/// Fires the timers of `endpoint` that are due.
fn wake(endpoint: &mut Endpoint, now: Timestamp) -> bool {
    let due = endpoint.poll_timeout().is_some_and(|wakeup| wakeup.at <= now);
    if due {
        endpoint.handle_timeout(now);
    }
    due
}

/// What both sides call peer `number`.
fn address(number: u64) -> SocketAddr {
    let [.., a, b, c] = number.to_be_bytes();
    SocketAddr::from(([10, a, b, c], 1))
}

const BATCH: usize = 64 << 10;
const GREETED_AT_ONCE: u64 = 256;
const STALLED: Duration = Duration::from_secs(10);
