//! Messages between random hosts at random times, whether or not the network keeps up.

use dcquic_proto::rng::Jitter;
use serde::{Deserialize, Serialize};

use super::{MAX_TRANSFERS, Sizes, Transfer, WorkloadError, arrivals::Poisson};
use crate::{
    measure::{Finding, Measured, wire_bytes},
    net::{NetworkSpec, NicId, Picos},
};

/// The part of the arrivals that warms up and is not measured.
const WARM_UP: f64 = 0.2;

/// The backlog grows by less than this part of what arrives if the load is sustained.
const SUSTAINED: f64 = 0.02;

/// Looks at the backlog.
const LOOKS: u32 = 64;

/// An open loop: messages arrive by a Poisson process, each between two random hosts, over the
/// interfaces of one random number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RpcMix {
    /// How long messages are.
    pub message: Sizes,
    /// What all arrivals take on the wire, headers included, of what all NICs can send.
    pub load: f64,
    /// How long messages go on arriving, in nanoseconds.
    pub duration_ns: u64,
}

impl RpcMix {
    pub(super) fn validate(&self, network: &NetworkSpec) -> Result<(), WorkloadError> {
        WorkloadError::check_share("load", self.load, (0.0001, 10.0))?;
        WorkloadError::check("duration_ns", self.duration_ns, (1, 1_000_000_000_000))?;
        WorkloadError::check_hosts(network.topology.hosts(), 2)?;
        let expected = self.poisson(network).per_second() * self.duration_ns as f64 / 1e9;
        WorkloadError::check("transfers that the load makes", expected as u64, (1, MAX_TRANSFERS))
    }

    pub(super) fn transfers(&self, network: &NetworkSpec, seed: u64) -> Vec<Transfer> {
        let mut rng = Jitter::new(seed);
        let (hosts, nics) = (network.topology.hosts(), network.topology.nics_per_host());
        let end = Picos::from_nanos(self.duration_ns);
        let warm = Picos((end.0 as f64 * WARM_UP) as u64);
        let mut arrivals = self.poisson(network);
        let mut transfers = Vec::new();
        while let Some(at) = arrivals.next(&mut rng, end) {
            let from = rng.below(hosts.into()) as u32;
            let to = (from + 1 + rng.below(u64::from(hosts) - 1) as u32) % hosts;
            let nic = rng.below(nics.into()) as u32;
            let ends = [from, to].map(|host| NicId(host * nics + nic));
            let size = self.message.draw(&mut rng);
            let transfer = Transfer::new(ends[0], ends[1], size);
            transfers.push(Transfer { at, measured: at >= warm, ..transfer });
        }
        transfers
    }

    /// Arrivals at all hosts together.
    fn poisson(&self, network: &NetworkSpec) -> Poisson {
        let nics = network.topology.hosts() * network.topology.nics_per_host();
        let bytes = self.message.mean_of(|size| wire_bytes(size, network) as f64);
        let capacity = f64::from(nics) * network.rate_bits_per_sec as f64 / 8.0;
        Poisson::new(self.load * capacity / bytes)
    }

    pub(super) fn findings(&self, run: &Measured<'_>) -> Vec<Finding> {
        let span = self.duration_ns as f64 / 1e9;
        let topology = run.network.topology;
        let nics = f64::from(topology.hosts() * topology.nics_per_host());
        let capacity = nics * run.network.rate_bits_per_sec as f64 / 8.0;
        let wire: f64 = run
            .transfers()
            .map(|(transfer, _)| wire_bytes(transfer.size, run.network) as f64)
            .sum();
        let payload: f64 = run.transfers().map(|(transfer, _)| transfer.size as f64).sum();
        let looks: Vec<(f64, f64)> = (0..=LOOKS)
            .map(|look| f64::from(look) / f64::from(LOOKS))
            .map(|part| (part, self.backlog(run, part)))
            .collect();
        let at = |part: f64| looks[(part * f64::from(LOOKS)) as usize].1;
        let growth = slope(&looks[LOOKS as usize / 2..]) / payload.max(1.0);
        let outgoing = 1.0 - WARM_UP;
        let delivered = payload * outgoing - (at(1.0) - self.backlog(run, WARM_UP));
        vec![
            Finding::share("offered_load", "load offered (%)", wire / span / capacity),
            Finding::new(
                "delivered_gbps_per_nic",
                "payload delivered per NIC while messages arrive (Gbit/s)",
                delivered * 8.0 / (span * outgoing) / nics / 1e9,
                2,
            ),
            Finding::new("backlog_half_bytes", "backlog at half time (MB)", at(0.5), 2)
                .in_units_of(1e6),
            Finding::new("backlog_end_bytes", "backlog at the end of arrivals (MB)", at(1.0), 2)
                .in_units_of(1e6),
            Finding::share("backlog_growth", "growth of the backlog (% of arrivals)", growth),
            Finding::new(
                "sustained",
                "sustained (1 is yes)",
                f64::from(u8::from(growth < SUSTAINED)),
                0,
            ),
        ]
    }

    /// Bytes of messages that have started and not been delivered at a part of the arrivals.
    fn backlog(&self, run: &Measured<'_>, part: f64) -> f64 {
        let at = (self.duration_ns as f64 * 1e3 * part) as u64;
        let start = run.recorder.start();
        let now = start + Picos(at);
        run.transfers()
            .filter(|(_, record)| record.started <= now)
            .filter(|(_, record)| record.delivered.is_none_or(|delivered| delivered > now))
            .map(|(transfer, _)| transfer.size as f64)
            .sum()
    }
}

/// The slope of the line of least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let mean = |f: fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let products: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let squares: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    products / squares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Topology;

    fn mix(load: f64) -> (RpcMix, NetworkSpec) {
        let topology = Topology::Star { hosts: 20, nics_per_host: 2 };
        let network = NetworkSpec { topology, ..NetworkSpec::default() };
        let message = "W3".parse().unwrap();
        (RpcMix { message, load, duration_ns: 20_000_000 }, network)
    }

    #[test]
    fn arrivals_make_the_load_that_was_asked_for() {
        let (mix, network) = mix(0.5);
        let transfers = mix.transfers(&network, 3);
        let bytes: u64 = transfers.iter().map(|transfer| wire_bytes(transfer.size, &network)).sum();
        let load = bytes as f64 / (40.0 * 12.5e9 * 0.02);
        assert!((load - 0.5).abs() < 0.03, "{load}");
        assert!(transfers.is_sorted_by_key(|transfer| transfer.at));
        assert!(transfers.iter().all(|t| t.from.0 / 2 != t.to.0 / 2 && t.from.0 % 2 == t.to.0 % 2));
        let measured = transfers.iter().filter(|transfer| transfer.measured).count();
        let share = measured as f64 / transfers.len() as f64;
        assert!((share - 0.8).abs() < 0.02, "{share}");
    }

    #[test]
    fn loads_that_cannot_be_are_refused() {
        let (good, network) = mix(0.8);
        assert_eq!(good.validate(&network), Ok(()));
        for bad in [
            RpcMix { load: 0.0, ..good.clone() },
            RpcMix { load: f64::NAN, ..good.clone() },
            RpcMix { duration_ns: 0, ..good.clone() },
            RpcMix { duration_ns: 1_000_000_000_000, ..good },
        ] {
            assert!(bad.validate(&network).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn slopes_are_of_least_squares() {
        let slope = slope(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]);
        assert!((slope - 2.0).abs() < 1e-12, "{slope}");
    }
}
