//! Randomness that need not be secret, from a seed.

use core::time::Duration;

/// A small generator (splitmix64) for jitter, probe nonces and samples. Never for keys.
#[derive(Clone, Debug)]
pub struct Jitter {
    state: u64,
}

impl Jitter {
    /// The generator of this seed.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, or 0 if that is 0. The bias is below `bound` / 2^64.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.next_u64() as u128 * bound as u128) >> 64) as u64
    }

    /// `span`, lengthened by up to `percent` percent. Saturates, as timestamps do.
    pub fn stretch(&mut self, span: Duration, percent: u32) -> Duration {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        let extra = (nanos / 100).saturating_mul(u64::from(percent));
        span.saturating_add(Duration::from_nanos(self.below(extra.saturating_add(1))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_numbers() {
        let (mut a, mut b) = (Jitter::new(7), Jitter::new(7));
        assert!((0..100).all(|_| a.next_u64() == b.next_u64()));
        assert_ne!(Jitter::new(8).next_u64(), Jitter::new(7).next_u64());
    }

    #[test]
    fn bounds_hold() {
        let mut rng = Jitter::new(1);
        assert_eq!(rng.below(0), 0);
        let span = Duration::from_micros(100);
        for _ in 0..1_000 {
            assert!(rng.below(10) < 10);
            let stretched = rng.stretch(span, 33);
            assert!(stretched >= span && stretched <= span + span * 33 / 100);
        }
    }

    #[test]
    fn stretching_saturates() {
        let mut rng = Jitter::new(2);
        for span in [Duration::from_nanos(u64::MAX), Duration::MAX] {
            assert!(rng.stretch(span, 33) >= span);
            assert!(rng.stretch(span, u32::MAX) >= span);
        }
        assert_eq!(rng.stretch(Duration::ZERO, 33), Duration::ZERO);
    }
}
