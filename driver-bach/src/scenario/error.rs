//! Why a scenario does not run.

use std::{io, path::PathBuf};

use thiserror::Error;

use crate::{bach_engine, host::HostError, net::SpecError, workload::WorkloadError};

/// A scenario that cannot be.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file does not hold a scenario.
    #[error("not a scenario: {0}")]
    Toml(String),
    /// There can be no such network.
    #[error("network: {0}")]
    Network(#[from] SpecError),
    /// There can be no such workload.
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    /// Something else is out of range.
    #[error("{0}")]
    Invalid(String),
}

/// A run that does not come about.
#[derive(Debug, Error)]
pub enum RunError {
    /// The scenario cannot be.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The Bach engine cannot run it.
    #[error("the bach engine {0}; use --engine scale")]
    NotInBach(&'static str),
    /// The Bach engine did not get to the end.
    #[error("the bach engine failed: {0}")]
    Bach(bach_engine::RunError),
    /// A host cannot be made.
    #[error("a host cannot be made: {0}")]
    Host(#[from] HostError),
    /// The capture cannot be written.
    #[error("the capture cannot be written: {0}")]
    Capture(io::Error),
}

impl RunError {
    /// Whether other arguments would help.
    pub const fn is_usage(&self) -> bool {
        !matches!(self, Self::Capture(_) | Self::Bach(_))
    }
}
