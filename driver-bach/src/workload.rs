//! Who sends what to whom, and when.

use serde::{Deserialize, Serialize};

use crate::{
    measure::{Finding, Measured},
    net::{NetworkSpec, NicId, Picos},
};

pub use self::{
    all_to_all::AllToAll,
    bulk_vs_rpc::BulkVsRpc,
    error::WorkloadError,
    incast::Incast,
    outcast::{Outcast, OutcastVariant},
    random::Random,
    rpc_mix::RpcMix,
    sizes::{HomaWorkload, Sizes},
    stream::Stream,
};

mod all_to_all;
mod arrivals;
mod bulk_vs_rpc;
mod error;
mod incast;
mod outcast;
mod random;
mod rpc_mix;
mod sizes;
mod stream;

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
    /// Long flows that share senders and receivers.
    Outcast(Outcast),
    /// Every host sends to every other.
    AllToAll(AllToAll),
    /// Messages between random hosts at random times.
    RpcMix(RpcMix),
    /// Short messages beside saturating long ones.
    BulkVsRpc(BulkVsRpc),
    /// Hosts that send to their partners steadily.
    Stream(Stream),
    /// Messages without any order.
    Random(Random),
}

impl Workload {
    /// Checks that there can be such a workload in this network.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub fn validate(&self, network: &NetworkSpec) -> Result<(), WorkloadError> {
        match self {
            Self::Incast(incast) => incast.validate(network),
            Self::Outcast(outcast) => outcast.validate(network),
            Self::AllToAll(all_to_all) => all_to_all.validate(network),
            Self::RpcMix(mix) => mix.validate(network),
            Self::BulkVsRpc(both) => both.validate(network),
            Self::Stream(stream) => stream.validate(network),
            Self::Random(random) => random.validate(network),
        }
    }

    /// All transfers, in order of time. The seed decides what is left to chance.
    pub fn transfers(&self, network: &NetworkSpec, seed: u64) -> Vec<Transfer> {
        match self {
            Self::Incast(incast) => incast.transfers(network, seed),
            Self::Outcast(outcast) => outcast.transfers(network, seed),
            Self::AllToAll(all_to_all) => all_to_all.transfers(network, seed),
            Self::RpcMix(mix) => mix.transfers(network, seed),
            Self::BulkVsRpc(both) => both.transfers(network, seed),
            Self::Stream(stream) => stream.transfers(network, seed),
            Self::Random(random) => random.transfers(network, seed),
        }
    }

    /// The figures that this workload is about, besides those that every run has.
    pub fn findings(&self, run: &Measured<'_>) -> Vec<Finding> {
        match self {
            Self::Outcast(outcast) => outcast.findings(run),
            Self::AllToAll(_) => AllToAll::findings(run),
            Self::RpcMix(mix) => mix.findings(run),
            Self::BulkVsRpc(_) => BulkVsRpc::findings(run),
            Self::Stream(_) => Stream::findings(run),
            Self::Incast(_) | Self::Random(_) => Vec::new(),
        }
    }

    /// Whether the sizes of messages differ, so that it matters how each fares.
    pub const fn is_mixed(&self) -> bool {
        matches!(self, Self::RpcMix(_))
    }
}

/// The first NIC of a host.
fn first_nic(network: &NetworkSpec, host: u32) -> NicId {
    NicId(host * network.topology.nics_per_host())
}
