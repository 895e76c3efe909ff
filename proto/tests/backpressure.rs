//! Readers that stop: what they cost, and whom they stop.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use core::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use dcquic_proto::{
    config::Config,
    crypto::{Psk, Seed},
    endpoint::{
        Endpoint, Event, Message, Open, Outcome, Payload, Respond, SendError, TransmitQueue,
    },
    id::{Pattern, PeerId, Priority, Status, StreamHandle},
    link::{DatagramInfo, Ecn},
    time::Timestamp,
};

/// Two endpoints that are joined without delay.
struct Pair {
    now: Timestamp,
    nodes: [Endpoint; 2],
    events: [Vec<Event>; 2],
}

fn address(node: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, node as u8 + 1], 4433))
}

impl Pair {
    fn connect(config: &Config) -> (Self, PeerId) {
        let node = |seed| {
            let (psk, seed) = (Psk::from_bytes([7; 32]), Seed::from_bytes([seed; 32]));
            Endpoint::new(config.clone(), psk, seed, Timestamp::ZERO).unwrap()
        };
        let nodes = [node(1), node(2)];
        let mut pair = Self { now: Timestamp::ZERO, nodes, events: [Vec::new(), Vec::new()] };
        let peer = pair.nodes[0].add_peer(pair.now, address(1)).unwrap();
        pair.settle();
        (pair, peer)
    }

    /// Moves everything that wants to move.
    fn settle(&mut self) {
        loop {
            let mut moved = false;
            for node in 0..2 {
                let mut queue = TransmitQueue::new();
                self.nodes[node].poll_transmit(self.now, &mut queue, 1 << 20);
                while let Some(transmit) = queue.front().cloned() {
                    let mut bytes = Vec::new();
                    queue.copy_to(&transmit, &mut bytes);
                    queue.pop_front();
                    let segment_size = transmit.segment_size;
                    let remote = address(node);
                    let info = DatagramInfo { local: None, remote, ecn: Ecn::NotEct, segment_size };
                    self.nodes[1 - node].handle_datagram(self.now, info, &mut bytes);
                    moved = true;
                }
                while let Some(event) = self.nodes[node].poll_event() {
                    self.events[node].push(event);
                }
            }
            if !moved {
                return;
            }
        }
    }

    /// Lets time pass, with all that it brings.
    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            self.settle();
            let next = self.nodes.iter().filter_map(|node| Some(node.poll_timeout()?.at)).min();
            let Some(at) = next.filter(|at| *at <= end) else { break };
            self.now = at.max(self.now + Duration::from_nanos(1));
            for node in &mut self.nodes {
                node.handle_timeout(self.now);
            }
        }
        self.now = end;
    }

    /// A call of one request and one response; true if it completed at once.
    fn unary(&mut self, peer: PeerId, size: usize) -> bool {
        let payload = Payload::Whole(vec![7; size].into());
        let call = self.nodes[0].open(self.now, peer, Open { payload, ..Open::default() }).unwrap();
        self.pass(Duration::from_millis(5));
        let opened = self.opened(Pattern::Unary);
        let respond = Respond {
            status: Status::OK,
            metadata: Bytes::new(),
            payload: Payload::Whole(vec![8; size].into()),
        };
        self.nodes[1].respond(self.now, opened, respond).unwrap();
        self.pass(Duration::from_millis(5));
        let closed = Event::Closed { stream: call, outcome: Outcome::Complete };
        let ended = |event: &Event| format!("{event:?}") == format!("{closed:?}");
        self.events[0].iter().any(ended)
    }

    /// The stream of this pattern that the second node was told of last.
    fn opened(&mut self, wanted: Pattern) -> StreamHandle {
        let found = self.events[1].iter().rev().find_map(|event| match event {
            Event::Opened { stream, offer, .. } if offer.pattern == wanted => Some(*stream),
            _ => None,
        });
        found.unwrap()
    }
}

