//! Congestion control of one path, as a peer sees it.

use core::time::Duration;

use super::{
    AckSample, AnyController, CongestionConfig, bandwidth::BandwidthSampler,
    leaky_bucket::LeakyBucket, persistent::PersistentCongestion,
};
use crate::{id::PacketNumber, time::Timestamp};

/// What the peer reports about our packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Feedback {
    /// The highest packet number that has arrived.
    pub largest: PacketNumber,
    /// Bytes that have arrived and were not reported before.
    pub acked_bytes: u64,
    /// Packets that arrived marked, as a running count.
    pub ce_count: u64,
}

/// When packets may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// At once.
    Now,
    /// At this time, later than now.
    At(Timestamp),
    /// After an acknowledgement or a loss has made room.
    WindowFull,
}

/// The controller of one path, with what feeds it and what it drives.
#[derive(Clone, Debug)]
pub struct PathCongestion {
    controller: AnyController,
    sampler: BandwidthSampler,
    persistent: PersistentCongestion,
    bucket: LeakyBucket,
    in_flight_bytes: u64,
    largest: Option<PacketNumber>,
    last_sent: PacketNumber,
    /// What the peer can take; 0 if it did not say.
    rate_limit_bytes_per_sec: u64,
    ce_count: u64,
    is_app_limited: bool,
}

impl PathCongestion {
    /// A path of which nothing is known.
    pub fn new(config: &CongestionConfig, now: Timestamp) -> Self {
        let controller = AnyController::new(config, now);
        let rate = controller.get().pacing_rate_bytes_per_sec();
        let burst = controller.get().send_quantum_bytes();
        Self {
            controller,
            sampler: BandwidthSampler::new(),
            persistent: PersistentCongestion::default(),
            bucket: LeakyBucket::new(now, rate, burst),
            in_flight_bytes: 0,
            largest: None,
            last_sent: PacketNumber(0),
            rate_limit_bytes_per_sec: 0,
            ce_count: 0,
            is_app_limited: true,
        }
    }

    /// When `bytes` may leave. A path with nothing in flight always has a window [CC-1].
    /// Otherwise the window and the pace of the controller hold them back [CC-2].
    pub fn departure(&self, now: Timestamp, bytes: u64) -> Departure {
        let after = self.in_flight_bytes.saturating_add(bytes);
        if self.in_flight_bytes > 0 && after > self.controller.get().window_bytes() {
            return Departure::WindowFull;
        }
        match self.bucket.next_departure(now, bytes) {
            at if at > now => Departure::At(at),
            _ => Departure::Now,
        }
    }

    /// The peer's pulls say how fast it can take data; 0 says nothing.
    pub fn limit_rate(&mut self, now: Timestamp, bytes_per_sec: u64) {
        if bytes_per_sec != self.rate_limit_bytes_per_sec {
            self.rate_limit_bytes_per_sec = bytes_per_sec;
            self.drive(now);
        }
    }

    /// Nothing was heard for so long that nothing can be in flight any more.
    pub fn on_flight_lost(&mut self, now: Timestamp) {
        self.on_lost(now, self.in_flight_bytes);
    }

    /// Packet `number` left with `bytes` of payload.
    pub fn on_sent(&mut self, now: Timestamp, number: PacketNumber, bytes: u64) {
        if self.in_flight_bytes == 0 && self.is_app_limited {
            self.controller.get_mut().on_idle_restart(now);
            self.drive(now);
        }
        self.is_app_limited = false;
        self.last_sent = self.last_sent.max(number);
        self.in_flight_bytes = self.in_flight_bytes.saturating_add(bytes);
        self.sampler.on_sent(now, number, bytes, self.in_flight_bytes);
        self.persistent.on_sent(now);
        self.bucket.charge(now, bytes);
        self.controller.get_mut().on_sent(now, bytes, self.in_flight_bytes);
    }

    /// There was room to send, and nothing that the peer has pulled was left.
    pub fn on_app_limited(&mut self) {
        self.is_app_limited = true;
        self.sampler.on_app_limited(self.in_flight_bytes);
    }

