//! How many tokens a map may hold.

use super::token::SLOT_LIMIT;

/// Sizes of a [`CausalityMap`](super::CausalityMap).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CausalityConfig {
    /// Slots that there is memory for from the start, 8 bytes each; 1 to `max`. The map doubles
    /// when they are used up.
    pub initial: u32,
    /// Tokens at once, at most: transfers that have not ended, and failures that someone may still
    /// ask for; up to 2^24.
    pub max: u32,
}

impl Default for CausalityConfig {
    /// 1,024 slots, which take 8 KiB, and 2^20 of them at most, 8 MiB.
    fn default() -> Self {
        Self { initial: 1 << 10, max: 1 << 20 }
    }
}

impl CausalityConfig {
    /// Checks the sizes.
    ///
    /// # Errors
    ///
    /// The first one that is out of range.
    pub const fn validate(&self) -> Result<(), CausalityConfigError> {
        let (initial, max) = (self.initial, self.max);
        if max == 0 || max > SLOT_LIMIT {
            return Err(CausalityConfigError::Max { max });
        }
        if initial == 0 || initial > max {
            return Err(CausalityConfigError::Initial { initial, max });
        }
        Ok(())
    }
}

/// Sizes that no map can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CausalityConfigError {
    /// The maximum is out of range.
    #[error("causality map of at most {max} slots: between 1 and {SLOT_LIMIT} are possible")]
    Max {
        /// What was asked for.
        max: u32,
    },
    /// The initial size is out of range.
    #[error("causality map of {initial} slots from the start: between 1 and {max} are possible")]
    Initial {
        /// What was asked for.
        initial: u32,
        /// The maximum that was asked for.
        max: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_every_limit() {
        let check = |initial, max| CausalityConfig { initial, max }.validate();
        assert_eq!(CausalityConfig::default().validate(), Ok(()));
        assert_eq!(check(1, 1), Ok(()));
        assert_eq!(check(1, SLOT_LIMIT), Ok(()));
        assert_eq!(
            check(1, SLOT_LIMIT + 1),
            Err(CausalityConfigError::Max { max: SLOT_LIMIT + 1 })
        );
        assert_eq!(check(0, 0), Err(CausalityConfigError::Max { max: 0 }));
        assert_eq!(check(0, 1), Err(CausalityConfigError::Initial { initial: 0, max: 1 }));
        assert_eq!(check(2, 1), Err(CausalityConfigError::Initial { initial: 2, max: 1 }));
    }
}
