//! `dcquic-sim all-to-all`: every host sends to every other.

use super::{
    failure::Failure,
    network::{Defaults, NetworkArgs},
    output::Output,
    runs::{self, RunArgs},
};
use crate::{
    net::Topology,
    scenario::Scenario,
    workload::{AllToAll, Sizes, Workload},
};

/// Arguments of `dcquic-sim all-to-all`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Number of hosts.
    #[arg(long, value_name = "NUMBER", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    hosts: u32,
    /// Interfaces of each host.
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=16))]
    nics: u32,
    /// What each host sends to each other, divided among the interfaces.
    #[arg(long, value_name = "SIZE", default_value = "32MB")]
    bytes: Sizes,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    run: RunArgs,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic-sim all-to-all                               16 hosts with 8 NICs of 400 Gbit/s
  dcquic-sim all-to-all --hosts 4 --nics 2 --bytes 8MB --rate 100Gbps
  dcquic-sim all-to-all --hosts 64 --nics 1 --bytes 2MB --transport dcquic,quinn-cubic

One switch; the default rate is 400Gbps. NIC n of a host sends to NIC n of the others, and all
transfers are due at once. A host's rate is what it received until its last transfer was complete.";

/// Runs the shuffle.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let topology = Topology::Star { hosts: args.hosts, nics_per_host: args.nics };
    let defaults = Defaults { rate_bits_per_sec: 400_000_000_000, ..Defaults::default() };
    let network = args.network.spec(topology, defaults);
    let workload = Workload::AllToAll(AllToAll { pair: args.bytes });
    runs::run(Scenario::new("all-to-all", network, workload), &args.run, output)
}
