//! Options that describe leaves and spines.

use clap::Args;

use crate::{net::Topology, units::parse_rate};

/// Two layers of switches.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Topology")]
pub(crate) struct FabricArgs {
    /// Leaf switches.
    #[arg(long, value_name = "NUMBER", default_value_t = 9)]
    leaves: u32,
    /// Hosts on each leaf.
    #[arg(long, value_name = "NUMBER", default_value_t = 16)]
    hosts_per_leaf: u32,
    /// Spine switches; each has one cable to every leaf.
    #[arg(long, value_name = "NUMBER", default_value_t = 4)]
    spines: u32,
    /// Rate of the cables between leaves and spines.
    #[arg(long, value_name = "RATE", default_value = "400Gbps", value_parser = parse_rate)]
    uplink_rate: u64,
}

impl FabricArgs {
    /// The topology with so many NICs per host.
    pub(crate) const fn topology(&self, nics_per_host: u32) -> Topology {
        Topology::LeafSpine {
            leaves: self.leaves,
            hosts_per_leaf: self.hosts_per_leaf,
            spines: self.spines,
            nics_per_host,
            uplink_rate_bits_per_sec: self.uplink_rate,
        }
    }
}
