//! From the model to a rate, a quantum and a window (draft §5.6).

use core::time::Duration;

use super::{Bbr, Gain, Phase, QUANTA_PER_RTT, State, UNBOUNDED, drain, probe_bw, startup};
use crate::congestion::math::bytes_in;

/// Pacing stays 1 % below the estimate, so that queues empty: BBR.PacingMarginPercent.
const MARGIN: Gain = Gain(990);

/// BBR.DefaultCwndGain, and that of ProbeBW_UP.
const WINDOW_GAIN: Gain = Gain(2_000);
const UP_WINDOW_GAIN: Gain = Gain(2_250);

/// Quanta that a host may hold besides what is on the path: one queued, one in the card, one at
/// the receiver.
const OFFLOAD_QUANTA: u64 = 3;

impl Bbr {
    pub(super) fn pacing_gain(&self) -> Gain {
        match self.state {
            State::Startup => startup::PACING_GAIN,
            State::Drain => drain::PACING_GAIN,
            State::ProbeBw(Phase::Down) => probe_bw::DOWN_GAIN,
            State::ProbeBw(Phase::Up) => probe_bw::UP_GAIN,
            State::ProbeBw(Phase::Cruise | Phase::Refill) | State::ProbeRtt => Gain::ONE,
        }
    }

    fn window_gain(&self) -> Gain {
        match self.state {
            State::ProbeBw(Phase::Up) => UP_WINDOW_GAIN,
            State::ProbeRtt => super::probe_rtt::WINDOW_GAIN,
            _ => WINDOW_GAIN,
        }
    }

    /// Until the pipe was full once, the rate only grows: early samples are small because little
    /// was sent.
    pub(super) fn set_pacing_rate(&mut self, gain: Gain) {
        let rate = MARGIN.of(gain.of(self.bandwidth()));
        if rate > self.pacing_rate || (self.full_pipe.is_reached() && rate > 0) {
            self.pacing_rate = rate;
        }
    }

    pub(super) fn set_send_quantum(&mut self) {
        let most = self.config.max_quantum_bytes;
        let least = (2 * self.config.max_datagram_bytes).min(most);
        let span = self.min_rtt.get().unwrap_or(Duration::from_micros(100)) / QUANTA_PER_RTT;
        self.send_quantum = bytes_in(self.pacing_rate, span).clamp(least, most);
    }

    /// Inflight: a multiple of the product of delay and bandwidth, and what the hosts hold.
    pub(super) fn inflight(&self, bandwidth: u64, gain: Gain) -> u64 {
        self.with_quanta(self.bdp(bandwidth, gain))
    }

    fn with_quanta(&self, volume: u64) -> u64 {
        let offload = OFFLOAD_QUANTA.saturating_mul(self.send_quantum);
        let volume = volume.max(offload).max(self.config.min_window_bytes);
        if self.state == State::ProbeBw(Phase::Up) {
            volume.saturating_add(2 * self.config.max_datagram_bytes)
        } else {
            volume
        }
    }

    /// SetCwnd.
    pub(super) fn set_window(&mut self, newly_acked: u64) {
        let volume = self.bdp(self.bandwidth(), self.window_gain());
        let most = self.with_quanta(volume.saturating_add(self.aggregation.extra_bytes()));
        let grown = self.window.saturating_add(newly_acked);
        if self.full_pipe.is_reached() {
            self.window = grown.min(most);
        } else if self.window < most || self.delivered < self.config.initial_window_bytes {
            self.window = grown;
        }
        if self.state == State::ProbeRtt {
            self.window = self.window.min(self.probe_rtt_window());
        }
        self.window = self.config.bound_window(self.window.min(self.model_bound()));
    }

    /// BoundCwndForModel.
    fn model_bound(&self) -> u64 {
        let bound = match self.state {
            State::ProbeBw(Phase::Cruise) | State::ProbeRtt => self.inflight_with_headroom(),
            State::ProbeBw(_) => self.model.inflight_longterm,
            State::Startup | State::Drain => UNBOUNDED,
        };
        bound.min(self.model.inflight_shortterm)
    }
}