    /// A frame of the peer that reports on our packets. Returns the RTT that it measured, which
    /// includes the time that the peer let the frame wait.
    pub fn on_feedback(&mut self, now: Timestamp, feedback: &Feedback) -> Option<Duration> {
        self.persistent.on_answered();
        self.count_marks(now, feedback);
        // no more can have arrived than is on its way [CC-3]
        let acked_bytes = feedback.acked_bytes.min(self.in_flight_bytes);
        self.in_flight_bytes -= acked_bytes;
        if feedback.largest >= self.last_sent {
            // the newest has arrived: what is missing of the rest will not come any more
            self.sampler.on_lost(self.in_flight_bytes);
            self.in_flight_bytes = 0;
        }
        if acked_bytes == 0 {
            return None;
        }
        let measured = self.sampler.on_acked(now, acked_bytes, Some(feedback.largest));
        let sample = AckSample {
            newly_acked_bytes: acked_bytes,
            rtt: measured.rtt,
            rate: measured.rate,
            in_flight_bytes: self.in_flight_bytes,
        };
        self.controller.get_mut().on_ack(now, &sample);
        self.drive(now);
        measured.rtt
    }

    /// The peer asked again for a range of `bytes`.
    pub fn on_lost(&mut self, now: Timestamp, bytes: u64) {
        let flight = bytes.min(self.in_flight_bytes);
        self.in_flight_bytes -= flight;
        self.sampler.on_lost(flight);
        self.controller.get_mut().on_lost(now, bytes, self.in_flight_bytes);
        self.drive(now);
    }

    /// A timeout expired without an answer; `pto` is the probe timeout without backoff. True if
    /// congestion has become persistent by this.
    pub fn on_timeout(&mut self, now: Timestamp, pto: Duration) -> bool {
        let is_persistent = self.persistent.check(pto);
        if is_persistent {
            self.controller.get_mut().on_persistent_congestion(now);
            self.drive(now);
        }
        is_persistent
    }

    /// Numbers of packets begin anew, with another control key.
    pub fn on_new_numbers(&mut self) {
        (self.largest, self.last_sent) = (None, PacketNumber(0));
    }

    /// Bytes in flight.
    pub fn in_flight_bytes(&self) -> u64 {
        self.in_flight_bytes
    }

    /// Bytes that may be in flight.
    pub fn window_bytes(&self) -> u64 {
        self.controller.get().window_bytes()
    }

    /// The rate at which packets leave.
    pub fn pacing_rate_bytes_per_sec(&self) -> u64 {
        self.bucket.rate_bytes_per_sec()
    }

    /// The most that leaves back to back.
    pub fn send_quantum_bytes(&self) -> u64 {
        self.bucket.burst_bytes()
    }

    /// What the controller is doing, for metrics.
    pub fn state_name(&self) -> &'static str {
        self.controller.get().state_name()
    }

    /// Passes on new marks. Neither number is believed beyond what we sent: a peer that lies can
    /// slow its own transfers, and no more [CC-3].
    fn count_marks(&mut self, now: Timestamp, feedback: &Feedback) {
        let largest = feedback.largest.min(self.last_sent);
        let arrived = match self.largest {
            Some(before) => largest.0.saturating_sub(before.0),
            None => largest.0.saturating_add(1),
        };
        self.largest = self.largest.max(Some(largest));
        let marked = feedback.ce_count.saturating_sub(self.ce_count);
        self.ce_count = self.ce_count.max(feedback.ce_count);
        let arrived = arrived.max(u64::from(marked > 0));
        if arrived > 0 {
            self.controller.get_mut().on_ecn(now, marked.min(arrived), arrived);
        }
    }

    /// Lets the bucket follow the controller, and the peer's limit if that is lower [CC-2].
    fn drive(&mut self, now: Timestamp) {
        let controller = self.controller.get();
        let limit = match self.rate_limit_bytes_per_sec {
            0 => u64::MAX,
            limit => limit,
        };
        self.bucket.set_rate(now, controller.pacing_rate_bytes_per_sec().min(limit).max(1));
        self.bucket.set_burst(now, controller.send_quantum_bytes());
    }
}

#[cfg(test)]
mod tests;
