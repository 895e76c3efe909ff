//! `dcquic-sim bulk-vs-rpc`: short messages beside saturating long ones.

use super::{
    failure::Failure,
    network::{Defaults, NetworkArgs},
    output::Output,
    runs::{self, RunArgs},
};
use crate::{
    net::Topology,
    scenario::Scenario,
    units::{parse_share, parse_span_ns},
    workload::{BulkVsRpc, Sizes, Workload},
};

/// Arguments of `dcquic-sim bulk-vs-rpc`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Length of short messages, or a distribution: W1 to W5.
    #[arg(long, value_name = "SIZE", default_value = "64B")]
    message: Sizes,
    /// What the short messages of each stream take of a link.
    #[arg(long, value_name = "SHARE", default_value = "1%", value_parser = parse_share)]
    load: f64,
    /// Length of bulk messages.
    #[arg(long, value_name = "SIZE", default_value = "10MB")]
    bulk: Sizes,
    /// Hosts that the bulk comes from, or goes to; with 0, bulk goes the way of the short messages.
    #[arg(long, value_name = "NUMBER", default_value_t = 6, value_parser = clap::value_parser!(u32).range(..=10_000))]
    peers: u32,
    /// Urgency of the short messages, from 0 (most) to 7.
    #[arg(long, value_name = "LEVEL", default_value_t = 3, value_parser = clap::value_parser!(u8).range(..=7))]
    priority: u8,
    /// Urgency of the bulk.
    #[arg(long, value_name = "LEVEL", default_value_t = 3, value_parser = clap::value_parser!(u8).range(..=7))]
    bulk_priority: u8,
    /// How long short messages go on arriving.
    #[arg(long, value_name = "SPAN", default_value = "5ms", value_parser = parse_span_ns)]
    duration: u64,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    run: RunArgs,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic-sim bulk-vs-rpc                              64 bytes beside 10 MB
  dcquic-sim bulk-vs-rpc --message W2 --bulk 100MB --peers 1 --transport dcquic,quinn-cubic
  dcquic-sim bulk-vs-rpc --priority 0 --bulk-priority 7 --bulk 64KiB --peers 0

Three streams of short messages, each between two hosts of its own on one switch: over idle links, to
a receiver that other hosts saturate with bulk, and from a sender that saturates other hosts. All run
at the same time, so that the times on idle links are what the others compare with.";

/// Runs both.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let Args { message, load, bulk, peers, priority, bulk_priority, .. } = *args;
    let duration_ns = args.duration;
    let workload = BulkVsRpc { message, load, bulk, peers, priority, bulk_priority, duration_ns };
    let topology = Topology::Star { hosts: workload.hosts(), nics_per_host: 1 };
    let network = args.network.spec(topology, Defaults::default());
    let workload = Workload::BulkVsRpc(workload);
    runs::run(Scenario::new("bulk-vs-rpc", network, workload), &args.run, output)
}
