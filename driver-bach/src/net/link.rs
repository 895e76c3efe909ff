//! A transmitter and the wire behind it.

use super::{Picos, PortStats, rate::Rate};

/// What is at an end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// An interface of a host.
    Nic,
    /// A switch, by number.
    Switch(u32),
}

/// One direction of a cable: a transmitter of constant rate with its queue, and the wire.
///
/// A first-in-first-out queue at constant rate needs no list: the moment at which the transmitter
/// will have sent everything gives the queue's length and each departure exactly.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// From the transmitter to the far end; if that is a NIC, to the host behind it.
    pub(super) delay: Picos,
    /// What transmits.
    pub(super) from: Node,
    /// What receives.
    pub(super) to: Node,
    /// The first of its two queues in the memory of its switch; control frames have the second.
    pub(super) queues: u32,
    /// How often the link went down.
    pub(super) epoch: u32,
    /// How many faults hold the link down at present.
    pub(super) holds: u32,
    /// When it last went down.
    pub(super) down_at: Picos,
    pub(super) stats: PortStats,
    /// The delay without faults.
    pub(super) normal_delay: Picos,
    /// The rate without faults.
    pub(super) normal_rate: Rate,
    rate: Rate,
    /// When everything that was taken will have been sent.
    free_at: Picos,
    /// When the control frames that were taken will have been sent, where these come first.
    control_free_at: Picos,
    /// The time that the last ordinary frame takes.
    last_span: Picos,
    /// Until when frames leave at another rate, because they waited when the rate changed.
    before: (Picos, Rate),
}

impl Link {
    pub(super) fn new(from: Node, to: Node, rate: Rate, delay: Picos) -> Self {
        Self {
            delay,
            from,
            to,
            queues: 0,
            epoch: 0,
            holds: 0,
            down_at: Picos::ZERO,
            stats: PortStats::default(),
            normal_delay: delay,
            normal_rate: rate,
            rate,
            free_at: Picos::ZERO,
            control_free_at: Picos::ZERO,
            last_span: Picos::ZERO,
            before: (Picos::ZERO, rate),
        }
    }

    /// Bytes taken and not yet sent.
    pub(super) fn queue(&self, now: Picos) -> u64 {
        let (until, rate) = self.before;
        if now >= until {
            return self.rate.bytes(self.free_at.saturating_since(now));
        }
        rate.bytes(until.saturating_since(now))
            + self.rate.bytes(self.free_at.saturating_since(until))
    }

    /// Bytes of control frames taken and not yet sent, where these come first.
    pub(super) fn control_queue(&self, now: Picos) -> u64 {
        self.rate.bytes(self.control_free_at.saturating_since(now))
    }

    /// When at most `bytes` will wait; in the past if that is so already.
    pub(super) fn drained_to(&self, bytes: u64) -> Picos {
        let (until, rate) = self.before;
        let behind = self.rate.bytes(self.free_at.saturating_since(until));
        if bytes <= behind {
            return self.free_at.saturating_since(self.rate.span(bytes));
        }
        until.saturating_since(rate.span(bytes - behind))
    }

    /// Takes a frame behind everything that waits; when its last bit leaves.
    pub(super) fn take(&mut self, now: Picos, bytes: u64) -> Picos {
        let span = self.rate.span(bytes);
        self.free_at = self.free_at.max(now) + span;
        self.last_span = span;
        self.record(bytes, span);
        self.free_at
    }

    /// Takes a control frame behind other control frames only; when its last bit leaves.
    ///
    /// This is an approximation, because departures that were announced cannot be taken back. The
    /// frame waits for one ordinary frame if any wait, and later ordinary frames wait for it; those
    /// that waited already keep their times, so that the wire is overbooked for so long as
    /// control frames overtake them.
    pub(super) fn take_control(&mut self, now: Picos, bytes: u64) -> Picos {
        let span = self.rate.span(bytes);
        let in_service = self.free_at.saturating_since(now).min(self.last_span);
        self.control_free_at = self.control_free_at.max(now + in_service) + span;
        self.free_at = (self.free_at.max(now) + span).max(self.control_free_at);
        self.record(bytes, span);
        self.control_free_at
    }

    /// Changes the rate for the frames to come. Those that wait keep their times.
    pub(super) fn set_rate(&mut self, now: Picos, rate: Rate) {
        if rate == self.rate {
            return;
        }
        let span = self.free_at.saturating_since(now);
        if span > Picos::ZERO {
            // What waits may already be of two rates; their mean keeps the length of the queue.
            let mixed = now < self.before.0;
            let mean = if mixed { Rate::mean(self.queue(now), span) } else { self.rate };
            self.before = (self.free_at, mean);
        }
        self.rate = rate;
    }

    /// Forgets everything that waits.
    pub(super) fn flush(&mut self, now: Picos) {
        let unsent = self.free_at.saturating_since(now);
        self.stats.busy = self.stats.busy.saturating_since(unsent);
        self.free_at = self.free_at.min(now);
        self.control_free_at = self.control_free_at.min(now);
        self.before.0 = self.before.0.min(now);
    }

    fn record(&mut self, bytes: u64, span: Picos) {
        self.stats.forwarded += bytes;
        self.stats.busy += span;
    }
}

#[cfg(test)]
mod tests;
