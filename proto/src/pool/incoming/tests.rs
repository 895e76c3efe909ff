use core::task::Waker;

use super::*;
use crate::{
    causality::{CausalityConfig, CausalityMap, MapId},
    endpoint::Offer,
    id::{PeerId, Role, StreamHandle, StreamId},
    pool::{Mailbox, Pool, RingConfig, lanes::LANE},
};

/// A mailbox and its pool.
fn connect() -> (Mailbox, Pool) {
    let causality = CausalityMap::new(MapId(1), CausalityConfig::default()).unwrap();
    crate::pool::connect(causality, RingConfig::default(), || {})
}

/// Offers a call; the cell it shares with the application.
fn offer(mailbox: &Mailbox, number: u32, level: u8) -> (bool, Arc<Cell>) {
    let remote = SocketAddr::from(([127, 0, 0, 1], 1));
    let stream = StreamId::new(Role::Initiator, 0, number);
    let peer = PeerId { slot: 0, generation: 0 };
    let stream = StreamHandle { peer, stream };
    let cell = Arc::new(Cell::for_incoming(remote, stream));
    let offer = Offer::unary(level, number.to_string(), 0);
    let incarnation = Incarnation::default();
    let announced = Announced { remote, incarnation, offer, body: None };
    (mailbox.offer(stream, announced, Arc::clone(&cell)), cell)
}

/// The names of the calls that wait, in the order in which they are taken.
fn accepted(pool: &crate::pool::Pool) -> Vec<Bytes> {
    let mut names = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(incoming)) = Pin::new(&mut pool.accept()).poll(&mut cx) {
        names.push(incoming.metadata().clone());
    }
    names
}

#[test]
fn urgent_calls_come_first_and_no_other_starves() {
    let (mailbox, pool) = connect();
    for number in 0..12 {
        assert!(offer(&mailbox, number, if number < 6 { 3 } else { 2 }).0);
    }
    // four to one, and the rest when the urgent ones are gone
    let order = ["6", "0", "7", "8", "9", "10", "1", "11", "2", "3", "4", "5"];
    assert_eq!(accepted(&pool), order);
}

#[test]
fn a_call_beyond_the_bound_is_nobodys() {
    let (mailbox, pool) = connect();
    for number in 0..LANE as u32 {
        assert!(offer(&mailbox, number, 3).0);
    }
    let (taken, cell) = offer(&mailbox, 0, 3);
    assert!(!taken && !cell.is_wanted());
    assert!(offer(&mailbox, 7, 2).0, "another priority has room");
    assert_eq!(accepted(&pool).len(), LANE + 1);
}

#[test]
fn calls_that_nobody_took_end_with_the_worker() {
    let (mailbox, pool) = connect();
    let (_, cell) = offer(&mailbox, 0, 3);
    drop(mailbox);
    assert!(!cell.is_wanted());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(Pin::new(&mut pool.accept()).poll(&mut cx), Poll::Ready(None)));
}
