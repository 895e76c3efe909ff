//! Round-trip time as RFC 9002 §5 estimates it.

use core::time::Duration;

/// Smoothed round-trip time, its variation and its minimum.
#[derive(Clone, Debug)]
pub struct RttEstimator {
    smoothed: Duration,
    variation: Duration,
    min: Duration,
    latest: Duration,
    samples: u64,
}

impl RttEstimator {
    /// An estimator that answers `initial` before the first sample.
    pub fn new(initial: Duration) -> Self {
        let variation = initial / 2;
        Self { smoothed: initial, variation, min: initial, latest: initial, samples: 0 }
    }

    /// Takes a sample that includes `ack_delay` at the peer.
    pub fn update(&mut self, sample: Duration, ack_delay: Duration) {
        self.samples += 1;
        self.latest = sample;
        if self.samples == 1 {
            self.min = sample;
            self.smoothed = sample;
            self.variation = sample / 2;
            return;
        }
        self.min = self.min.min(sample);
        // the peer's word for its delay may not push the sample below what was ever seen
        let adjusted = match sample.checked_sub(ack_delay) {
            Some(adjusted) if adjusted >= self.min => adjusted,
            _ => sample,
        };
        let deviation = self.smoothed.abs_diff(adjusted);
        self.variation = (self.variation * 3 + deviation) / 4;
        self.smoothed = (self.smoothed * 7 + adjusted) / 8;
    }

    /// The smoothed round-trip time.
    pub fn smoothed(&self) -> Duration {
        self.smoothed
    }

    /// The mean deviation.
    pub fn variation(&self) -> Duration {
        self.variation
    }

    /// The least sample, or the initial value.
    pub fn min(&self) -> Duration {
        self.min
    }

    /// The newest sample, or the initial value.
    pub fn latest(&self) -> Duration {
        self.latest
    }

    /// Samples taken.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// How long to wait before asking again (RFC 9002 §6.2.1), at least `floor`.
    pub fn pto(&self, floor: Duration, max_ack_delay: Duration) -> Duration {
        (self.smoothed + self.variation * 4 + max_ack_delay).max(floor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_first_sample_replaces_the_initial_value() {
        let mut rtt = RttEstimator::new(MS * 100);
        rtt.update(MS * 10, MS * 2);
        assert_eq!((rtt.smoothed(), rtt.variation(), rtt.min()), (MS * 10, MS * 5, MS * 10));
    }

    #[test]
    fn an_ack_delay_never_goes_below_the_minimum() {
        let mut rtt = RttEstimator::new(MS);
        rtt.update(MS * 10, Duration::ZERO);
        rtt.update(MS * 12, MS * 5);
        assert_eq!(rtt.smoothed(), (MS * 70 + MS * 12) / 8);
        rtt.update(MS * 20, MS * 8);
        assert!(rtt.latest() == MS * 20 && rtt.samples() == 3);
    }

    #[test]
    fn the_timeout_has_a_floor() {
        let rtt = RttEstimator::new(Duration::from_micros(10));
        assert_eq!(rtt.pto(MS, Duration::ZERO), MS);
        assert_eq!(rtt.pto(Duration::ZERO, MS), Duration::from_micros(1_030));
    }
}
