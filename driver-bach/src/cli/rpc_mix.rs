//! `dcquic-sim rpc-mix`: messages between random hosts at random times.

use super::{
    fabric::FabricArgs,
    failure::Failure,
    network::{Defaults, NetworkArgs},
    output::Output,
    runs::{self, RunArgs},
};
use crate::{
    net::Buffer,
    scenario::Scenario,
    units::{parse_share, parse_span_ns},
    workload::{RpcMix, Sizes, Workload},
};

/// Arguments of `dcquic-sim rpc-mix`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A distribution, W1 to W5, or one length for all messages.
    #[arg(long, value_name = "SIZE", default_value = "W4")]
    message: Sizes,
    /// What arrives, headers included, of what all NICs can send.
    #[arg(long, value_name = "SHARE", default_value = "80%", value_parser = parse_share)]
    load: f64,
    /// How long messages go on arriving; the first fifth is not measured.
    #[arg(long, value_name = "SPAN", default_value = "10ms", value_parser = parse_span_ns)]
    duration: u64,
    #[command(flatten)]
    fabric: FabricArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    run: RunArgs,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic-sim rpc-mix                                  W4 at 80 %, 144 hosts on 9 leaves
  dcquic-sim rpc-mix --message W3 --duration 1ms
  dcquic-sim rpc-mix --message W5 --load 70% --duration 20ms
  dcquic-sim rpc-mix --leaves 2 --hosts-per-leaf 4 --spines 1 --transport dcquic,quinn-cubic

Open loop: messages arrive by a Poisson process, each between two random hosts, whether or not the
network keeps up. W1 to W5 are the workloads of the Homa paper: memcached, a search application, all
applications of a datacenter, Hadoop, and web search. The load is sustained if the backlog grows by
less than 2 % of what arrives in the second half. Where a few long messages have most of the bytes, the backlog takes
tens of milliseconds to settle (W4 at 80 %) or hundreds (W5), and grows before that. Slowdown is the time that a message takes over what
an idle network would take. Switches have 10 MB each, which their ports share, unless said.";

/// Memory of a switch: about 3.1 MB per Tbit/s of a leaf's ports.
const SHARED_BUFFER: Buffer = Buffer::Shared { bytes: 10_000_000, alpha: 1.0 };

/// Runs the mix.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let Args { message, load, duration: duration_ns, .. } = *args;
    let defaults = Defaults { buffer: SHARED_BUFFER, ..Defaults::default() };
    let network = args.network.spec(args.fabric.topology(1), defaults);
    let workload = Workload::RpcMix(RpcMix { message, load, duration_ns });
    runs::run(Scenario::new("rpc-mix", network, workload), &args.run, output)
}
