//! Time of the network, fine enough that serialization is exact.

use core::ops::{Add, AddAssign};

use dcquic_proto::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Picoseconds in a nanosecond.
const PICOS_PER_NANO: u64 = 1_000;

/// Picoseconds since the start of a run, or a span of them.
///
/// One byte takes 20 ps at 400 Gbit/s, so that nanoseconds would round every frame. The range is
/// 213 days; sums saturate.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Picos(pub u64);

impl Picos {
    /// The start of a run, or no time at all.
    pub const ZERO: Self = Self(0);
    /// The end of time.
    pub const MAX: Self = Self(u64::MAX);

    /// That many nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos.saturating_mul(PICOS_PER_NANO))
    }

    /// That many microseconds.
    pub const fn from_micros(micros: u64) -> Self {
        Self::from_nanos(micros.saturating_mul(1_000))
    }

    /// The next whole nanosecond.
    pub const fn nanos_ceil(self) -> u64 {
        self.0.div_ceil(PICOS_PER_NANO)
    }

    /// The time as an endpoint sees it: rounded up, so that nothing is handled before it arrives.
    pub const fn timestamp(self) -> Timestamp {
        Timestamp::from_nanos(self.nanos_ceil())
    }

    /// The span since `earlier`, or none if that is later.
    pub const fn saturating_since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

impl From<Timestamp> for Picos {
    fn from(at: Timestamp) -> Self {
        Self::from_nanos(at.as_nanos())
    }
}

impl Add for Picos {
    type Output = Self;

    fn add(self, span: Self) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign for Picos {
    fn add_assign(&mut self, span: Self) {
        *self = *self + span;
    }
}
