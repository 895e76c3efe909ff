//! Which congestion control, and its limits.

use crate::config::ConfigError;

/// Which algorithm controls a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CongestionControl {
    /// BBRv3: follows the measured delivery rate and round-trip time.
    #[default]
    Bbr,
    /// CUBIC: follows losses and marks.
    Cubic,
    /// No control: the operator knows the rate. For isolated networks and for measurements.
    FixedRate {
        /// The rate.
        bytes_per_sec: u64,
    },
}

/// Congestion control of one path; [`validate`](Self::validate) names what is out of range.
#[derive(Clone, Debug)]
pub struct CongestionConfig {
    /// The algorithm.
    pub control: CongestionControl,
    /// Bytes in flight before anything was measured.
    ///
    /// The default of 256 KiB is two pulls: with less, the first round trip of a path would be
    /// slower than the receiver asks.
    pub initial_window_bytes: u64,
    /// The window is never less.
    ///
    /// The default of 128 KiB is two records of 64 KiB. A receiver acknowledges whole records, so
    /// a window below one record plus one datagram would never be acknowledged, and the path would
    /// stand still until a timer.
    pub min_window_bytes: u64,
    /// The window is never more.
    pub max_window_bytes: u64,
    /// The largest UDP payload, the unit in which windows grow.
    pub max_datagram_bytes: u64,
    /// The most that leaves back to back, as one batch to the link.
    pub max_quantum_bytes: u64,
    /// The pacing rate before anything was measured.
    ///
    /// The default of 10 Gbit/s is what every port in a datacenter carries.
    pub initial_rate_bytes_per_sec: u64,
    /// Seed of what is drawn at random: when BBR probes.
    pub seed: u64,
}

impl CongestionConfig {
    /// For hosts of one datacenter.
    pub fn datacenter() -> Self {
        Self {
            control: CongestionControl::Bbr,
            initial_window_bytes: 256 << 10,
            min_window_bytes: 128 << 10,
            max_window_bytes: 1 << 30,
            max_datagram_bytes: 1_400,
            max_quantum_bytes: 64 << 10,
            initial_rate_bytes_per_sec: 1_250_000_000,
            seed: 0,
        }
    }

    /// Checks every field and the relations between them.
    ///
    /// # Errors
    /// The first value that is out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let rate = match self.control {
            CongestionControl::FixedRate { bytes_per_sec } => bytes_per_sec,
            CongestionControl::Bbr | CongestionControl::Cubic => self.initial_rate_bytes_per_sec,
        };
        let (least, most) = (self.min_window_bytes, self.max_window_bytes);
        let ranges: [(&'static str, u64, u64, u64); 7] = [
            ("max_datagram_bytes", self.max_datagram_bytes, 1, 65_507),
            ("min_window_bytes", least, self.max_datagram_bytes.saturating_mul(2), 1 << 40),
            ("max_window_bytes", most, least, 1 << 40),
            ("initial_window_bytes", self.initial_window_bytes, least, most),
            ("max_quantum_bytes", self.max_quantum_bytes, self.max_datagram_bytes, 1 << 30),
            ("initial_rate_bytes_per_sec", self.initial_rate_bytes_per_sec, 1, 1 << 50),
            ("bytes_per_sec", rate, 1, 1 << 50),
        ];
        for (name, value, min, max) in ranges {
            if value < min || value > max {
                return Err(ConfigError::OutOfRange { name, value, min, max });
            }
        }
        Ok(())
    }

    /// `bytes`, brought between the least and the most that a window may be.
    pub(super) fn bound_window(&self, bytes: u64) -> u64 {
        bytes.min(self.max_window_bytes).max(self.min_window_bytes)
    }
}

impl Default for CongestionConfig {
    fn default() -> Self {
        Self::datacenter()
    }
}

#[cfg(test)]
mod tests;
