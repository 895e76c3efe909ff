//! How many datagrams may overtake a missing one before it counts as lost.

/// A threshold that grows when what counted as lost was only late.
///
/// RFC 9002 §6.1.1 recommends three packets and to adapt where paths reorder more; like RACK
/// (RFC 8985 §6.2) it shrinks back after sixteen losses that were real.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReorderThreshold {
    initial: u32,
    threshold: u32,
    real_losses: u32,
}

/// The threshold grows to this many times its initial value at most.
const MAX_GROWTH: u32 = 64;

/// Real losses in a row after which the threshold is what it was at first.
const PERSISTENCE: u32 = 16;

impl ReorderThreshold {
    /// Starts at `initial` datagrams.
    pub(crate) const fn new(initial: u32) -> Self {
        Self { initial, threshold: initial, real_losses: 0 }
    }

    /// Datagrams that may overtake.
    pub(crate) const fn threshold(&self) -> u32 {
        self.threshold
    }

    /// What was pulled again had been late only.
    pub(crate) fn on_spurious(&mut self) {
        self.real_losses = 0;
        let most = self.initial.saturating_mul(MAX_GROWTH);
        self.threshold = self.threshold.saturating_mul(2).min(most);
    }

    /// Something was pulled again because others overtook it, and did come only then.
    pub(crate) const fn on_real_loss(&mut self) {
        self.real_losses += 1;
        if self.real_losses >= PERSISTENCE {
            self.real_losses = 0;
            self.threshold = self.initial;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_when_wrong_and_forgets_after_sixteen_real_losses() {
        let mut reorder = ReorderThreshold::new(3);
        reorder.on_spurious();
        reorder.on_spurious();
        assert_eq!(reorder.threshold(), 12);
        for _ in 0..15 {
            reorder.on_real_loss();
        }
        assert_eq!(reorder.threshold(), 12);
        reorder.on_real_loss();
        assert_eq!(reorder.threshold(), 3);
    }

    #[test]
    fn it_is_bounded() {
        let mut reorder = ReorderThreshold::new(3);
        for _ in 0..100 {
            reorder.on_spurious();
        }
        assert_eq!(reorder.threshold(), 192);
    }
}
