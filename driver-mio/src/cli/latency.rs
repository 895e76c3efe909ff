//! Percentiles of call latencies.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::failure::Failure;

/// Latencies of many calls, to three digits.
#[derive(Debug)]
pub(crate) struct Latencies {
    nanos: Histogram<u64>,
}

impl Latencies {
    /// No calls yet; records up to an hour.
    pub(crate) fn new() -> Result<Self, Failure> {
        let nanos = Histogram::new_with_bounds(1, 3_600_000_000_000, 3).map_err(Failure::new)?;
        Ok(Self { nanos })
    }

    /// Adds one call.
    pub(crate) fn record(&mut self, latency: Duration) {
        self.nanos.saturating_record(latency.as_nanos().min(u128::from(u64::MAX)) as u64);
    }

    /// Adds the calls of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        // both have the same bounds, which is all that could be wrong
        let added = self.nanos.add(&other.nanos);
        debug_assert!(added.is_ok(), "histograms of different bounds");
    }

    /// The latency in microseconds that `percent` of the calls did not exceed.
    pub(crate) fn micros_at(&self, percent: f64) -> f64 {
        self.nanos.value_at_percentile(percent) as f64 / 1_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_known_latencies() {
        let mut low = Latencies::new().unwrap();
        let mut high = Latencies::new().unwrap();
        for micros in 1..=50 {
            low.record(Duration::from_micros(micros));
            high.record(Duration::from_micros(micros + 50));
        }
        low.merge(&high);
        assert!((low.micros_at(50.0) - 50.0).abs() < 0.1);
        assert!((low.micros_at(99.0) - 99.0).abs() < 0.1);
    }
}
