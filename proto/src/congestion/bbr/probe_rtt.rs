//! ProbeRTT: little in flight for a while, to see the path's own delay (draft §5.3.4).

use super::{Bbr, Gain, State, probe_bw::AckPhase};
use crate::time::Timestamp;

/// BBR.ProbeRTTCwndGain.
pub(super) const WINDOW_GAIN: Gain = Gain(500);

/// One ProbeRTT.
#[derive(Clone, Debug, Default)]
pub(super) struct ProbeRtt {
    /// From when on it may end; set once little is in flight.
    done_at: Option<Timestamp>,
    is_round_done: bool,
    /// Samples of packets that left before this much was delivered are about ProbeRTT.
    hidden_until: u64,
}

impl ProbeRtt {
    /// Whether a sample says nothing about the bandwidth: the window was small on purpose.
    pub(super) fn hides(&self, prior_delivered: u64) -> bool {
        prior_delivered < self.hidden_until
    }
}

impl Bbr {
    /// CheckProbeRTT.
    pub(super) fn check_probe_rtt(&mut self, now: Timestamp, in_flight: u64, is_due: bool) {
        if self.state != State::ProbeRtt && is_due && !self.idle_restart {
            self.save_window();
            self.state = State::ProbeRtt;
            self.probe_rtt.done_at = None;
            self.probe_bw.ack_phase = AckPhase::Stopping;
            self.round.restart(self.delivered);
        }
        if self.state == State::ProbeRtt {
            self.handle_probe_rtt(now, in_flight);
        }
    }

    fn handle_probe_rtt(&mut self, now: Timestamp, in_flight: u64) {
        self.probe_rtt.hidden_until = self.delivered.saturating_add(in_flight);
        if self.probe_rtt.done_at.is_none() {
            if in_flight <= self.probe_rtt_window() {
                self.probe_rtt.done_at = Some(now + self.min_rtt.probe_duration());
                self.probe_rtt.is_round_done = false;
                self.round.restart(self.delivered);
            }
            return;
        }
        self.probe_rtt.is_round_done |= self.round.has_started();
        if self.probe_rtt.is_round_done {
            self.check_probe_rtt_done(now);
        }
    }

    /// CheckProbeRTTDone.
    pub(super) fn check_probe_rtt_done(&mut self, now: Timestamp) {
        if self.probe_rtt.done_at.is_none_or(|at| now <= at) {
            return;
        }
        self.min_rtt.schedule(now);
        self.window = self.window.max(self.prior_window);
        self.model.forget_short_term();
        if self.full_pipe.is_reached() {
            // little is in flight, so there is nothing to drain
            self.start_down(now);
            self.start_cruise();
        } else {
            self.state = State::Startup;
        }
    }

    /// SaveCwnd: the last window that was not cut on purpose.
    pub(super) fn save_window(&mut self) {
        self.prior_window = if self.state == State::ProbeRtt {
            self.prior_window.max(self.window)
        } else {
            self.window
        };
    }

    pub(super) fn probe_rtt_window(&self) -> u64 {
        self.bdp(self.bandwidth(), WINDOW_GAIN).max(self.config.min_window_bytes)
    }
}
