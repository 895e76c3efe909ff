//! Every host sends to every other.

use serde::{Deserialize, Serialize};

use super::{MAX_TRANSFERS, Sizes, Transfer, WorkloadError};
use crate::{
    measure::{Finding, Measured, seconds},
    net::{NetworkSpec, NicId, Picos},
};

/// A shuffle: every host sends to every other over all interfaces, the n-th to the n-th.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllToAll {
    /// What each host sends to each other, divided among the interfaces.
    pub pair: Sizes,
}

impl AllToAll {
    pub(super) fn validate(&self, network: &NetworkSpec) -> Result<(), WorkloadError> {
        let hosts = u64::from(network.topology.hosts());
        WorkloadError::check_hosts(network.topology.hosts(), 2)?;
        let transfers = hosts * hosts * u64::from(network.topology.nics_per_host());
        WorkloadError::check("hosts x hosts x NICs", transfers, (1, MAX_TRANSFERS))
    }

    /// Host `h` begins with host `h + 1`, so that no receiver comes first for all.
    pub(super) fn transfers(&self, network: &NetworkSpec, seed: u64) -> Vec<Transfer> {
        let (hosts, nics) = (network.topology.hosts(), network.topology.nics_per_host());
        let mut rng = dcquic_proto::rng::Jitter::new(seed);
        let mut transfers = Vec::new();
        for distance in 1..hosts {
            for from in 0..hosts {
                let to = (from + distance) % hosts;
                let size = self.pair.draw(&mut rng).div_ceil(nics.into());
                for nic in 0..nics {
                    let ends = [from, to].map(|host| NicId(host * nics + nic));
                    transfers.push(Transfer::new(ends[0], ends[1], size));
                }
            }
        }
        transfers
    }

    pub(super) fn findings(run: &Measured<'_>) -> Vec<Finding> {
        let topology = run.network.topology;
        let nics = topology.nics_per_host();
        let mut hosts = vec![(0_u64, Picos::ZERO); topology.hosts() as usize];
        for (transfer, record) in run.transfers() {
            if let Some(delivered) = record.delivered {
                let (bytes, last) = &mut hosts[(transfer.to.0 / nics) as usize];
                *bytes += transfer.size;
                *last = delivered.max(*last);
            }
        }
        let start = run.recorder.start();
        let rate = |(bytes, last): &(u64, Picos)| {
            let span = seconds(last.saturating_since(start));
            if span > 0.0 { *bytes as f64 * 8.0 / span / 1e9 } else { 0.0 }
        };
        let rates: Vec<f64> = hosts.iter().map(rate).collect();
        let mean = rates.iter().sum::<f64>() / rates.len() as f64;
        let least = rates.iter().copied().fold(f64::INFINITY, f64::min);
        let line = f64::from(nics) * run.network.rate_bits_per_sec as f64 / 1e9;
        vec![
            Finding::new("host_gbps", "payload received per host, mean (Gbit/s)", mean, 1),
            Finding::new("host_gbps_min", "payload received per host, least (Gbit/s)", least, 1),
            Finding::share("host_share", "of what its NICs carry, mean (%)", mean / line),
            Finding::share("host_share_min", "of what its NICs carry, least (%)", least / line),
        ]
    }
}
