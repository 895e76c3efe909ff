//! Drain: empty the queue that Startup built (draft §5.3.2).

use super::{Bbr, Gain, State};
use crate::time::Timestamp;

/// BBR.DrainPacingGain.
pub(super) const PACING_GAIN: Gain = Gain(500);

/// Drain is over after this many rounds, whatever is in flight.
const MAX_ROUNDS: u64 = 3;

impl Bbr {
    pub(super) fn enter_drain(&mut self) {
        self.state = State::Drain;
        self.drain_round = self.round.count();
    }

    pub(super) fn check_drain_done(&mut self, now: Timestamp, in_flight: u64) {
        if self.state == State::Drain
            && (in_flight <= self.inflight(self.bandwidth(), Gain::ONE)
                || self.round.count() > self.drain_round + MAX_ROUNDS)
        {
            self.start_down(now);
        }
    }
}
