//! What can be wrong with a network's description.

use thiserror::Error;

/// A value of a [`NetworkSpec`](super::NetworkSpec) that makes no network.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum SpecError {
    /// A whole number is out of range.
    #[error("{field} is {value}, but must be from {min} to {max}")]
    OutOfRange {
        /// The field, with the path to it.
        field: String,
        /// What it says.
        value: u64,
        /// The least that is allowed.
        min: u64,
        /// The most that is allowed.
        max: u64,
    },
    /// A fraction is out of range, or not a number.
    #[error("{field} is {value}, but must be from {min} to {max}")]
    FractionOutOfRange {
        /// The field, with the path to it.
        field: String,
        /// What it says.
        value: f64,
        /// The least that is allowed.
        min: f64,
        /// The most that is allowed.
        max: f64,
    },
    /// A host is on both sides of a partition.
    #[error("{field} has host {host} on both sides, but each host may be on one side at most")]
    BothSides {
        /// The fault, with the path to it.
        field: String,
        /// The host.
        host: u32,
    },
    /// A cable between a leaf and a spine, in a star.
    #[error("{field} is an uplink, but a star has cables of NICs only")]
    NoUplinks {
        /// The field, with the path to it.
        field: String,
    },
}
