//! Hosts that send to their partners steadily.

use dcquic_proto::rng::Jitter;
use serde::{Deserialize, Serialize};

use super::{MAX_TRANSFERS, Sizes, Transfer, WorkloadError};
use crate::{
    measure::{Finding, Measured, seconds, wire_bytes},
    net::{NetworkSpec, NicId, Picos},
};

/// Host `h` of the first half sends to host `h + half`, message after message at equal intervals,
/// over its NICs in turn, and whether or not earlier ones have arrived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// How long messages are.
    pub message: Sizes,
    /// What the messages take of every NIC.
    pub load: f64,
    /// For how long messages are started, in nanoseconds.
    pub duration_ns: u64,
}

impl Stream {
    pub(super) fn validate(&self, network: &NetworkSpec) -> Result<(), WorkloadError> {
        WorkloadError::check_share("load", self.load, (0.0001, 1.0))?;
        WorkloadError::check("duration_ns", self.duration_ns, (1, 1_000_000_000_000))?;
        WorkloadError::check_hosts(network.topology.hosts(), 2)?;
        let per_host = self.duration_ns as f64 * 1e3 / self.interval(network).0 as f64;
        let number = per_host * f64::from(network.topology.hosts() / 2);
        WorkloadError::check("transfers that the load makes", number as u64, (1, MAX_TRANSFERS))
    }

    pub(super) fn transfers(&self, network: &NetworkSpec, seed: u64) -> Vec<Transfer> {
        let mut rng = Jitter::new(seed);
        let (half, nics) = (network.topology.hosts() / 2, network.topology.nics_per_host());
        let (interval, end) = (self.interval(network), Picos::from_nanos(self.duration_ns));
        let mut transfers = Vec::new();
        for host in 0..half {
            // hosts do not start in step
            let mut at = Picos(rng.below(interval.0));
            let mut nic = 0;
            while at < end {
                let ends = [host, host + half].map(|host| NicId(host * nics + nic));
                let transfer = Transfer::new(ends[0], ends[1], self.message.draw(&mut rng));
                transfers.push(Transfer { at, ..transfer });
                at += interval;
                nic = (nic + 1) % nics;
            }
        }
        transfers.sort_by_key(|transfer| transfer.at);
        transfers
    }

    /// Between two messages of a host.
    fn interval(&self, network: &NetworkSpec) -> Picos {
        let nics = f64::from(network.topology.nics_per_host());
        let bits = self.message.mean_of(|size| wire_bytes(size, network) as f64) * 8.0;
        let interval = bits / (self.load * nics * network.rate_bits_per_sec as f64) * 1e12;
        Picos((interval as u64).max(1))
    }

    /// How long receivers were without what they waited for.
    pub(super) fn findings(run: &Measured<'_>) -> Vec<Finding> {
        let nics = run.network.topology.nics_per_host();
        let mut deliveries: Vec<Vec<Picos>> =
            vec![Vec::new(); run.network.topology.hosts() as usize];
        let mut slowest = Picos::ZERO;
        for (transfer, record) in run.transfers() {
            if let Some(delivered) = record.delivered {
                deliveries[(transfer.to.0 / nics) as usize].push(delivered);
                slowest = slowest.max(delivered.saturating_since(record.started));
            }
        }
        let mut longest = Picos::ZERO;
        for times in &mut deliveries {
            times.sort_unstable();
            for pair in times.windows(2) {
                longest = longest.max(pair[1].saturating_since(pair[0]));
            }
        }
        let again = run.recorder.further_attempts() as f64;
        vec![
            Finding::new(
                "stall_us",
                "longest time without a delivery at any receiver (us)",
                seconds(longest) * 1e6,
                1,
            ),
            Finding::new("slowest_us", "slowest transfer (us)", seconds(slowest) * 1e6, 1),
            Finding::new("further_attempts", "attempts after the first", again, 0),
        ]
    }
}
