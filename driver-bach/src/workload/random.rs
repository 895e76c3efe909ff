//! Messages without any order.

use dcquic_proto::rng::Jitter;
use serde::{Deserialize, Serialize};

use super::{MAX_TRANSFERS, Sizes, Transfer, WorkloadError};
use crate::net::{NetworkSpec, NicId, Picos};

/// Messages between random interfaces of different hosts, at random times, of random urgency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Random {
    /// Number of messages.
    pub transfers: u32,
    /// How long they are.
    pub message: Sizes,
    /// For how long messages are started, in nanoseconds.
    pub duration_ns: u64,
}

impl Random {
    pub(super) fn validate(&self, network: &NetworkSpec) -> Result<(), WorkloadError> {
        WorkloadError::check("transfers", self.transfers.into(), (1, MAX_TRANSFERS))?;
        WorkloadError::check("duration_ns", self.duration_ns, (1, 1_000_000_000_000))?;
        WorkloadError::check_hosts(network.topology.hosts(), 2)
    }

    pub(super) fn transfers(&self, network: &NetworkSpec, seed: u64) -> Vec<Transfer> {
        let mut rng = Jitter::new(seed);
        let (hosts, nics) = (network.topology.hosts(), network.topology.nics_per_host());
        let mut transfers: Vec<Transfer> = (0..self.transfers)
            .map(|_| {
                let from = rng.below(hosts.into()) as u32;
                let to = (from + 1 + rng.below(u64::from(hosts) - 1) as u32) % hosts;
                let ends = [from, to].map(|host| {
                    let nic = rng.below(nics.into()) as u32;
                    NicId(host * nics + nic)
                });
                Transfer {
                    at: Picos::from_nanos(rng.below(self.duration_ns)),
                    priority: rng.below(8) as u8,
                    ..Transfer::new(ends[0], ends[1], self.message.draw(&mut rng))
                }
            })
            .collect();
        transfers.sort_by_key(|transfer| transfer.at);
        transfers
    }
}
