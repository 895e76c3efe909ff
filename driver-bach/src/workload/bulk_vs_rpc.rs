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
/// that `peers` others saturate, and from a host that saturates `peers` others. Without such peers
/// the bulk goes the same way as the short messages beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BulkVsRpc {
    /// How long short messages are.
    pub message: Sizes,
    /// What short messages take of a link.
    pub load: f64,
    /// How long bulk messages are; every peer has as many as keep the link busy.
    pub bulk: Sizes,
    /// Hosts that the bulk comes from, or goes to; with 0, it goes from and to the hosts of the
    /// short messages.
    pub peers: u32,
    /// Urgency of the short messages, from 0 (most) to 7 (least).
    #[serde(default = "ordinary")]
    pub priority: u8,
    /// Urgency of the bulk.
    #[serde(default = "ordinary")]
    pub bulk_priority: u8,
    /// How long short messages go on arriving, in nanoseconds.
    pub duration_ns: u64,
}

/// The urgency of messages that say nothing else.
const fn ordinary() -> u8 {
    3
}

impl BulkVsRpc {
    /// Number of hosts: three pairs for short messages, and the peers of two.
    pub const fn hosts(&self) -> u32 {
        6 + 2 * self.peers
    }

    pub(super) fn validate(&self, network: &NetworkSpec) -> Result<(), WorkloadError> {
        WorkloadError::check_share("load", self.load, (0.000_01, 0.5))?;
        WorkloadError::check("peers", self.peers.into(), (0, 10_000))?;
        WorkloadError::check("priority", self.priority.into(), (0, 7))?;
        WorkloadError::check("bulk_priority", self.bulk_priority.into(), (0, 7))?;
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
                let priority = self.priority;
                let message = Transfer::new(ends[0], ends[1], size);
                transfers.push(Transfer { at, group, priority, ..message });
            }
        }
        let wanted = network.rate_bits_per_sec as f64 / 8e9 * self.duration_ns as f64 * BULK_EXCESS;
        for (group, first_peer) in [(BULK_TO_RECEIVER, 6), (BULK_FROM_SENDER, 6 + self.peers)] {
            let (mut bytes, mut peer) = (0.0, 0_u32);
            while bytes < wanted {
                let size = self.bulk.draw(&mut rng);
                bytes += size as f64;
                let other = peer.checked_rem(self.peers).map(|peer| first_peer + peer);
                let (from, to) = match group {
                    BULK_TO_RECEIVER => (other.unwrap_or(2), 3),
                    _ => (4, other.unwrap_or(5)),
                };
                let bulk = Transfer::new(first_nic(network, from), first_nic(network, to), size);
                let priority = self.bulk_priority;
                transfers.push(Transfer { group, priority, measured: false, ..bulk });
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
