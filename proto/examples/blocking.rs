//! The core under plain blocking sockets: two threads, `std::net`, read timeouts as timers.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an example of a driver: sockets, threads and clocks are its business"
)]

use std::{
    error::Error,
    io::ErrorKind,
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use bytes::Bytes;
use dcquic_proto::{
    config::Config,
    crypto::{Psk, Seed},
    endpoint::{Destination, Endpoint, Event, Open, Outcome, Payload, Respond, TransmitQueue},
    id::Status,
    link::{DatagramInfo, Ecn},
    time::Timestamp,
};

/// What a driver adds to an endpoint: a socket, a clock, a queue.
struct Driver {
    endpoint: Endpoint,
    socket: UdpSocket,
    origin: Instant,
    queue: TransmitQueue,
    buffer: Vec<u8>,
}

impl Driver {
    fn new() -> Result<Self, Box<dyn Error>> {
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
        Ok(Self {
            endpoint: Endpoint::new(config, psk, seed, Timestamp::ZERO)?,
            socket: UdpSocket::bind("127.0.0.1:0")?,
            origin: Instant::now(),
            queue: TransmitQueue::new(),
            buffer: vec![0; 65_536],
        })
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.origin.elapsed().as_nanos() as u64)
    }

    /// Sends all that waits, then takes one datagram or one timeout in.
    fn turn(&mut self) -> Result<(), Box<dyn Error>> {
        let now = self.now();
        while self.endpoint.poll_transmit(now, &mut self.queue, 1 << 16) || !self.queue.is_empty() {
            while let Some(transmit) = self.queue.front() {
                let mut bytes = Vec::new();
                self.queue.copy_to(transmit, &mut bytes);
                let size = transmit.segment_size.map_or(bytes.len(), |size| size.get());
                for datagram in bytes.chunks(size) {
                    self.socket.send_to(datagram, transmit.destination)?;
                }
                self.queue.pop_front();
            }
        }
        let wait = match self.endpoint.poll_timeout() {
            Some(wake) => wake.at - self.now(),
            None => Duration::from_millis(100),
        };
        self.socket.set_read_timeout(Some(wait.max(Duration::from_micros(10))))?;
        match self.socket.recv_from(&mut self.buffer) {
            Ok((len, remote)) => {
                let (local, ecn, segment_size) = (None, Ecn::NotEct, None);
                let info = DatagramInfo { local, remote, ecn, segment_size };
                let now = self.now();
                self.endpoint.handle_datagram(now, info, &mut self.buffer[..len]);
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.into()),
        }
        let now = self.now();
        self.endpoint.handle_timeout(now);
        Ok(())
    }
}

fn serve(mut driver: Driver) -> Result<(), String> {
    loop {
        driver.turn().map_err(|error| error.to_string())?;
        while let Some(event) = driver.endpoint.poll_event() {
            let now = driver.now();
            match event {
                Event::Opened { stream, body: Some(body), .. }
                | Event::Received { stream, body: Some(body) } => {
                    let (status, metadata) = (Status::OK, Bytes::new());
                    let respond = Respond { status, metadata, payload: Payload::Whole(body) };
                    driver.endpoint.respond(now, stream, respond).map_err(|e| e.to_string())?;
                }
                Event::Opened { stream, body: None, .. } => {
                    let to = Destination::Memory;
                    driver.endpoint.receive(now, stream, to).map_err(|e| e.to_string())?;
                }
                _ => {}
            }
        }
    }
}

fn call(driver: &mut Driver, server: SocketAddr, body: Bytes) -> Result<(), Box<dyn Error>> {
    let now = driver.now();
    let peer = driver.endpoint.add_peer(now, server)?;
    let (metadata, payload) = ("echo".into(), Payload::Whole(body.clone()));
    let open = Open { metadata, payload, ..Open::default() };
    driver.endpoint.open(now, peer, open)?;
    loop {
        driver.turn()?;
        while let Some(event) = driver.endpoint.poll_event() {
            match event {
                Event::Response { body: Some(echo), .. } => assert!(echo == body),
                Event::Closed { outcome: Outcome::Complete, .. } => return Ok(()),
                Event::Closed { outcome, .. } => return Err(format!("{outcome:?}").into()),
                _ => {}
            }
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = Driver::new()?;
    let address = server.socket.local_addr()?;
    std::thread::spawn(move || serve(server));
    let mut client = Driver::new()?;
    for size in [5, 100_000, 10 << 20] {
        let started = Instant::now();
        call(&mut client, address, vec![42; size].into())?;
        println!("{size} bytes there and back in {:?}", started.elapsed());
    }
    Ok(())
}
