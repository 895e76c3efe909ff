//! Senders whose own link is the bottleneck, and those who share a receiver with them.

use serde::{Deserialize, Serialize};

use super::{Sizes, Transfer, WorkloadError, first_nic};
use crate::{
    measure::{Finding, Measured},
    net::{NetworkSpec, Picos, Topology},
};

/// When the flows that come later start.
const LATER: Picos = Picos::from_micros(200);

/// Receivers of the burst's sender, and senders to its receiver.
const BURST: u32 = 10;

/// Hosts on a leaf, and senders to the neighbour, where a victim is looked at.
const PER_LEAF: u32 = 16;
const NEIGHBOUR_SENDERS: u32 = 64;

/// What the neighbour's senders send in all, of the victim's flow.
const NEIGHBOUR_SHARE: f64 = 0.8;

/// A few long flows, some of which share a sender and some a receiver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcast {
    /// Which flows there are.
    pub variant: OutcastVariant,
    /// Length of a flow.
    pub message: Sizes,
}

/// Which flows there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutcastVariant {
    /// A sends to B, C and D, which start in turn.
    Outcast,
    /// A sends to B, C, D and E, and F sends three times as much to E: both A's and E's link can
    /// be full.
    OutcastIncast,
    /// A sends to ten hosts, ten others send to Z, and V sends to one of A's receivers: 21 flows.
    Burst,
    /// A flow to a host, while 64 send to its neighbour on the same leaf.
    Victim,
    /// A flow, and two more to the same receiver that start later.
    LateJoiner,
}

/// A flow: sender, receiver, start, length in those of the message, and its name.
type Flow = (u32, u32, Picos, f64, String);

impl OutcastVariant {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Outcast, Self::OutcastIncast, Self::Burst, Self::Victim, Self::LateJoiner];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outcast => "outcast",
            Self::OutcastIncast => "outcast-incast",
            Self::Burst => "burst",
            Self::Victim => "victim",
            Self::LateJoiner => "late-joiner",
        }
    }

    /// The usual length of its flows, in bytes.
    pub const fn usual_bytes(self) -> u64 {
        match self {
            Self::Burst => 2_000_000,
            Self::Victim => 20_000_000,
            Self::Outcast | Self::OutcastIncast | Self::LateJoiner => 10_000_000,
        }
    }

    /// The smallest network for it, with uplinks of this rate.
    pub const fn topology(self, uplink_rate_bits_per_sec: u64) -> Topology {
        match self {
            Self::Victim => Topology::LeafSpine {
                leaves: self.hosts().div_ceil(PER_LEAF),
                hosts_per_leaf: PER_LEAF,
                spines: 4,
                nics_per_host: 1,
                uplink_rate_bits_per_sec,
            },
            _ => Topology::Star { hosts: self.hosts(), nics_per_host: 1 },
        }
    }

    const fn hosts(self) -> u32 {
        match self {
            Self::Outcast | Self::LateJoiner => 4,
            Self::OutcastIncast => 6,
            Self::Burst => 2 * BURST + 3,
            Self::Victim => PER_LEAF + NEIGHBOUR_SENDERS + 1,
        }
    }

    fn flows(self) -> Vec<Flow> {
        let now = Picos::ZERO;
        let flow = |from, to, at, length, name: &str| (from, to, at, length, name.to_owned());
        match self {
            Self::Outcast => vec![
                flow(0, 1, now, 1.0, "A->B"),
                flow(0, 2, LATER, 1.0, "A->C"),
                flow(0, 3, LATER + LATER, 1.0, "A->D"),
            ],
            Self::OutcastIncast => vec![
                flow(0, 1, now, 1.0, "A->B"),
                flow(0, 2, now, 1.0, "A->C"),
                flow(0, 3, now, 1.0, "A->D"),
                flow(0, 4, now, 1.0, "A->E"),
                flow(5, 4, now, 3.0, "F->E"),
            ],
            Self::Burst => {
                let (last, victim) = (2 * BURST + 1, 2 * BURST + 2);
                let out = (1..=BURST).map(|to| flow(0, to, now, 1.0, "A->all"));
                let to_last = |from| flow(from, last, now, 1.0, "all->Z");
                let into = (BURST + 1..=2 * BURST).map(to_last);
                out.chain(into).chain([flow(victim, 1, now, 1.0, "V->B")]).collect()
            }
            Self::Victim => {
                let length = NEIGHBOUR_SHARE / f64::from(NEIGHBOUR_SENDERS);
                let senders = PER_LEAF..PER_LEAF + NEIGHBOUR_SENDERS;
                let incast = senders.map(|from| flow(from, 1, LATER, length, "neighbour"));
                let long = flow(PER_LEAF + NEIGHBOUR_SENDERS, 0, now, 1.0, "victim");
                core::iter::once(long).chain(incast).collect()
            }
            Self::LateJoiner => vec![
                flow(1, 0, now, 1.0, "A->D"),
                flow(2, 0, LATER, 0.2, "B->D"),
                flow(3, 0, LATER, 0.2, "C->D"),
            ],
        }
    }
}

