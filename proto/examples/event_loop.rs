//! The core in an event loop of one's own: two sockets, one thread, mio (epoll on Linux).
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an example of a driver: sockets and clocks are its business"
)]

use std::{error::Error, time::Instant};

use bytes::Bytes;
use dcquic_proto::{
    config::Config,
    crypto::{Psk, Seed},
    endpoint::{Destination, Endpoint, Event, Open, Outcome, Payload, Respond, TransmitQueue},
    id::Status,
    link::{DatagramInfo, Ecn},
    time::Timestamp,
};
use mio::{Events, Interest, Poll, Token, net::UdpSocket};

struct Node {
    endpoint: Endpoint,
    socket: UdpSocket,
    queue: TransmitQueue,
    buffer: Vec<u8>,
}

impl Node {
    fn new(poll: &Poll, token: Token) -> Result<Self, Box<dyn Error>> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| error.to_string())?;
        // as much as a default socket buffer holds
        let config = Config {
            pull_credit: 64 << 10,
            pull_credit_per_peer: 64 << 10,
            pull_quantum: 16 << 10,
            ..Config::loopback()
        };
        let (psk, seed) = (Psk::from_bytes([7; 32]), Seed::from_bytes(seed));
        let endpoint = Endpoint::new(config, psk, seed, Timestamp::ZERO)?;
        let mut socket = UdpSocket::bind("127.0.0.1:0".parse()?)?;
        poll.registry().register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { endpoint, socket, queue: TransmitQueue::new(), buffer: vec![0; 65_536] })
    }

    /// Inputs: everything the socket holds, and the timers that are due.
    fn input(&mut self, now: Timestamp) {
        while let Ok((len, remote)) = self.socket.recv_from(&mut self.buffer) {
            let (local, ecn, segment_size) = (None, Ecn::NotEct, None);
            let info = DatagramInfo { local, remote, ecn, segment_size };
            self.endpoint.handle_datagram(now, info, &mut self.buffer[..len]);
        }
        self.endpoint.handle_timeout(now);
    }

    /// Outputs: everything that waits to be sent. What the socket refuses is lost, as on a network.
    fn output(&mut self, now: Timestamp) {
        while self.endpoint.poll_transmit(now, &mut self.queue, 1 << 16) || !self.queue.is_empty() {
            while let Some(transmit) = self.queue.front() {
                let mut bytes = Vec::new();
                self.queue.copy_to(transmit, &mut bytes);
                let size = transmit.segment_size.map_or(bytes.len(), |size| size.get());
                for datagram in bytes.chunks(size) {
                    let _lost = self.socket.send_to(datagram, transmit.destination);
                }
                self.queue.pop_front();
            }
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(16);
    let mut client = Node::new(&poll, Token(0))?;
    let mut server = Node::new(&poll, Token(1))?;
    let origin = Instant::now();
    let now = || Timestamp::from_nanos(origin.elapsed().as_nanos() as u64);

    let peer = client.endpoint.add_peer(now(), server.socket.local_addr()?)?;
    let body = Bytes::from(vec![42; 10 << 20]);
    for payload in [Bytes::from("hello"), body.clone()] {
        let (metadata, payload) = ("echo".into(), Payload::Whole(payload));
        let open = Open { metadata, payload, ..Open::default() };
        client.endpoint.open(now(), peer, open)?;
    }
    let mut complete = 0;
    while complete < 2 {
        for node in [&mut client, &mut server] {
            node.input(now());
        }
        while let Some(event) = server.endpoint.poll_event() {
            match event {
                Event::Opened { stream, body: Some(body), .. }
                | Event::Received { stream, body: Some(body) } => {
                    let (status, metadata) = (Status::OK, Bytes::new());
                    let respond = Respond { status, metadata, payload: Payload::Whole(body) };
                    server.endpoint.respond(now(), stream, respond)?;
                }
                Event::Opened { stream, body: None, .. } => {
                    server.endpoint.receive(now(), stream, Destination::Memory)?;
                }
                _ => {}
            }
        }
        while let Some(event) = client.endpoint.poll_event() {
            match event {
                Event::Response { body: Some(echo), .. } => {
                    assert!(echo == "hello" || echo == body);
                    println!("a response of {} bytes after {:?}", echo.len(), origin.elapsed());
                }
                Event::Closed { outcome: Outcome::Complete, .. } => complete += 1,
                Event::Closed { outcome, .. } => return Err(format!("{outcome:?}").into()),
                _ => {}
            }
        }
        for node in [&mut client, &mut server] {
            node.output(now());
        }
        let wakes = [&client, &server].map(|node| node.endpoint.poll_timeout());
        let next = wakes.into_iter().flatten().map(|wake| wake.at - now()).min();
        poll.poll(&mut events, next)?;
    }
    Ok(())
}
