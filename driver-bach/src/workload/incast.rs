//! Many hosts send to one at once.

use dcquic_proto::rng::Jitter;
use serde::{Deserialize, Serialize};

use super::{MAX_TRANSFERS, Sizes, Transfer, WorkloadError, first_nic};
use crate::net::NetworkSpec;

/// Hosts 1 and up send to host 0, all starting at once; transfers go round the senders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incast {
    /// Number of senders.
    pub senders: u32,
    /// Number of transfers, over all senders.
    pub transfers: u32,
    /// Their sizes.
    pub message: Sizes,
}

impl Incast {
    pub(super) fn validate(&self, network: &NetworkSpec) -> Result<(), WorkloadError> {
        let most = MAX_TRANSFERS;
        WorkloadError::check("workload.incast.senders", self.senders.into(), (1, most))?;
        WorkloadError::check("workload.incast.transfers", self.transfers.into(), (1, most))?;
        WorkloadError::check_hosts(network.topology.hosts(), u64::from(self.senders) + 1)
    }

    pub(super) fn transfers(&self, network: &NetworkSpec, seed: u64) -> Vec<Transfer> {
        let mut rng = Jitter::new(seed);
        let to = first_nic(network, 0);
        (0..self.transfers)
            .map(|index| {
                let from = first_nic(network, 1 + index % self.senders);
                Transfer::new(from, to, self.message.draw(&mut rng))
            })
            .collect()
    }
}
