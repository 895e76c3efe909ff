//! Who sends what to whom, and when.

use serde::{Deserialize, Serialize};

use crate::{
    measure::{Finding, Measured},
    net::{NetworkSpec, NicId, Picos},
};

pub use self::{
    error::WorkloadError,
    incast::Incast,
    sizes::{HomaWorkload, Sizes},
};

mod error;
mod incast;
mod sizes;

/// The most transfers of a run: more would not fit the memory of most machines.
pub const MAX_TRANSFERS: u64 = 20_000_000;

/// One message of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// When the application starts it, from the start of the workload.
    pub at: Picos,
    /// The sender.
    pub from: NicId,
    /// The receiver.
    pub to: NicId,
    /// Bytes of payload, at least 1.
    pub size: u64,
    /// Urgency from 0 (most) to 7 (least).
    pub priority: u8,
    /// What it belongs to, in the numbering of its workload.
    pub group: u16,
    /// Whether it counts in the figures on slowdown; warming up does not.
    pub measured: bool,
}

impl Transfer {
    /// A message of ordinary urgency at the start of the workload.
    pub const fn new(from: NicId, to: NicId, size: u64) -> Self {
        Self { at: Picos::ZERO, from, to, size, priority: 3, group: 0, measured: true }
    }
}

/// What the hosts of a scenario have to say to each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workload {
    /// Many hosts send to one at once.
    Incast(Incast),
}

impl Workload {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Incast(_) => "incast",
        }
    }

    /// Checks that there can be such a workload in this network.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub fn validate(&self, network: &NetworkSpec) -> Result<(), WorkloadError> {
        match self {
            Self::Incast(incast) => incast.validate(network),
        }
    }

    /// All transfers, in order of time. The seed decides what is left to chance.
    pub fn transfers(&self, network: &NetworkSpec, seed: u64) -> Vec<Transfer> {
        match self {
            Self::Incast(incast) => incast.transfers(network, seed),
        }
    }

    /// The figures that this workload is about, besides those that every run has.
    pub fn findings(&self, run: &Measured<'_>) -> Vec<Finding> {
        let _ = run;
        match self {
            Self::Incast(_) => Vec::new(),
        }
    }
}

/// The first NIC of a host.
fn first_nic(network: &NetworkSpec, host: u32) -> NicId {
    NicId(host * network.topology.nics_per_host())
}
