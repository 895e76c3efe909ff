use core::net::SocketAddr;

use super::*;
use crate::endpoint::Offer;
use crate::id::{Incarnation, PeerId, Role, StreamId};

fn stream(number: u32) -> StreamHandle {
    let peer = PeerId { slot: 0, generation: 0 };
    StreamHandle { peer, stream: StreamId::new(Role::Initiator, 0, number) }
}

fn held(number: u32, level: u8) -> Held {
    let remote = SocketAddr::from(([127, 0, 0, 1], 1));
    let offer = Offer::unary(level, bytes::Bytes::new(), 0);
    let incarnation = Incarnation::default();
    let announced = Announced { remote, incarnation, offer, body: None };
    let cell = Arc::new(Cell::for_incoming(remote, stream(number)));
    Held { stream: stream(number), announced, cell }
}

fn numbers(queue: &mut Queue) -> Vec<StreamHandle> {
    core::iter::from_fn(|| queue.pop()).map(|held| held.stream).collect()
}

#[test]
fn a_full_queue_sheds_the_latest_of_the_least_urgent() {
    let mut queue = Queue::default();
    for (number, level) in [(0, 5), (1, 7), (2, 7), (3, 2)] {
        assert!(queue.push(held(number, level), 4).is_none());
    }
    let shed =
        |queue: &mut Queue, number, level| queue.push(held(number, level), 4).unwrap().stream;
    assert_eq!(shed(&mut queue, 4, 7), stream(4), "none is less urgent than itself");
    assert_eq!(shed(&mut queue, 5, 0), stream(2));
    assert_eq!(shed(&mut queue, 6, 6), stream(1));
    assert_eq!(shed(&mut queue, 7, 6), stream(7));
    assert_eq!(queue.len(), 4);
    assert_eq!(numbers(&mut queue), [5, 3, 0, 6].map(stream));
}

#[test]
fn a_call_that_ends_leaves_the_queue() {
    let mut queue = Queue::default();
    for number in 0..4 {
        assert!(queue.push(held(number, 3), 4).is_none());
    }
    queue.remove(stream(1));
    queue.remove(stream(9));
    assert_eq!(queue.len(), 3);
    assert!(queue.push(held(4, 3), 4).is_none());
    assert_eq!(numbers(&mut queue), [0, 2, 3, 4].map(stream));
    assert_eq!(queue.len(), 0);
}

#[test]
fn levels_take_turns() {
    let mut queue = Queue::default();
    for number in 0..20 {
        assert!(queue.push(held(number, 3 + u8::from(number < 10)), 100).is_none());
    }
    let order = numbers(&mut queue);
    let urgent = order[..10].iter().filter(|one| **one >= stream(10)).count();
    assert_eq!((urgent, order[1], order[6]), (8, stream(0), stream(1)));
}