/// [STRM-4] The reader of a stream stops for good. Its writer goes on trying; neither side holds
/// more than a window of it, whatever time passes, and other calls take what they always take.
#[test]
fn a_reader_that_stops_for_good_holds_one_window() {
    let config = Config { stream_messages: 64, stream_bytes: 256 << 10, ..Config::datacenter() };
    let (mut pair, peer) = Pair::connect(&config);
    let open = Open { pattern: Pattern::StreamingRequest, ..Open::default() };
    let stream = pair.nodes[0].open(pair.now, peer, open).unwrap();
    pair.settle();
    let message = Message { body: Some(vec![1; 10_000].into()), ..Message::default() };
    let mut sent = 0;
    let mut held = Vec::new();
    for round in 0..60 {
        loop {
            match pair.nodes[0].send(pair.now, stream, message.clone()) {
                Ok(()) => sent += 1,
                Err(SendError::Blocked) => break,
                Err(error) => panic!("{error}"),
            }
        }
        pair.pass(Duration::from_millis(20));
        assert!(pair.unary(peer, 50_000), "round {round}");
        let usage = [pair.nodes[0].usage(), pair.nodes[1].usage()];
        held.push([usage[0].receive_memory, usage[0].send_memory, usage[1].receive_memory]);
        assert!(usage.iter().all(|usage| usage.streams == 1 && usage.sending == 0));
    }
    assert_eq!(sent, 27, "the one that goes beyond 256 KiB is the last");
    // at first the writer has the credit of the hello alone
    let held = &held[3..];
    assert!(held.windows(2).all(|two| two[0] == two[1]), "memory is flat: {held:?}");
    assert_eq!(held[0], [0, 0, 270_000]);

    // it reads after all: the writer is told, however late
    pair.events[0].clear();
    let opened = pair.opened(Pattern::StreamingRequest);
    pair.nodes[1].consume(pair.now, opened, 27, 270_000);
    pair.pass(Duration::from_secs(1));
    assert!(pair.events[0].iter().any(|event| matches!(event, Event::Writable { .. })));
    assert!(pair.nodes[0].send(pair.now, stream, message).is_ok());
}

/// Messages that find no memory wait for it, the urgent ones first, and nothing is refused.
#[test]
fn messages_wait_for_memory_by_priority() {
    let receive_memory = 300_000;
    let config = Config {
        receive_memory,
        auto_receive: 0,
        max_inline: 0,
        stream_bytes: 150_000,
        ..Config::datacenter()
    };
    let (mut pair, peer) = Pair::connect(&config);
    let mut streams = Vec::new();
    for level in [7, 6, 5, 0] {
        let priority = Priority::new(level).unwrap();
        let pattern = Pattern::StreamingRequest;
        let open = Open { pattern, priority, ..Open::default() };
        streams.push(pair.nodes[0].open(pair.now, peer, open).unwrap());
    }
    pair.settle();
    for stream in &streams {
        let message = Message { body: Some(vec![1; 140_000].into()), ..Message::default() };
        pair.nodes[0].send(pair.now, *stream, message).unwrap();
        pair.pass(Duration::from_millis(20));
        assert!(pair.nodes[1].usage().receive_memory <= receive_memory);
    }
    let got = |pair: &Pair| -> Vec<StreamHandle> {
        let messages = pair.events[1].iter().filter_map(|event| match event {
            Event::Message { stream, .. } => Some(*stream),
            _ => None,
        });
        messages.collect()
    };
    let first = got(&pair);
    assert_eq!(first.len(), 2, "two fit");
    for (taken, expected) in first.iter().zip([3, 2]) {
        pair.nodes[1].consume(pair.now, *taken, 1, 140_000);
        pair.pass(Duration::from_millis(20));
        let latest = *got(&pair).last().unwrap();
        assert_eq!(latest.stream, streams[expected].stream, "urgent first");
    }
    assert_eq!(got(&pair).len(), 4);
}
