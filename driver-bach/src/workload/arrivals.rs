//! Arrivals at random times.

use dcquic_proto::rng::Jitter;

use super::sizes::unit;
use crate::net::Picos;

/// A Poisson process: the time between two arrivals is exponentially distributed.
#[derive(Clone, Debug)]
pub(super) struct Poisson {
    per_second: f64,
    /// Time of the last arrival, in picoseconds.
    at: f64,
}

impl Poisson {
    pub(super) const fn new(per_second: f64) -> Self {
        Self { per_second, at: 0.0 }
    }

    pub(super) const fn per_second(&self) -> f64 {
        self.per_second
    }

    /// The next arrival, if it is before `end`.
    pub(super) fn next(&mut self, rng: &mut Jitter, end: Picos) -> Option<Picos> {
        self.at -= (1.0 - unit(rng)).ln() / self.per_second * 1e12;
        let at = Picos(self.at as u64);
        (at < end).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_have_the_rate_and_the_variance_of_a_poisson_process() {
        let mut rng = Jitter::new(1);
        let mut poisson = Poisson::new(1e6);
        let mut per_ms = [0_u32; 1_000];
        while let Some(at) = poisson.next(&mut rng, Picos(1_000_000_000_000)) {
            per_ms[(at.0 / 1_000_000_000) as usize] += 1;
        }
        let mean = per_ms.iter().map(|n| f64::from(*n)).sum::<f64>() / 1e3;
        let variance = per_ms.iter().map(|n| (f64::from(*n) - mean).powi(2)).sum::<f64>() / 1e3;
        assert!((mean - 1_000.0).abs() < 5.0, "{mean}");
        assert!((variance / mean - 1.0).abs() < 0.15, "{variance}");
    }
}
