use core::time::Duration;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::Wake,
};

use bytes::Bytes;

use super::*;
use crate::{
    endpoint::{Destination, Payload},
    pool::{CallOptions, Cell},
};

struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn start(level: u8) -> Box<Start> {
    let remote = ([127, 0, 0, 1], 1).into();
    let priority = Priority::new(level).unwrap();
    Box::new(Start {
        remote,
        options: CallOptions { priority, ..CallOptions::default() },
        metadata: Bytes::new(),
        payload: Payload::Whole(Bytes::new()),
        response: Destination::Memory,
        cell: Arc::new(Cell::for_call(remote, None)),
        dependent: None,
        expires: None,
    })
}

fn rings(depth: u16) -> Rings {
    Rings::new(RingConfig { depths: [NonZeroU16::new(depth).unwrap(); 8] })
}

fn at(micros: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_micros(micros)
}

/// [SCHED-7] the least urgent calls are taken too, while there are always more urgent ones.
#[test]
fn no_ring_starves() {
    let (rings, mut taker) = (rings(1_024), Taker::default());
    for _ in 0..1_000 {
        rings.push(start(2)).unwrap();
        rings.push(start(3)).unwrap();
    }
    let mut taken = [0; 8];
    for _ in 0..500 {
        let call = taker.next(&rings, at(0)).unwrap();
        taken[usize::from(call.options.priority.level())] += 1;
    }
    assert!((399..=402).contains(&taken[2]), "{taken:?}");
    rings.push(start(0)).unwrap();
    let call = taker.next(&rings, at(0)).unwrap();
    assert_eq!(call.options.priority, Priority::HIGHEST, "at once");
}

#[test]
fn only_those_who_wait_for_this_ring_are_woken_and_all_of_them() {
    let (rings, mut taker) = (rings(1), Taker::default());
    let (high, low) = (Arc::new(Count(AtomicU32::new(0))), Arc::new(Count(AtomicU32::new(0))));
    for (level, count) in [(0, &high), (7, &low), (7, &low)] {
        let _full = rings.push(start(level));
        let start = rings.push(start(level)).unwrap_err();
        rings.want_room(&start, Waker::from(Arc::clone(count)));
    }
    let woken = || (high.0.load(Ordering::Relaxed), low.0.load(Ordering::Relaxed));
    taker.next(&rings, at(0)).unwrap();
    taker.end_turn(&rings, at(0));
    assert_eq!(woken(), (1, 0));
    taker.next(&rings, at(0)).unwrap();
    taker.end_turn(&rings, at(0));
    assert_eq!(woken(), (1, 2));
    taker.end_turn(&rings, at(0));
    rings.wake_all();
    assert_eq!(woken(), (1, 2), "nobody waits any more");
}

#[test]
fn depth_and_waits_are_seen() {
    let (rings, mut taker) = (rings(8), Taker::default());
    rings.push(start(5)).unwrap();
    rings.push(start(5)).unwrap();
    assert_eq!(rings.waiting(), [0, 0, 0, 0, 0, 2, 0, 0]);
    taker.next(&rings, at(10)).unwrap();
    taker.end_turn(&rings, at(10));
    rings.push(start(5)).unwrap();
    taker.end_turn(&rings, at(20));
    taker.end_turn(&rings, at(30));
    taker.next(&rings, at(50)).unwrap();
    taker.next(&rings, at(50)).unwrap();
    let waits = taker.waits()[5];
    // none, from 10 to 50, from 20 to 50
    assert_eq!(waits, Waits { count: 3, total_ns: 70_000, longest_ns: 40_000 });
    assert!(rings.is_empty() && taker.levels[5].seen.is_empty());
}
