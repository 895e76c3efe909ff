//! Two endpoints joined in memory, in virtual time: the smallest loop there is.
//!
//! One rule governs it: after every input, drain transmissions and events until there are none, then
//! wait for the next input or the next timeout.

#![allow(clippy::unwrap_used, reason = "a test or example fails by panicking")]

use std::{collections::VecDeque, net::SocketAddr};

use bytes::Bytes;
use dcquic_proto::{
    config::Config,
    crypto::{Psk, Seed},
    endpoint::{Destination, Endpoint, Event, Open, Outcome, Payload, Respond, TransmitQueue},
    id::Status,
    link::{DatagramInfo, Ecn},
    time::Timestamp,
};

/// An endpoint with its address and what it has sent.
struct Node {
    endpoint: Endpoint,
    address: SocketAddr,
    queue: TransmitQueue,
}

fn node(number: u8) -> Node {
    let (psk, seed) = (Psk::from_bytes([7; 32]), Seed::from_bytes([number; 32]));
    let endpoint = Endpoint::new(Config::loopback(), psk, seed, Timestamp::ZERO).unwrap();
    let address = SocketAddr::from(([10, 0, 0, number], 4433));
    Node { endpoint, address, queue: TransmitQueue::new() }
}

fn open(metadata: &'static str, payload: Bytes) -> Open {
    Open { metadata: metadata.into(), payload: Payload::Whole(payload), ..Open::default() }
}

fn main() {
    let (mut client, mut server) = (node(1), node(2));
    let mut now = Timestamp::ZERO;
    let peer = client.endpoint.add_peer(now, server.address).unwrap();
    let message = Bytes::from(vec![42; 10 << 20]);
    client.endpoint.open(now, peer, open("echo", "hello".into())).unwrap();
    client.endpoint.open(now, peer, open("echo", message.clone())).unwrap();

    let mut wire: VecDeque<(bool, Vec<u8>)> = VecDeque::new();
    let mut complete = 0;
    while complete < 2 {
        // drain both endpoints: events, then transmissions
        while let Some(event) = client.endpoint.poll_event() {
            match event {
                Event::Response { status, body: Some(body), .. } => {
                    assert!(status.is_ok() && (body == "hello" || body == message));
                    println!("a response of {} bytes at {now}", body.len());
                }
                Event::Closed { outcome, .. } => {
                    assert_eq!(outcome, Outcome::Complete);
                    complete += 1;
                }
                _ => {}
            }
        }
        while let Some(event) = server.endpoint.poll_event() {
            let (stream, body) = match event {
                Event::Opened { stream, body: Some(body), .. } => (stream, body),
                Event::Received { stream, body: Some(body) } => (stream, body),
                Event::Opened { stream, body: None, .. } => {
                    server.endpoint.receive(now, stream, Destination::Memory).unwrap();
                    continue;
                }
                _ => continue,
            };
            let (status, metadata) = (Status::OK, Bytes::new());
            let respond = Respond { status, metadata, payload: Payload::Whole(body) };
            server.endpoint.respond(now, stream, respond).unwrap();
        }
        for (node, from_client) in [(&mut client, true), (&mut server, false)] {
            node.endpoint.poll_transmit(now, &mut node.queue, 1 << 20);
            while let Some(transmit) = node.queue.front() {
                let mut bytes = Vec::new();
                node.queue.copy_to(transmit, &mut bytes);
                let size = transmit.segment_size.map_or(bytes.len(), |size| size.get());
                wire.extend(bytes.chunks(size).map(|datagram| (from_client, datagram.to_vec())));
                node.queue.pop_front();
            }
        }
        // the next input: a datagram, or else time
        let (to, from) = match wire.front() {
            Some((true, _)) => (&mut server, client.address),
            _ => (&mut client, server.address),
        };
        if let Some((_, mut datagram)) = wire.pop_front() {
            let (local, ecn, segment_size) = (None, Ecn::NotEct, None);
            let info = DatagramInfo { local, remote: from, ecn, segment_size };
            to.endpoint.handle_datagram(now, info, &mut datagram);
        } else if complete < 2 {
            let wakes = [&client, &server].map(|node| node.endpoint.poll_timeout());
            let next = wakes.into_iter().flatten().map(|wake| wake.at).min();
            now = next.expect("a timer is armed while work is outstanding").max(now);
            client.endpoint.handle_timeout(now);
            server.endpoint.handle_timeout(now);
        }
    }
    println!("{:?}", client.endpoint.stats());
}
