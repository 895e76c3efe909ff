//! What the path is taken to bear: long-term and short-term bounds (draft §5.5).

use super::{Gain, UNBOUNDED, max_filter::MaxFilter};
use crate::congestion::bandwidth::RateSample;

/// More than this share of a round lost is too much, in percent: BBR.LossThresh.
const LOSS_THRESHOLD_PERCENT: u128 = 2;

/// What a round with losses leaves at least of the short-term bounds: BBR.Beta.
pub(super) const BETA: Gain = Gain(700);

/// Rates and volumes.
#[derive(Clone, Debug)]
pub(super) struct Model {
    max_bandwidth: MaxFilter,
    bandwidth_shortterm: u64,
    pub(super) inflight_shortterm: u64,
    pub(super) inflight_longterm: u64,
    bandwidth_latest: u64,
    inflight_latest: u64,
    loss_round_delivered: u64,
    has_loss_round_ended: bool,
    has_loss_in_round: bool,
    losses_in_round: u32,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            max_bandwidth: MaxFilter::default(),
            bandwidth_shortterm: UNBOUNDED,
            inflight_shortterm: UNBOUNDED,
            inflight_longterm: UNBOUNDED,
            bandwidth_latest: 0,
            inflight_latest: 0,
            loss_round_delivered: 0,
            has_loss_round_ended: false,
            has_loss_in_round: false,
            losses_in_round: 0,
        }
    }
}

impl Model {
    /// An acknowledgement is at hand that may not measure anything.
    pub(super) fn begin_ack(&mut self) {
        self.has_loss_round_ended = false;
    }

    /// UpdateLatestDeliverySignals.
    pub(super) fn update_latest(&mut self, rate: &RateSample, delivered: u64) {
        self.bandwidth_latest = self.bandwidth_latest.max(rate.bytes_per_sec);
        self.inflight_latest = self.inflight_latest.max(rate.delivered_bytes);
        if rate.prior_delivered_bytes >= self.loss_round_delivered {
            self.loss_round_delivered = delivered;
            self.has_loss_round_ended = true;
        }
    }

    /// UpdateMaxBw. Samples that the application limited only ever raise the estimate.
    pub(super) fn update_max_bandwidth(&mut self, rate: &RateSample) {
        if !rate.is_app_limited || rate.bytes_per_sec >= self.max_bandwidth() {
            self.max_bandwidth.update(rate.bytes_per_sec);
        }
    }

    /// A cycle of probing is over.
    pub(super) fn advance_max_bandwidth(&mut self) {
        self.max_bandwidth.advance();
    }

    /// BBR.max_bw.
    pub(super) fn max_bandwidth(&self) -> u64 {
        self.max_bandwidth.get()
    }

    /// BBR.bw.
    pub(super) fn bandwidth(&self) -> u64 {
        self.max_bandwidth().min(self.bandwidth_shortterm)
    }

    /// The most that was delivered in the last round trip.
    pub(super) fn inflight_latest(&self) -> u64 {
        self.inflight_latest
    }

    /// NoteLoss: a range of bytes was lost.
    pub(super) fn note_loss(&mut self, delivered: u64) {
        if !self.has_loss_in_round {
            self.loss_round_delivered = delivered;
        }
        self.has_loss_in_round = true;
        self.losses_in_round = self.losses_in_round.saturating_add(1);
    }

    /// Whether a round in which losses are counted ends with this acknowledgement.
    pub(super) fn has_loss_round_ended(&self) -> bool {
        self.has_loss_round_ended
    }

    /// Whether something was lost in this round.
    pub(super) fn has_loss_in_round(&self) -> bool {
        self.has_loss_in_round
    }

    /// Ranges lost in this round.
    pub(super) fn losses_in_round(&self) -> u32 {
        self.losses_in_round
    }

    /// AdvanceLatestDeliverySignals, when a loss round ended.
    pub(super) fn end_loss_round(&mut self, rate: &RateSample) {
        self.bandwidth_latest = rate.bytes_per_sec;
        self.inflight_latest = rate.delivered_bytes;
        self.has_loss_in_round = false;
        self.losses_in_round = 0;
    }

    /// The short-term volume, which begins as the window.
    pub(super) fn inflight_shortterm_or(&self, window: u64) -> u64 {
        if self.inflight_shortterm == UNBOUNDED { window } else { self.inflight_shortterm }
    }

    /// LossLowerBounds: slow down towards what was delivered of late.
    pub(super) fn adapt_to_loss(&mut self, window: u64) {
        if self.bandwidth_shortterm == UNBOUNDED {
            self.bandwidth_shortterm = self.max_bandwidth();
        }
        let bandwidth = BETA.of(self.bandwidth_shortterm);
        self.bandwidth_shortterm = self.bandwidth_latest.max(bandwidth);
        let inflight = BETA.of(self.inflight_shortterm_or(window));
        self.inflight_shortterm = self.inflight_latest.max(inflight);
    }

    /// ResetShortTermModel.
    pub(super) fn forget_short_term(&mut self) {
        self.bandwidth_shortterm = UNBOUNDED;
        self.inflight_shortterm = UNBOUNDED;
    }

    /// ResetCongestionSignals.
    pub(super) fn forget_signals(&mut self) {
        self.has_loss_in_round = false;
        self.losses_in_round = 0;
        self.bandwidth_latest = 0;
        self.inflight_latest = 0;
    }
}

/// Whether more was lost since the newest packet left than probing may lose.
pub(super) fn is_loss_too_high(rate: &RateSample) -> bool {
    let allowed = u128::from(rate.tx_in_flight_bytes) * LOSS_THRESHOLD_PERCENT;
    u128::from(rate.lost_bytes) * 100 > allowed
}
