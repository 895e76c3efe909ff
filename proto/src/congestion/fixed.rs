//! A rate that the operator picked.

use super::{AckSample, CongestionConfig, Controller};
use crate::time::Timestamp;

/// Sends at one rate, whatever the path says.
#[derive(Clone, Debug)]
pub struct FixedRate {
    rate_bytes_per_sec: u64,
    window_bytes: u64,
    quantum_bytes: u64,
}

impl FixedRate {
    /// Sends at `bytes_per_sec`, and at one byte per second if that is 0.
    pub fn new(config: &CongestionConfig, bytes_per_sec: u64) -> Self {
        Self {
            rate_bytes_per_sec: bytes_per_sec.max(1),
            window_bytes: config.max_window_bytes,
            quantum_bytes: config.max_quantum_bytes,
        }
    }
}

impl Controller for FixedRate {
    fn on_sent(&mut self, _: Timestamp, _: u64, _: u64) {}

    fn on_ack(&mut self, _: Timestamp, _: &AckSample) {}

    fn on_lost(&mut self, _: Timestamp, _: u64, _: u64) {}

    fn on_ecn(&mut self, _: Timestamp, _: u64, _: u64) {}

    fn on_persistent_congestion(&mut self, _: Timestamp) {}

    fn on_idle_restart(&mut self, _: Timestamp) {}

    fn window_bytes(&self) -> u64 {
        self.window_bytes
    }

    fn pacing_rate_bytes_per_sec(&self) -> u64 {
        self.rate_bytes_per_sec
    }

    fn send_quantum_bytes(&self) -> u64 {
        self.quantum_bytes
    }

    fn state_name(&self) -> &'static str {
        "fixed_rate"
    }
}

#[cfg(test)]
mod tests;
