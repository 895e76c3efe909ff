//! How much may be in flight on a path, and how fast it leaves.
//!
//! A peer owns one [`PathCongestion`] per path and tells it what was sent, acknowledged, asked for
//! again and marked. It answers when the next packet may leave. Inside are:
//!
//! - a [`Controller`]: [`bbr`] (the default), [`cubic`] or [`fixed`], picked by
//!   [`CongestionControl`];
//! - a [`bandwidth`] sampler that turns acknowledgements into delivery rates;
//! - a [`leaky_bucket`] that spaces packets out, also used on its own for a NIC and for pulls;
//! - [`persistent`] congestion detection.
//!
//! [`dctcp`] is the receiver's side: how much slower it pulls when packets arrive marked.
//!
//! All arithmetic is on integers, so that every platform computes the same windows and rates.

use core::time::Duration;

use crate::time::Timestamp;

pub mod bandwidth;
pub mod bbr;
mod config;
pub mod cubic;
pub mod dctcp;
pub mod fixed;
pub mod leaky_bucket;
mod math;
mod path;
pub mod persistent;

#[cfg(test)]
mod tests;

use bandwidth::RateSample;
pub use config::{CongestionConfig, CongestionControl};
pub use path::{Departure, Feedback, PathCongestion};

/// What one acknowledgement says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AckSample {
    /// Bytes that it acknowledges for the first time.
    pub newly_acked_bytes: u64,
    /// Round-trip time of the newest packet, if it could be measured.
    pub rtt: Option<Duration>,
    /// How fast the path delivers, if it could be measured.
    pub rate: Option<RateSample>,
    /// Bytes in flight after this acknowledgement.
    pub in_flight_bytes: u64,
}

/// A congestion control algorithm.
///
/// Every method takes the time and the facts, and none can fail: odd inputs (time that goes
/// backwards, empty samples, counts that do not add up) give poor estimates and no panic.
pub trait Controller {
    /// `bytes` left; `in_flight_bytes` counts them.
    fn on_sent(&mut self, now: Timestamp, bytes: u64, in_flight_bytes: u64);

    /// The peer acknowledged bytes.
    fn on_ack(&mut self, now: Timestamp, sample: &AckSample);

    /// The peer asked again for one range of `bytes`; they no longer count in `in_flight_bytes`.
    fn on_lost(&mut self, now: Timestamp, bytes: u64, in_flight_bytes: u64);

    /// Of `newly_arrived` packets, `newly_marked` met congestion. Comes before the
    /// [`on_ack`](Self::on_ack) of the same frame.
    fn on_ecn(&mut self, now: Timestamp, newly_marked: u64, newly_arrived: u64);

    /// Nothing that was sent for several timeouts has arrived.
    fn on_persistent_congestion(&mut self, now: Timestamp);

    /// The first packet after a time with nothing in flight is about to leave.
    fn on_idle_restart(&mut self, now: Timestamp);

    /// Bytes that may be in flight.
    fn window_bytes(&self) -> u64;

    /// The rate at which packets should leave; never 0.
    fn pacing_rate_bytes_per_sec(&self) -> u64;

    /// The most that should leave back to back.
    fn send_quantum_bytes(&self) -> u64;

    /// What the algorithm is doing, for metrics.
    fn state_name(&self) -> &'static str;
}

/// One of the controllers, by value.
#[derive(Clone, Debug)]
pub enum AnyController {
    /// BBRv3.
    Bbr(Box<bbr::Bbr>),
    /// CUBIC.
    Cubic(cubic::Cubic),
    /// A rate that the operator picked.
    FixedRate(fixed::FixedRate),
}

impl AnyController {
    /// The controller that the configuration names.
    pub fn new(config: &CongestionConfig, now: Timestamp) -> Self {
        match config.control {
            CongestionControl::Bbr => Self::Bbr(Box::new(bbr::Bbr::new(config, now))),
            CongestionControl::Cubic => Self::Cubic(cubic::Cubic::new(config)),
            CongestionControl::FixedRate { bytes_per_sec } => {
                Self::FixedRate(fixed::FixedRate::new(config, bytes_per_sec))
            }
        }
    }

    /// The controller inside.
    pub fn get(&self) -> &dyn Controller {
        match self {
            Self::Bbr(controller) => controller.as_ref(),
            Self::Cubic(controller) => controller,
            Self::FixedRate(controller) => controller,
        }
    }

    /// The controller inside, to be told something.
    pub fn get_mut(&mut self) -> &mut dyn Controller {
        match self {
            Self::Bbr(controller) => controller.as_mut(),
            Self::Cubic(controller) => controller,
            Self::FixedRate(controller) => controller,
        }
    }
}
