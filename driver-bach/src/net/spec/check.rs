//! Which networks can exist.

use core::fmt::Display;

use super::{Buffer, Cable, Fault, GilbertElliott, NetworkSpec, RandomFaults, SpecError, Topology};

/// The most hosts, and the most NICs of them all.
const MAX_NICS: u64 = 262_144;
/// The most interfaces of a host.
const MAX_NICS_PER_HOST: u64 = 16;
/// The most switches of each kind.
const MAX_SWITCHES: u64 = 4_096;
/// The most cables between leaves and spines.
const MAX_UPLINKS: u64 = 262_144;
/// 1 Mbit/s, and one picosecond per byte.
const RATES: (u64, u64) = (1_000_000, 8_000_000_000_000);
/// The longest delay: ten seconds.
const MAX_DELAY_NS: u64 = 10_000_000_000;
/// The latest time of a fault: a hundred days, so that sums stay in range.
const MAX_TIME_NS: u64 = 100 * 86_400 * 1_000_000_000;
/// The least MTU that carries 1,200 bytes of UDP payload, and the largest IP packet.
const MTUS: (u64, u64) = (1_228, 65_535);
/// The most memory of a port or switch.
const MAX_BUFFER_BYTES: u64 = 1 << 40;
/// The most scheduled faults.
const MAX_FAULTS: u64 = 65_536;

type Checked = Result<(), SpecError>;

impl NetworkSpec {
    /// Checks that there can be such a network.
    ///
    /// # Errors
    /// The first value that is wrong, and what would be right.
    pub fn validate(&self) -> Result<(), SpecError> {
        self.topology.validate()?;
        within("rate_bits_per_sec", self.rate_bits_per_sec, RATES)?;
        within("delay_ns", self.delay_ns, (0, MAX_DELAY_NS))?;
        within("host_delay_ns", self.host_delay_ns, (0, MAX_DELAY_NS))?;
        within("detection_ns", self.detection_ns, (0, MAX_TIME_NS))?;
        within("mtu_bytes", self.mtu_bytes.into(), MTUS)?;
        self.buffer.validate()?;
        self.random.validate()?;
        within("faults (number)", self.faults.len() as u64, (0, MAX_FAULTS))?;
        self.faults
            .iter()
            .enumerate()
            .try_for_each(|(index, fault)| fault.validate(&format!("faults[{index}]"), self))
    }
}

impl Topology {
    fn validate(&self) -> Checked {
        match *self {
            Self::Star { hosts, nics_per_host } => {
                within("topology.star.hosts", hosts.into(), (1, MAX_NICS))?;
                let nics = u64::from(nics_per_host);
                within("topology.star.nics_per_host", nics, (1, MAX_NICS_PER_HOST))?;
                within("topology.star.hosts x nics_per_host", self.nics(), (1, MAX_NICS))
            }
            Self::LeafSpine { leaves, hosts_per_leaf, spines, nics_per_host, .. } => {
                let field = |name| format!("topology.leaf_spine.{name}");
                within(field("leaves"), leaves.into(), (1, MAX_SWITCHES))?;
                within(field("hosts_per_leaf"), hosts_per_leaf.into(), (1, MAX_NICS))?;
                within(field("spines"), spines.into(), (1, MAX_SWITCHES))?;
                within(field("nics_per_host"), nics_per_host.into(), (1, MAX_NICS_PER_HOST))?;
                let name = "leaves x hosts_per_leaf x nics_per_host";
                within(field(name), self.nics(), (1, MAX_NICS))?;
                let uplinks = u64::from(leaves) * u64::from(spines) * u64::from(nics_per_host);
                within(field("leaves x spines x nics_per_host"), uplinks, (1, MAX_UPLINKS))?;
                within(field("uplink_rate_bits_per_sec"), self.uplink_rate(), RATES)
            }
        }
    }

    /// Number of NICs, before it is known to be small.
    fn nics(&self) -> u64 {
        u64::from(self.hosts()) * u64::from(self.nics_per_host())
    }

    fn uplink_rate(&self) -> u64 {
        match *self {
            Self::Star { .. } => 0,
            Self::LeafSpine { uplink_rate_bits_per_sec, .. } => uplink_rate_bits_per_sec,
        }
    }
}

