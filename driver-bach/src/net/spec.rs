//! What a network consists of, as written in a scenario.

use serde::{Deserialize, Serialize};

pub use self::{
    fault::{Cable, Direction, Fault, HostFault, HostFaultKind},
    random::{GilbertElliott, RandomFaults, Reordering},
};

mod check;
mod error;
mod fault;
mod random;

pub use error::SpecError;

/// A network. What is left out has its default value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkSpec {
    /// Which hosts, switches and cables there are.
    pub topology: Topology,
    /// Rate of the NICs and of the switch ports that face them, in bits per second.
    pub rate_bits_per_sec: u64,
    /// One-way propagation delay of the longest path, in nanoseconds, split evenly over its links.
    ///
    /// In a star these are two, so that each takes half. In a leaf-spine network these are four; a
    /// path within one leaf has only two of them and thus half of the delay.
    pub delay_ns: u64,
    /// Delay from a NIC to its host on arrival, in nanoseconds: interrupts, the kernel, the bus.
    pub host_delay_ns: u64,
    /// Memory of the switches.
    pub buffer: Buffer,
    /// Ports mark ECN-capable frames that find more than this many bytes queued; without it, they
    /// never mark.
    pub ecn_threshold_bytes: Option<u64>,
    /// Whether switch ports send control frames first. NICs never do.
    pub control_priority: bool,
    /// Whether leaves choose a spine anew for every frame (packet spraying), and not by the flow's
    /// addresses (ECMP).
    pub spray: bool,
    /// The largest IP packet. Larger ones are dropped by the NIC.
    pub mtu_bytes: u32,
    /// What happens to frames by chance.
    pub random: RandomFaults,
    /// What happens at set times.
    pub faults: Vec<Fault>,
    /// How long leaves go on using a path to a spine after one of its cables went down, in
    /// nanoseconds. A cable that came up again is used at once.
    pub detection_ns: u64,
}

impl Default for NetworkSpec {
    /// Two hosts at 100 Gbit/s, 5 us apart; 500 kB per port, marking above 100 kB; jumbo frames.
    fn default() -> Self {
        Self {
            topology: Topology::Star { hosts: 2, nics_per_host: 1 },
            rate_bits_per_sec: 100_000_000_000,
            delay_ns: 5_000,
            host_delay_ns: 0,
            buffer: Buffer::PerPort { bytes: 500_000 },
            ecn_threshold_bytes: Some(100_000),
            control_priority: false,
            spray: false,
            mtu_bytes: 9_000,
            random: RandomFaults::default(),
            faults: Vec::new(),
            detection_ns: 0,
        }
    }
}

/// Which hosts, switches and cables there are. Any NIC reaches any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Topology {
    /// One switch with a port for every NIC.
    Star {
        /// Number of hosts.
        hosts: u32,
        /// Interfaces of each.
        nics_per_host: u32,
    },
    /// Two layers of switches.
    ///
    /// NIC `n` of every host hangs on rail `n`. A rail has `leaves` leaf switches with
    /// `hosts_per_leaf` hosts each, in order, so that a host's NICs hang on as many leaves. Leaf
    /// `l` of rail `n` is number `n * leaves + l`. Every leaf has one cable to every spine.
    LeafSpine {
        /// Leaf switches of each rail.
        leaves: u32,
        /// Hosts on each leaf.
        hosts_per_leaf: u32,
        /// Spine switches.
        spines: u32,
        /// Interfaces of each host.
        nics_per_host: u32,
        /// Rate of the cables between leaves and spines, in bits per second.
        uplink_rate_bits_per_sec: u64,
    },
}

impl Topology {
    /// Number of hosts.
    pub fn hosts(&self) -> u32 {
        match *self {
            Self::Star { hosts, .. } => hosts,
            Self::LeafSpine { leaves, hosts_per_leaf, .. } => leaves.saturating_mul(hosts_per_leaf),
        }
    }

    /// Interfaces of each host.
    pub fn nics_per_host(&self) -> u32 {
        match *self {
            Self::Star { nics_per_host, .. } | Self::LeafSpine { nics_per_host, .. } => {
                nics_per_host
            }
        }
    }
}

/// Memory of a switch. The frame in transmission occupies it too.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Buffer {
    /// Every port has its own.
    PerPort {
        /// The most bytes that a port holds.
        bytes: u64,
    },
    /// All ports of a switch share one pool with dynamic thresholds: a frame is taken if it fits
    /// what is free, and its port's queue with it does not exceed `alpha` times that.
    Shared {
        /// Memory of each switch.
        bytes: u64,
        /// The factor; 1 lets one busy port have half of the memory.
        alpha: f64,
    },
}
