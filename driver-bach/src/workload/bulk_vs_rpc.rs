//! Short messages beside saturating long ones.

use dcquic_proto::rng::Jitter;
use serde::{Deserialize, Serialize};

use super::{MAX_TRANSFERS, Sizes, Transfer, WorkloadError, arrivals::Poisson, first_nic};
use crate::{
    measure::{Finding, Measured, percentile, wire_bytes},
    net::{NetworkSpec, Picos},
};

/// Bulk keeps its link busy for this much longer than short messages arrive.
const BULK_EXCESS: f64 = 1.2;

const IDLE: u16 = 0;
const RECEIVER: u16 = 1;
const SENDER: u16 = 2;
const BULK_TO_RECEIVER: u16 = 3;
const BULK_FROM_SENDER: u16 = 4;

/// Three streams of short messages, each between two hosts of its own: over idle links, to a host
/// that `peers` others saturate, and from a host that saturates `peers` others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BulkVsRpc {
    /// How long short messages are.
    pub message: Sizes,
    /// What short messages take of a link.
    pub load: f64,
    /// How long bulk messages are; every peer has as many as keep the link busy.
    pub bulk: Sizes,
    /// Hosts that the bulk comes from, or goes to.
    pub peers: u32,
    /// How long short messages go on arriving, in nanoseconds.
    pub duration_ns: u64,
}

impl BulkVsRpc {
    /// Number of hosts: three pairs for short messages, and the peers of two.
    pub const fn hosts(&self) -> u32 {
        6 + 2 * self.peers
    }

    pub(super) fn validate(&self, network: &NetworkSpec) -> Result<(), WorkloadError> {
        WorkloadError::check_share("load", self.load, (0.000_01, 0.5))?;
        WorkloadError::check("peers", self.peers.into(), (1, 10_000))?;
        WorkloadError::check("duration_ns", self.duration_ns, (1, 1_000_000_000_000))?;
        WorkloadError::check_hosts(network.topology.hosts(), self.hosts().into())?;
        let expected = 3.0 * self.poisson(network).per_second() * self.duration_ns as f64 / 1e9;
        WorkloadError::check("transfers that the load makes", expected as u64, (1, MAX_TRANSFERS))
    }

    pub(super) fn transfers(&self, network: &NetworkSpec, seed: u64) -> Vec<Transfer> {
        let mut rng = Jitter::new(seed);
        let end = Picos::from_nanos(self.duration_ns);
        let mut transfers = Vec::new();
        for (group, from, to) in [(IDLE, 0, 1), (RECEIVER, 2, 3), (SENDER, 4, 5)] {
            let mut arrivals = self.poisson(network);
            while let Some(at) = arrivals.next(&mut rng, end) {
                let size = self.message.draw(&mut rng);
                let ends = [from, to].map(|host| first_nic(network, host));
                transfers.push(Transfer { at, group, ..Transfer::new(ends[0], ends[1], size) });
            }
        }
        let wanted = network.rate_bits_per_sec as f64 / 8e9 * self.duration_ns as f64 * BULK_EXCESS;
        for (group, first_peer) in [(BULK_TO_RECEIVER, 6), (BULK_FROM_SENDER, 6 + self.peers)] {
            let (mut bytes, mut peer) = (0.0, 0);
            while bytes < wanted {
                let size = self.bulk.draw(&mut rng);
                bytes += size as f64;
                let other = first_nic(network, first_peer + peer % self.peers);
                let ends = match group {
                    BULK_TO_RECEIVER => (other, first_nic(network, 3)),
                    _ => (first_nic(network, 4), other),
                };
                let bulk = Transfer::new(ends.0, ends.1, size);
                transfers.push(Transfer { group, measured: false, ..bulk });
                peer += 1;
            }
        }
        transfers.sort_by_key(|transfer| transfer.at);
        transfers
    }

    /// Short messages of one stream.
    fn poisson(&self, network: &NetworkSpec) -> Poisson {
        let bytes = self.message.mean_of(|size| wire_bytes(size, network) as f64);
        Poisson::new(self.load * network.rate_bits_per_sec as f64 / 8.0 / bytes)
    }

    pub(super) fn findings(run: &Measured<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (group, key, place) in [
            (IDLE, "idle", "idle links"),
            (RECEIVER, "receiver", "a busy receiver"),
            (SENDER, "sender", "a busy sender"),
        ] {
            let mut took: Vec<f64> = run.group(group).iter().map(|(_, took)| took * 1e6).collect();
            for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
                findings.push(Finding::new(
                    &format!("{key}_{name}_us"),
                    &format!("short messages, {place}, {name} (us)"),
                    percentile(&mut took, share),
                    2,
                ));
            }
        }
        for (group, key, place) in [
            (BULK_TO_RECEIVER, "receiver_bulk_gbps", "to the busy receiver"),
            (BULK_FROM_SENDER, "sender_bulk_gbps", "from the busy sender"),
        ] {
            let label = format!("bulk {place} (Gbit/s)");
            findings.push(Finding::new(key, &label, run.rate_gbps(group), 2));
        }
        findings
    }
}
