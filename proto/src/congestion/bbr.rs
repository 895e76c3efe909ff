//! BBRv3 (draft-ietf-ccwg-bbr-06), for datacenters.
//!
//! BBR keeps a model of the path, the fastest delivery and the least round-trip time seen of late,
//! and sends at that rate with about that product in flight. It probes for more now and then, and
//! backs off where losses or marks show that it was too much.
//!
//! Where this differs from the draft:
//!
//! - *Send quantum*: 1/16 of the least RTT at the pacing rate, not 1 ms of it, which would be ten
//!   round trips; still between 2 datagrams and 64 KiB.
//! - *ProbeRTT* lasts 10 least RTTs (0.5 to 200 ms), not 200 ms, and comes every 2,000 least RTTs
//!   (50 ms to 5 s), not 5 s. From an RTT of 20 ms on, both are the draft's. It never costs more
//!   than the draft's 2 %. The least RTT is remembered for twice the interval, as in the draft.
//! - *Marks*: the draft leaves ECN out. This follows Google's implementation (tcp_bbr.c of the v3
//!   branch): alpha as in DCTCP, `inflight_shortterm` cut by alpha / 3 in a round with marks, half
//!   of a flight or of a round marked means too much in flight, two such rounds end Startup.
//! - *Losses* come as ranges of bytes that the receiver asks for again, without packet numbers.
//!   Whether a probe lost too much is therefore judged when the next acknowledgement arrives, by
//!   the bytes lost since its packet left, and not per lost packet.
//! - There are no recovery episodes, so nothing is undone after a spurious one: a receiver asks
//!   again only after a reordering threshold and a round trip. After persistent congestion the window begins at the
//!   minimum, and grows with what is delivered.
//! - The minimum window is configured: the draft's 4 datagrams are less than one record, and a
//!   receiver acknowledges records.

use super::{AckSample, CongestionConfig, Controller, bandwidth::RateSample};
use crate::{rng::Jitter, time::Timestamp};

mod aggregation;
mod drain;
mod ecn;
mod max_filter;
mod min_rtt;
mod model;
mod output;
mod probe_bw;
mod probe_rtt;
mod round;
mod startup;

use aggregation::Aggregation;
use ecn::EcnRounds;
use min_rtt::MinRtt;
use model::Model;
use probe_bw::{Phase, ProbeBw};
use probe_rtt::ProbeRtt;
use round::Round;
use startup::FullPipe;

/// The send quantum is what leaves in this part of the least RTT.
pub(super) const QUANTA_PER_RTT: u32 = 16;

/// A volume or rate without a bound.
const UNBOUNDED: u64 = u64::MAX;

/// What the flow is doing (draft §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Doubling the rate every round until the pipe is full.
    Startup,
    /// Emptying the queue that Startup built.
    Drain,
    /// Steady: down, cruise, refill, up.
    ProbeBw(Phase),
    /// Little in flight for a while, to see the path's own delay.
    ProbeRtt,
}

/// A factor, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gain(u64);

impl Gain {
    const ONE: Self = Self(1_000);

    fn of(self, value: u64) -> u64 {
        super::math::scale(value, self.0, 1_000)
    }
}

/// The BBR controller.
#[derive(Clone, Debug)]
pub struct Bbr {
    config: CongestionConfig,
    jitter: Jitter,
    state: State,
    round: Round,
    model: Model,
    min_rtt: MinRtt,
    full_pipe: FullPipe,
    drain_round: u64,
    probe_bw: ProbeBw,
    probe_rtt: ProbeRtt,
    aggregation: Aggregation,
    ecn: EcnRounds,
    delivered: u64,
    idle_restart: bool,
    /// The window was full at some point of this round or the last.
    was_window_full: [bool; 2],
    window: u64,
    prior_window: u64,
    pacing_rate: u64,
    send_quantum: u64,
}

impl Bbr {
    /// Begins in Startup.
    pub fn new(config: &CongestionConfig, now: Timestamp) -> Self {
        let window = config.bound_window(config.initial_window_bytes);
        Self {
            jitter: Jitter::new(config.seed),
            state: State::Startup,
            round: Round::default(),
            model: Model::default(),
            min_rtt: MinRtt::default(),
            full_pipe: FullPipe::default(),
            drain_round: 0,
            probe_bw: ProbeBw::default(),
            probe_rtt: ProbeRtt::default(),
            aggregation: Aggregation::new(now),
            ecn: EcnRounds::default(),
            delivered: 0,
            idle_restart: false,
            was_window_full: [false; 2],
            window,
            prior_window: 0,
            pacing_rate: config.initial_rate_bytes_per_sec.max(1),
            send_quantum: config.max_quantum_bytes.min((window / 4).max(config.max_datagram_bytes)),
            config: config.clone(),
        }
    }

    /// The product of delay and bandwidth, times a gain; the initial window while unknown.
    fn bdp(&self, bandwidth: u64, gain: Gain) -> u64 {
        match self.min_rtt.get() {
            Some(rtt) if bandwidth > 0 => gain.of(super::math::bytes_in(bandwidth, rtt)),
            _ => self.config.initial_window_bytes,
        }
    }

    /// BBR.bw: what the path is taken to deliver.
    fn bandwidth(&self) -> u64 {
        self.model.bandwidth()
    }

