//! One bottleneck: a queue with a rate, a size and a marking threshold, between some senders and
//! a receiver. Deterministic: the same link and flows give the same figures.

use core::{cmp::Reverse, time::Duration};
use std::collections::{BTreeMap, BinaryHeap};

use crate::{
    congestion::{CongestionConfig, Departure, Feedback, PathCongestion},
    id::PacketNumber,
    rng::Jitter,
    time::Timestamp,
};

/// The bottleneck.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) rate: u64,
    pub(super) rtt: Duration,
    pub(super) buffer: u64,
    /// Packets that find more than this in the queue are marked.
    pub(super) mark_above: u64,
    /// Packets lost at random, of a million.
    pub(super) loss_per_million: u64,
    /// Packets that the receiver acknowledges at once.
    pub(super) ack_every: u64,
}

impl Link {
    pub(super) fn new(gbit: u64, rtt: Duration) -> Self {
        let rate = gbit * 125_000_000;
        let mut link =
            Self { rate, rtt, buffer: 0, mark_above: u64::MAX, loss_per_million: 0, ack_every: 1 };
        link.buffer = 4 * link.bdp();
        link
    }

    pub(super) fn bdp(&self) -> u64 {
        super::math::bytes_in(self.rate, self.rtt)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Send,
    Arrive { number: u64, is_marked: bool },
    Ack { largest: u64, acked: u64, lost: u64, ce_count: u64 },
    Timeout,
}

/// A sender and its receiver.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) path: PathCongestion,
    /// The application has something to send outside of this.
    pub(super) idle: core::ops::Range<Timestamp>,
    next_number: u64,
    send_scheduled: Option<Timestamp>,
    last_ack: Timestamp,
    // the receiver's side
    expected: u64,
    unacked: u64,
    ce_count: u64,
    pub(super) arrived: u64,
    pub(super) lost: u64,
    /// The states that it has been in.
    pub(super) states: BTreeMap<&'static str, u64>,
    pub(super) most_in_flight: u64,
}

/// The world.
pub(super) struct Sim {
    pub(super) link: Link,
    pub(super) now: Timestamp,
    pub(super) flows: Vec<Flow>,
    datagram: u64,
    queue_until: Timestamp,
    events: BinaryHeap<Reverse<(Timestamp, u64, usize, What)>>,
    next_event: u64,
    rng: Jitter,
    pub(super) most_queued: u64,
    queued_sum: u128,
    queued_count: u128,
    pub(super) most_at_once: u64,
    burst: (Timestamp, u64),
}

impl Sim {
    pub(super) fn new(link: Link, configs: &[(CongestionConfig, Timestamp)]) -> Self {
        let mut sim = Self {
            link,
            now: Timestamp::ZERO,
            flows: Vec::new(),
            datagram: configs[0].0.max_datagram_bytes,
            queue_until: Timestamp::ZERO,
            events: BinaryHeap::new(),
            next_event: 0,
            rng: Jitter::new(17),
            most_queued: 0,
            queued_sum: 0,
            queued_count: 0,
            most_at_once: 0,
            burst: (Timestamp::ZERO, 0),
        };
        for (index, (config, starts)) in configs.iter().enumerate() {
            config.validate().unwrap();
            sim.flows.push(Flow {
                path: PathCongestion::new(config, *starts),
                idle: Timestamp::MAX..Timestamp::MAX,
                next_number: 0,
                send_scheduled: None,
                last_ack: *starts,
                expected: 0,
                unacked: 0,
                ce_count: 0,
                arrived: 0,
                lost: 0,
                states: BTreeMap::new(),
                most_in_flight: 0,
            });
            sim.schedule_send(index, *starts);
            sim.at(*starts + link.rtt, index, What::Timeout);
        }
        sim
    }

    fn at(&mut self, at: Timestamp, flow: usize, what: What) {
        self.next_event += 1;
        self.events.push(Reverse((at, self.next_event, flow, what)));
    }

    fn schedule_send(&mut self, flow: usize, at: Timestamp) {
        if self.flows[flow].send_scheduled.is_none_or(|scheduled| at < scheduled) {
            self.flows[flow].send_scheduled = Some(at);
            self.at(at, flow, What::Send);
        }
    }

    /// Bytes delivered per flow, and the mean queue, until `until`.
    pub(super) fn run(&mut self, until: Timestamp) -> (Vec<u64>, u64) {
        let before: Vec<u64> = self.flows.iter().map(|flow| flow.arrived).collect();
        (self.most_queued, self.queued_sum, self.queued_count, self.most_at_once) = (0, 0, 0, 0);
        while let Some(Reverse((at, _, flow, what))) = self.events.peek().copied() {
            if at > until {
                break;
            }
            self.events.pop();
            self.now = at;
            match what {
                What::Send => self.on_send(flow),
                What::Arrive { number, is_marked } => self.on_arrive(flow, number, is_marked),
                What::Ack { largest, acked, lost, ce_count } => {
                    self.on_ack(flow, largest, acked, lost, ce_count);
                }
                What::Timeout => self.on_timeout(flow),
            }
        }
        self.now = until;
        let delivered =
            self.flows.iter().zip(before).map(|(flow, before)| flow.arrived - before).collect();
        (delivered, (self.queued_sum / self.queued_count.max(1)) as u64)
    }

