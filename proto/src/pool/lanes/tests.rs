#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::*;
use crate::id::{PeerId, Role, StreamId};

/// A place that nothing depends on.
fn priority(level: u8) -> Place {
    Place { level: Priority::new(level).unwrap(), name: None, after: Vec::new() }
}

fn call(number: u32) -> StreamHandle {
    let peer = PeerId { slot: 0, generation: 0 };
    StreamHandle { peer, stream: StreamId::new(Role::Initiator, 0, number) }
}

/// [CAUS-10]
#[test]
fn none_is_taken_before_those_that_must_come_first() {
    let lanes = Lanes::new();
    let place = |level, number, after: &[u32]| Place {
        name: Some(call(number)),
        after: after.iter().copied().map(call).collect(),
        ..priority(level)
    };
    lanes.push(place(6, 0, &[]), 0).unwrap();
    lanes.push(place(3, 1, &[9]), 1).unwrap();
    // behind both, whichever is taken first, and one behind that
    lanes.push(place(0, 2, &[0, 1]), 2).unwrap();
    lanes.push(place(0, 3, &[2]), 3).unwrap();
    assert_eq!(lanes.len(), 4);
    let order: Vec<u8> = core::iter::from_fn(|| lanes.pop()).collect();
    assert_eq!((order, lanes.len()), (vec![1, 0, 2, 3], 0));
    // what was taken is in nobody's way
    lanes.push(place(0, 4, &[0, 1, 2, 3]), 4).unwrap();
    assert_eq!(lanes.pop(), Some(4));
}

fn filled(levels: &[u8], each: usize) -> Lanes<u8> {
    let lanes = Lanes::new();
    for level in levels {
        for _ in 0..each {
            lanes.push(priority(*level), *level).unwrap();
        }
    }
    lanes
}

/// [SCHED-7]
#[test]
fn neighbours_share_four_to_one() {
    let lanes = filled(&[2, 3], 1_000);
    let urgent = (0..500).filter(|_| lanes.pop() == Some(2)).count();
    assert_eq!(urgent, 400);
    let left = core::iter::from_fn(|| lanes.pop()).count();
    assert_eq!((left, lanes.len()), (1_500, 0));
}

#[test]
fn a_lane_is_first_in_first_out() {
    let lanes = Lanes::new();
    for item in 0..100 {
        lanes.push(priority(4), item).unwrap();
    }
    assert!((0..100).all(|item| lanes.pop() == Some(item)));
}

#[test]
fn a_full_lane_leaves_room_in_others() {
    let lanes = filled(&[7], LANE);
    assert_eq!(lanes.push(priority(7), 7), Err(7));
    lanes.push(priority(0), 0).unwrap();
    assert_eq!((lanes.pop(), lanes.len()), (Some(0), LANE));
}

struct Count(AtomicUsize);

impl std::task::Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn who_asks_again_waits_once_and_may_stop() {
    let lanes = Lanes::new();
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&count));
    let mut waiting = None;
    for _ in 0..2 {
        assert_eq!(lanes.pop_or_wait(&mut waiting, &waker), None);
    }
    lanes.push(priority(0), 0).unwrap();
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert_eq!(lanes.pop_or_wait(&mut waiting, &waker), Some(0));
    assert_eq!(lanes.pop_or_wait(&mut waiting, &waker), None);
    lanes.stop_waiting(waiting.unwrap());
    lanes.push(priority(0), 0).unwrap();
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
}
