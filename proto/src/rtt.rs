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

/// No sample is taken to be longer: the whole span of a timestamp. Sums of a few stay in range.
const MAX_SAMPLE: Duration = Duration::from_nanos(u64::MAX);

impl RttEstimator {
    /// An estimator that answers `initial` before the first sample.
    pub fn new(initial: Duration) -> Self {
        let initial = initial.min(MAX_SAMPLE);
        let variation = initial / 2;
        Self { smoothed: initial, variation, min: initial, latest: initial, samples: 0 }
    }

    /// Takes a sample that includes `ack_delay` at the peer.
    pub fn update(&mut self, sample: Duration, ack_delay: Duration) {
        let sample = sample.min(MAX_SAMPLE);
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
        (self.smoothed + self.variation * 4).saturating_add(max_ack_delay).max(floor)
    }
}

#[cfg(test)]
mod tests;