    /// As [`run`](Self::run): the share of the link that all flows got together, in percent.
    pub(super) fn utilisation(&mut self, span: Duration) -> u64 {
        let (delivered, _) = self.run(self.now + span);
        delivered.iter().sum::<u64>() * 100 / super::math::bytes_in(self.link.rate, span)
    }

    fn on_send(&mut self, index: usize) {
        // an event whose flow has since been scheduled for another time
        if self.flows[index].send_scheduled != Some(self.now) {
            return;
        }
        self.flows[index].send_scheduled = None;
        loop {
            let flow = &mut self.flows[index];
            if flow.idle.contains(&self.now) {
                flow.path.on_app_limited();
                let until = flow.idle.end;
                return self.schedule_send(index, until);
            }
            match flow.path.departure(self.now, self.datagram) {
                Departure::Now => self.send(index),
                Departure::At(at) => return self.schedule_send(index, at),
                Departure::WindowFull => return,
            }
        }
    }

    fn send(&mut self, index: usize) {
        if self.burst.0 != self.now {
            self.burst = (self.now, 0);
        }
        self.burst.1 += self.datagram;
        self.most_at_once = self.most_at_once.max(self.burst.1);
        let flow = &mut self.flows[index];
        let number = flow.next_number;
        flow.next_number += 1;
        flow.path.on_sent(self.now, PacketNumber(number), self.datagram);
        *flow.states.entry(flow.path.state_name()).or_default() += 1;
        flow.most_in_flight = flow.most_in_flight.max(flow.path.in_flight_bytes());
        let queued = super::math::bytes_in(self.link.rate, self.queue_until - self.now);
        self.most_queued = self.most_queued.max(queued);
        self.queued_sum += u128::from(queued);
        self.queued_count += 1;
        let is_dropped = queued + self.datagram > self.link.buffer
            || self.rng.below(1_000_000) < self.link.loss_per_million;
        if is_dropped {
            self.flows[index].lost += self.datagram;
            return;
        }
        let nanos = self.datagram * 1_000_000_000 / self.link.rate;
        self.queue_until = self.queue_until.max(self.now) + Duration::from_nanos(nanos);
        let is_marked = queued > self.link.mark_above;
        let at = self.queue_until + self.link.rtt / 2;
        self.at(at, index, What::Arrive { number, is_marked });
    }

    /// The link keeps the order, so a missing number is a lost packet.
    fn on_arrive(&mut self, index: usize, number: u64, is_marked: bool) {
        let (datagram, ack_every) = (self.datagram, self.link.ack_every);
        let back = self.now + self.link.rtt / 2;
        let flow = &mut self.flows[index];
        let lost = (number - flow.expected) * datagram;
        flow.expected = number + 1;
        flow.arrived += datagram;
        flow.unacked += datagram;
        flow.ce_count += u64::from(is_marked);
        if flow.unacked >= ack_every * datagram || lost > 0 {
            let acked = core::mem::take(&mut flow.unacked);
            let ce_count = flow.ce_count;
            self.at(back, index, What::Ack { largest: number, acked, lost, ce_count });
        }
    }

    fn on_ack(&mut self, index: usize, largest: u64, acked_bytes: u64, lost: u64, ce_count: u64) {
        let flow = &mut self.flows[index];
        flow.last_ack = self.now;
        let largest = PacketNumber(largest);
        flow.path.on_feedback(self.now, &Feedback { largest, acked_bytes, ce_count });
        if lost > 0 {
            flow.path.on_lost(self.now, lost);
        }
        self.schedule_send(index, self.now);
    }

    /// What is in flight and not heard of for long is lost; a receiver would pull it again.
    fn on_timeout(&mut self, index: usize) {
        let wait = self.link.rtt * 10;
        let flow = &mut self.flows[index];
        if flow.path.in_flight_bytes() > 0 && self.now - flow.last_ack > wait {
            flow.path.on_timeout(self.now, wait);
            flow.path.on_lost(self.now, u64::MAX);
            // the receiver's part of a batch that was never acknowledged goes with it
            flow.unacked = 0;
            flow.last_ack = self.now;
            self.schedule_send(index, self.now);
        }
        self.at(self.now + self.link.rtt, index, What::Timeout);
    }
}
