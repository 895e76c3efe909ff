//! How much more is acknowledged at once than the rate explains (draft §5.5.9).
//!
//! A receiver acknowledges whole records, and the path may batch packets. Between two
//! acknowledgements the sender needs that much more in flight to keep sending.

use super::max_filter::MaxFilter;
use crate::{congestion::math::bytes_in, time::Timestamp};

/// The maximum is over 5 to 10 rounds: two windows of five. The draft has 10.
const WINDOW_ROUNDS: u32 = 5;

/// The recent degree of aggregation.
#[derive(Clone, Debug)]
pub(super) struct Aggregation {
    began_at: Timestamp,
    acked: u64,
    extra: MaxFilter,
    rounds: u32,
}

impl Aggregation {
    /// Nothing was aggregated yet.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { began_at: now, acked: 0, extra: MaxFilter::default(), rounds: 0 }
    }

    /// Begins an interval.
    pub(super) fn restart(&mut self, now: Timestamp) {
        self.began_at = now;
        self.acked = 0;
    }

    /// `newly_acked` bytes were acknowledged.
    pub(super) fn update(
        &mut self,
        now: Timestamp,
        newly_acked: u64,
        bandwidth: u64,
        window: u64,
        has_round_started: bool,
        is_pipe_full: bool,
    ) {
        if has_round_started {
            self.rounds += 1;
            // in Startup, the rate is what grows: only the last round counts
            if self.rounds >= if is_pipe_full { WINDOW_ROUNDS } else { 1 } {
                self.rounds = 0;
                self.extra.expire();
            }
        }
        let mut expected = bytes_in(bandwidth, now.saturating_since(self.began_at));
        if self.acked <= expected {
            self.restart(now);
            expected = 0;
        }
        self.acked = self.acked.saturating_add(newly_acked);
        self.extra.update(self.acked.saturating_sub(expected).min(window));
    }

    /// Bytes to have in flight beyond what the rate needs.
    pub(super) fn extra_bytes(&self) -> u64 {
        self.extra.get()
    }
}