impl Buffer {
    fn validate(&self) -> Checked {
        match *self {
            Self::PerPort { bytes } => {
                within("buffer.per_port.bytes", bytes, (1, MAX_BUFFER_BYTES))
            }
            Self::Shared { bytes, alpha } => {
                within("buffer.shared.bytes", bytes, (1, MAX_BUFFER_BYTES))?;
                fraction("buffer.shared.alpha", alpha, (1.0 / 1024.0, 1024.0))
            }
        }
    }
}

impl RandomFaults {
    fn validate(&self) -> Checked {
        probability("random.loss", self.loss)?;
        probability("random.duplication", self.duplication)?;
        probability("random.corruption", self.corruption)?;
        if let Some(burst) = self.burst {
            let GilbertElliott { good_to_bad, bad_to_good, loss_good, loss_bad } = burst;
            probability("random.burst.good_to_bad", good_to_bad)?;
            probability("random.burst.bad_to_good", bad_to_good)?;
            probability("random.burst.loss_good", loss_good)?;
            probability("random.burst.loss_bad", loss_bad)?;
        }
        if let Some(reordering) = self.reordering {
            probability("random.reordering.probability", reordering.probability)?;
            let extra = reordering.extra_delay_ns;
            within("random.reordering.extra_delay_ns", extra, (0, MAX_DELAY_NS))?;
        }
        Ok(())
    }
}

impl Fault {
    fn validate(&self, field: &str, spec: &NetworkSpec) -> Checked {
        let (at_ns, for_ns) = self.span_ns();
        within(format!("{field}.at_ns"), at_ns, (0, MAX_TIME_NS))?;
        within(format!("{field}.for_ns"), for_ns.unwrap_or(1), (1, MAX_TIME_NS))?;
        match self {
            Self::Down { cable, .. } => cable.validate(field, spec),
            Self::Partition { left, right, .. } => partition(field, left, right, spec),
            Self::Rate { cable, rate_bits_per_sec, .. } => {
                within(format!("{field}.rate_bits_per_sec"), *rate_bits_per_sec, RATES)?;
                cable.validate(field, spec)
            }
            Self::Delay { cable, extra_delay_ns, .. } => {
                let range = (0, MAX_DELAY_NS);
                within(format!("{field}.extra_delay_ns"), *extra_delay_ns, range)?;
                cable.validate(field, spec)
            }
        }
    }
}

impl Cable {
    fn validate(&self, field: &str, spec: &NetworkSpec) -> Checked {
        match (*self, spec.topology) {
            (Self::Nic { host, nic }, topology) => {
                below(format!("{field}.cable.nic.host"), host, topology.hosts())?;
                below(format!("{field}.cable.nic.nic"), nic, topology.nics_per_host())
            }
            (Self::Uplink { .. }, Topology::Star { .. }) => {
                Err(SpecError::NoUplinks { field: format!("{field}.cable") })
            }
            (
                Self::Uplink { leaf, spine },
                Topology::LeafSpine { leaves, spines, nics_per_host, .. },
            ) => {
                below(format!("{field}.cable.uplink.leaf"), leaf, leaves * nics_per_host)?;
                below(format!("{field}.cable.uplink.spine"), spine, spines)
            }
        }
    }
}

fn partition(field: &str, left: &[u32], right: &[u32], spec: &NetworkSpec) -> Checked {
    let hosts = spec.topology.hosts();
    for (name, side) in [("left", left), ("right", right)] {
        within(format!("{field}.{name} (number)"), side.len() as u64, (1, hosts.into()))?;
        side.iter().try_for_each(|&host| below(format!("{field}.{name}"), host, hosts))?;
    }
    let mut is_left = vec![false; hosts as usize];
    left.iter().for_each(|&host| is_left[host as usize] = true);
    match right.iter().find(|&&host| is_left[host as usize]) {
        Some(&host) => Err(SpecError::BothSides { field: field.to_owned(), host }),
        None => Ok(()),
    }
}

fn below(field: impl Display, value: u32, bound: u32) -> Checked {
    within(field, value.into(), (0, u64::from(bound) - 1))
}

fn within(field: impl Display, value: u64, (min, max): (u64, u64)) -> Checked {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(SpecError::OutOfRange { field: field.to_string(), value, min, max })
}

fn probability(field: &str, value: f64) -> Checked {
    fraction(field, value, (0.0, 1.0))
}

fn fraction(field: &str, value: f64, (min, max): (f64, f64)) -> Checked {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(SpecError::FractionOutOfRange { field: field.to_owned(), value, min, max })
}

#[cfg(test)]
mod tests;
