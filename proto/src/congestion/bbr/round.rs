//! Round trips, counted in packets (draft §5.5.1).

/// Ends a round when a packet is acknowledged that left after the round began.
#[derive(Clone, Debug, Default)]
pub(super) struct Round {
    next_delivered: u64,
    count: u64,
    has_started: bool,
}

impl Round {
    /// An acknowledgement is at hand that may not measure anything.
    pub(super) fn begin_ack(&mut self) {
        self.has_started = false;
    }

    /// A packet was acknowledged that left when `prior_delivered` bytes had been delivered.
    pub(super) fn update(&mut self, prior_delivered: u64, delivered: u64) {
        self.has_started = prior_delivered >= self.next_delivered;
        if self.has_started {
            self.count += 1;
            self.restart(delivered);
        }
    }

    /// Begins a round with the packets that leave from now on.
    pub(super) fn restart(&mut self, delivered: u64) {
        self.next_delivered = delivered;
    }

    /// Whether this acknowledgement is the first of a round.
    pub(super) fn has_started(&self) -> bool {
        self.has_started
    }

    /// Rounds so far.
    pub(super) fn count(&self) -> u64 {
        self.count
    }
}