    /// Whether the flow is trying to find more bandwidth.
    fn is_probing(&self) -> bool {
        matches!(self.state, State::Startup | State::ProbeBw(Phase::Refill | Phase::Up))
    }

    fn is_window_limited(&self) -> bool {
        self.was_window_full[0] || self.was_window_full[1]
    }

    /// UpdateModelAndState (draft §5.2.3), for an acknowledgement that measured a rate.
    fn update(&mut self, now: Timestamp, sample: &AckSample, rate: &RateSample) {
        self.round.update(rate.prior_delivered_bytes, self.delivered);
        if self.round.has_started() {
            self.was_window_full = [false, self.was_window_full[0]];
        }
        self.model.update_latest(rate, self.delivered);
        self.model.update_max_bandwidth(rate);
        if self.model.has_loss_round_ended() {
            self.ecn.end_round();
            self.adapt_lower_bounds();
        }
        self.aggregation.update(
            now,
            sample.newly_acked_bytes,
            self.model.bandwidth(),
            self.window,
            self.round.has_started(),
            self.full_pipe.is_reached(),
        );
        self.full_pipe.update(rate, self.round.has_started());
        self.check_startup_done(rate);
        self.check_drain_done(now, sample.in_flight_bytes);
        self.update_probe_bw(now, sample, rate);
        let is_rtt_due = self.min_rtt.update(now, sample.rtt);
        self.check_probe_rtt(now, sample.in_flight_bytes, is_rtt_due);
        if self.model.has_loss_round_ended() {
            self.model.end_loss_round(rate);
        }
    }

    /// Once a round, away from probes: follow what congestion left (draft §5.5.10.3).
    fn adapt_lower_bounds(&mut self) {
        if self.is_probing() {
            return;
        }
        if self.ecn.was_marked() {
            let bound = self.model.inflight_shortterm_or(self.window);
            self.model.inflight_shortterm = self.ecn.reduce(bound);
        }
        if self.model.has_loss_in_round() {
            self.model.adapt_to_loss(self.window);
        }
    }

    /// Whether losses or marks say that too much was in flight when the newest packet left.
    fn is_inflight_too_high(&self, rate: &RateSample) -> bool {
        // half of a flight need not wait for the end of its round
        let marked = self.ecn.marked_now().saturating_mul(2 * self.config.max_datagram_bytes);
        model::is_loss_too_high(rate)
            || (marked > 0 && marked >= rate.tx_in_flight_bytes)
            || (self.model.has_loss_round_ended() && self.ecn.was_half_marked())
    }
}

impl Controller for Bbr {
    fn on_sent(&mut self, _: Timestamp, _: u64, in_flight_bytes: u64) {
        if in_flight_bytes.saturating_add(self.config.max_datagram_bytes) > self.window {
            self.was_window_full[0] = true;
        }
    }

    fn on_ack(&mut self, now: Timestamp, sample: &AckSample) {
        self.delivered = self.delivered.saturating_add(sample.newly_acked_bytes);
        self.round.begin_ack();
        self.model.begin_ack();
        if let Some(mut rate) = sample.rate {
            rate.is_app_limited |= self.probe_rtt.hides(rate.prior_delivered_bytes);
            self.update(now, sample, &rate);
        } else {
            self.min_rtt.update(now, sample.rtt);
        }
        if sample.newly_acked_bytes > 0 {
            self.idle_restart = false;
        }
        self.set_pacing_rate(self.pacing_gain());
        self.set_send_quantum();
        self.set_window(sample.newly_acked_bytes);
    }

    fn on_lost(&mut self, _: Timestamp, bytes: u64, _: u64) {
        if bytes > 0 {
            self.model.note_loss(self.delivered);
        }
    }

    fn on_ecn(&mut self, _: Timestamp, newly_marked: u64, newly_arrived: u64) {
        self.ecn.add(newly_arrived, newly_marked);
    }

    fn on_persistent_congestion(&mut self, _: Timestamp) {
        self.save_window();
        self.full_pipe.restart(0);
        self.window = self.config.min_window_bytes;
    }

    fn on_idle_restart(&mut self, now: Timestamp) {
        self.idle_restart = true;
        self.aggregation.restart(now);
        match self.state {
            State::ProbeBw(_) => self.set_pacing_rate(Gain::ONE),
            State::ProbeRtt => self.check_probe_rtt_done(now),
            State::Startup | State::Drain => {}
        }
    }

    fn window_bytes(&self) -> u64 {
        self.window
    }

    fn pacing_rate_bytes_per_sec(&self) -> u64 {
        self.pacing_rate
    }

    fn send_quantum_bytes(&self) -> u64 {
        self.send_quantum
    }

    fn state_name(&self) -> &'static str {
        match self.state {
            State::Startup => "startup",
            State::Drain => "drain",
            State::ProbeBw(Phase::Down) => "probe_bw_down",
            State::ProbeBw(Phase::Cruise) => "probe_bw_cruise",
            State::ProbeBw(Phase::Refill) => "probe_bw_refill",
            State::ProbeBw(Phase::Up) => "probe_bw_up",
            State::ProbeRtt => "probe_rtt",
        }
    }
}

#[cfg(test)]
mod tests;