impl core::str::FromStr for OutcastVariant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|variant| variant.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("{text:?} is no variant; there are {names}")
        })
    }
}

impl Outcast {
    pub(super) fn validate(&self, network: &NetworkSpec) -> Result<(), WorkloadError> {
        WorkloadError::check_hosts(network.topology.hosts(), self.variant.hosts().into())
    }

    /// Flows of one name are a group, in order of first mention.
    pub(super) fn transfers(&self, network: &NetworkSpec, seed: u64) -> Vec<Transfer> {
        let mut rng = dcquic_proto::rng::Jitter::new(seed);
        let names = self.names();
        let mut transfers: Vec<Transfer> = self
            .variant
            .flows()
            .into_iter()
            .map(|(from, to, at, length, name)| {
                let size = (self.message.draw(&mut rng) as f64 * length).ceil() as u64;
                let group = names.iter().position(|known| *known == name).unwrap_or(0) as u16;
                let ends = [from, to].map(|host| first_nic(network, host));
                Transfer { at, group, ..Transfer::new(ends[0], ends[1], size.max(1)) }
            })
            .collect();
        transfers.sort_by_key(|transfer| transfer.at);
        transfers
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for (.., name) in self.variant.flows() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The rate of every flow, or the slowest where many are alike.
    pub(super) fn findings(&self, run: &Measured<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (group, name) in (0..).zip(self.names()) {
            let key = name.to_ascii_lowercase().replace("->", "_");
            let flows = run.group(group);
            let slowest = flows.iter().map(|(_, took)| *took).fold(0.0, f64::max);
            let rate = run.rate_gbps(group);
            let label = format!("{name} (Gbit/s)");
            findings.push(Finding::new(&format!("{key}_gbps"), &label, rate, 2));
            let label = format!("{name}, {}last (us)", if flows.len() > 1 { "the " } else { "" });
            findings.push(Finding::new(&format!("{key}_us"), &label, slowest * 1e6, 1));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_fits_its_own_topology() {
        for variant in OutcastVariant::ALL {
            let topology = variant.topology(400_000_000_000);
            let network = NetworkSpec { topology, ..NetworkSpec::default() };
            assert_eq!(network.validate(), Ok(()));
            let message = Sizes::Fixed(variant.usual_bytes());
            let outcast = Outcast { variant, message };
            assert_eq!(outcast.validate(&network), Ok(()));
            let transfers = outcast.transfers(&network, 1);
            assert!(transfers.iter().all(|t| t.from.0 < topology.hosts() && t.from != t.to));
            assert!(transfers.is_sorted_by_key(|transfer| transfer.at));
            assert_eq!(variant.name().parse(), Ok(variant));
        }
        assert!("incast".parse::<OutcastVariant>().is_err());
    }

    #[test]
    fn the_burst_has_as_many_flows_as_the_published_one() {
        assert_eq!(OutcastVariant::Burst.flows().len(), 21);
    }
}
