//! How fast a path delivers (draft-ietf-ccwg-bbr-06 §4.1).
//!
//! A receiver acknowledges ranges of bytes and says which packet was the newest to arrive. So the
//! sampler counts acknowledged bytes in total, and remembers what that count was when each packet
//! left. When the packet is the newest that arrived, the difference, over the longer of the time
//! that it took to send and the time that it took to acknowledge, is one sample.

use core::time::Duration;
use std::collections::VecDeque;

use super::math;
use crate::{id::PacketNumber, time::Timestamp};

/// Batches remembered at most. A full ring makes the newest batch grow instead, and its samples
/// cover a longer time; no sample is made from a guess.
const MAX_BATCHES: usize = 256;

/// Packets that leave within this part of the least RTT are remembered as one batch.
const BATCHES_PER_RTT: u32 = 64;

/// One measurement of the delivery rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateSample {
    /// The rate.
    pub bytes_per_sec: u64,
    /// Bytes acknowledged over the time of the sample.
    pub delivered_bytes: u64,
    /// Bytes acknowledged in total when the newest packet left.
    pub prior_delivered_bytes: u64,
    /// Bytes that were in flight when the newest packet left, with it.
    pub tx_in_flight_bytes: u64,
    /// Bytes that were found lost since the newest packet left.
    pub lost_bytes: u64,
    /// When the newest packet left.
    pub sent_at: Timestamp,
    /// The application or the receiver's pulls limited the rate, not the path.
    pub is_app_limited: bool,
}

/// What an acknowledgement measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// From the newest packet's departure until now; includes what the peer waited.
    pub rtt: Option<Duration>,
    /// The delivery rate.
    pub rate: Option<RateSample>,
}

/// Packets that left together, and what was known when the first of them did.
#[derive(Clone, Debug)]
struct Batch {
    first: PacketNumber,
    last: PacketNumber,
    sent_at: Timestamp,
    /// When the newest packet that had then been acknowledged was sent.
    prior_sent_at: Timestamp,
    delivered_at: Timestamp,
    delivered: u64,
    lost: u64,
    tx_in_flight: u64,
    is_app_limited: bool,
}

/// Measures the delivery rate of one path.
#[derive(Clone, Debug, Default)]
pub struct BandwidthSampler {
    batches: VecDeque<Batch>,
    newest_acked: Option<PacketNumber>,
    delivered: u64,
    delivered_at: Timestamp,
    prior_sent_at: Timestamp,
    lost: u64,
    /// The count of delivered bytes up to which samples are application-limited.
    app_limited_until: Option<u64>,
    min_rtt: Option<Duration>,
}

impl BandwidthSampler {
    /// A sampler to which nothing has happened. Allocates as packets are first sent, up to a bound.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes acknowledged in total.
    pub fn delivered_bytes(&self) -> u64 {
        self.delivered
    }

    /// Packet `number` left with `bytes` of payload; `in_flight_bytes` counts them.
    pub fn on_sent(
        &mut self,
        now: Timestamp,
        number: PacketNumber,
        bytes: u64,
        in_flight_bytes: u64,
    ) {
        if in_flight_bytes <= bytes {
            // after an idle time the sample begins with this packet
            self.prior_sent_at = now;
            self.delivered_at = now;
        }
        let is_app_limited = self.app_limited_until.is_some();
        if self.batches.back().is_some_and(|batch| number <= batch.last) {
            // numbers begin anew with another key: what is remembered names other packets
            self.batches.clear();
            self.newest_acked = None;
        }
        let is_full = self.batches.len() >= MAX_BATCHES;
        let span = self.min_rtt.unwrap_or_default() / BATCHES_PER_RTT;
        if let Some(batch) = self.batches.back_mut()
            && (is_full || now <= batch.sent_at + span)
        {
            batch.last = number;
            batch.tx_in_flight = batch.tx_in_flight.max(in_flight_bytes);
            batch.is_app_limited |= is_app_limited;
            return;
        }
        self.batches.push_back(Batch {
            first: number,
            last: number,
            sent_at: now,
            prior_sent_at: self.prior_sent_at,
            delivered_at: self.delivered_at,
            delivered: self.delivered,
            lost: self.lost,
            tx_in_flight: in_flight_bytes,
            is_app_limited,
        });
    }

    /// There is nothing to send although the window has room: samples of what is in flight say
    /// nothing about the path.
    pub fn on_app_limited(&mut self, in_flight_bytes: u64) {
        self.app_limited_until = Some(self.delivered.saturating_add(in_flight_bytes));
    }

    /// `bytes` were found lost.
    pub fn on_lost(&mut self, bytes: u64) {
        self.lost = self.lost.saturating_add(bytes);
    }

    /// `bytes` were acknowledged, and `largest` is the highest packet number that has arrived.
    pub fn on_acked(
        &mut self,
        now: Timestamp,
        bytes: u64,
        largest: Option<PacketNumber>,
    ) -> Measured {
        if bytes == 0 {
            return Measured::default();
        }
        self.delivered = self.delivered.saturating_add(bytes);
        self.delivered_at = self.delivered_at.max(now);
        if self.app_limited_until.is_some_and(|until| self.delivered > until) {
            self.app_limited_until = None;
        }
        let Some(largest) = largest else { return Measured::default() };
        let Some(batch) = self.take_newest(largest) else { return Measured::default() };
        let rtt = now.saturating_since(batch.sent_at);
        self.min_rtt = Some(self.min_rtt.map_or(rtt, |min| min.min(rtt)));
        let send_elapsed = batch.sent_at.saturating_since(batch.prior_sent_at);
        let ack_elapsed = self.delivered_at.saturating_since(batch.delivered_at);
        self.prior_sent_at = self.prior_sent_at.max(batch.sent_at);
        let delivered_bytes = self.delivered - batch.delivered;
        let interval = send_elapsed.max(ack_elapsed);
        let rate =
            math::rate_bytes_per_sec(delivered_bytes, interval).map(|bytes_per_sec| RateSample {
                bytes_per_sec,
                delivered_bytes,
                prior_delivered_bytes: batch.delivered,
                tx_in_flight_bytes: batch.tx_in_flight,
                lost_bytes: self.lost - batch.lost,
                sent_at: batch.sent_at,
                is_app_limited: batch.is_app_limited,
            });
        Measured { rtt: Some(rtt), rate }
    }

    /// The batch of the newest packet that has arrived, unless an earlier acknowledgement told of
    /// it. Forgets older batches: packets that arrive late measure nothing.
    fn take_newest(&mut self, largest: PacketNumber) -> Option<Batch> {
        let begun = self.batches.partition_point(|batch| batch.first <= largest);
        let batch = self.batches.get(begun.checked_sub(1)?)?.clone();
        let newest = largest.min(batch.last);
        if self.newest_acked.is_some_and(|acked| newest <= acked) {
            return None;
        }
        self.newest_acked = Some(newest);
        // a batch of which more may arrive is kept
        let done = if newest == batch.last { begun } else { begun - 1 };
        self.batches.drain(..done);
        Some(batch)
    }
}

#[cfg(test)]
mod tests;
