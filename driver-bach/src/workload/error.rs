//! What can be wrong with a workload.

use thiserror::Error;

/// A workload that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WorkloadError {
    /// The network is too small for it.
    #[error("this workload needs {needed} hosts, but the network has {hosts}")]
    TooFewHosts {
        /// What it needs.
        needed: u64,
        /// What there is.
        hosts: u32,
    },
    /// The hosts have too few interfaces.
    #[error("this workload needs {needed} NICs per host, but the network has {nics}")]
    TooFewNics {
        /// What it needs.
        needed: u32,
        /// What there is.
        nics: u32,
    },
    /// A field is out of range.
    #[error("{field} is {value}, but must be from {min} to {max}")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// What it says.
        value: String,
        /// The least that is allowed.
        min: String,
        /// The most that is allowed.
        max: String,
    },
    /// There is not such a distribution of sizes.
    #[error("{0:?} is neither a size, like 16KiB, nor one of W1, W2, W3, W4 and W5")]
    UnknownSizes(String),
}

impl WorkloadError {
    /// Checks that a number is in range.
    pub(super) fn check(
        field: &'static str,
        value: u64,
        (min, max): (u64, u64),
    ) -> Result<(), Self> {
        if (min..=max).contains(&value) {
            return Ok(());
        }
        let [value, min, max] = [value, min, max].map(|number| number.to_string());
        Err(Self::OutOfRange { field, value, min, max })
    }

    /// Checks that a share is in range.
    pub(super) fn check_share(
        field: &'static str,
        value: f64,
        (min, max): (f64, f64),
    ) -> Result<(), Self> {
        if (min..=max).contains(&value) {
            return Ok(());
        }
        let [value, min, max] =
            [value, min, max].map(|share| format!("{}%", (share * 1e6).round() / 1e4));
        Err(Self::OutOfRange { field, value, min, max })
    }

    /// Checks that the network has enough hosts.
    pub(super) fn check_hosts(hosts: u32, needed: u64) -> Result<(), Self> {
        if u64::from(hosts) >= needed { Ok(()) } else { Err(Self::TooFewHosts { needed, hosts }) }
    }
}
