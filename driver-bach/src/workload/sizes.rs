//! How long messages are.

use core::{fmt, str::FromStr};

use dcquic_proto::rng::Jitter;
use serde::{Deserialize, Serialize};

pub use self::homa::HomaWorkload;
use super::WorkloadError;
use crate::units::{format_size, parse_size};

mod homa;

/// The longest message that is taken.
const MAX_MESSAGE: u64 = 1 << 30;

/// A distribution of message sizes, written `16KiB` or `W3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Sizes {
    /// All are equal.
    Fixed(u64),
    /// One of the workloads of the Homa paper.
    Homa(HomaWorkload),
}

impl Sizes {
    /// Draws a size.
    pub fn draw(self, rng: &mut Jitter) -> u64 {
        match self {
            Self::Fixed(bytes) => bytes,
            Self::Homa(workload) => workload.quantile(unit(rng)),
        }
    }

    /// The mean of what `f` makes of the sizes.
    pub fn mean_of(self, f: impl Fn(u64) -> f64) -> f64 {
        match self {
            Self::Fixed(bytes) => f(bytes),
            Self::Homa(workload) => workload.mean_of(f),
        }
    }
}

/// A number from 0 up to but not 1.
pub(super) fn unit(rng: &mut Jitter) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

impl FromStr for Sizes {
    type Err = WorkloadError;

    fn from_str(text: &str) -> Result<Self, WorkloadError> {
        if let Some(workload) = HomaWorkload::named(text.trim()) {
            return Ok(Self::Homa(workload));
        }
        let bytes = parse_size(text).map_err(|_| WorkloadError::UnknownSizes(text.to_owned()))?;
        WorkloadError::check("message (bytes)", bytes, (1, MAX_MESSAGE))?;
        Ok(Self::Fixed(bytes))
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(bytes) => f.write_str(&format_size(*bytes)),
            Self::Homa(workload) => f.write_str(workload.name()),
        }
    }
}

impl TryFrom<String> for Sizes {
    type Error = WorkloadError;

    fn try_from(text: String) -> Result<Self, WorkloadError> {
        text.parse()
    }
}

impl From<Sizes> for String {
    fn from(sizes: Sizes) -> Self {
        sizes.to_string()
    }
}

#[cfg(test)]
mod tests;
