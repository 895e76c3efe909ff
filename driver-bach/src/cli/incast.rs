//! `dcquic-sim incast`: many hosts send to one at once.

use dcquic_proto::rng::Jitter;

use super::{
    failure::Failure,
    network::{Defaults, NetworkArgs},
    output::Output,
    runs::{self, RunArgs},
};
use crate::{
    net::{HostFault, HostFaultKind, Topology},
    scenario::Scenario,
    units::{parse_probability, parse_span_ns},
    workload::{Incast, Sizes, Workload},
};

/// Arguments of `dcquic-sim incast`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Hosts that send.
    #[arg(long, value_name = "NUMBER", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    senders: u32,
    /// Messages in all, dealt out to the senders in turn.
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=20_000_000))]
    transfers: u32,
    /// Length of a message, or a distribution: W1 to W5.
    #[arg(long, value_name = "SIZE", default_value = "16KiB")]
    message: Sizes,
    /// Part of the senders that stall soon after the start.
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = parse_probability)]
    stalled: f64,
    /// When they stall.
    #[arg(long, value_name = "SPAN", default_value = "50us", value_parser = parse_span_ns)]
    stall_at: u64,
    /// For how long.
    #[arg(long, value_name = "SPAN", default_value = "10ms", value_parser = parse_span_ns)]
    stall: u64,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    run: RunArgs,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic-sim incast                                      500 senders, 10,000 messages of 16 KiB
  dcquic-sim incast --senders 15 --transfers 15 --message 2MB --mtu 4096
  dcquic-sim incast --senders 1023 --transfers 1023 --message 100KB
  dcquic-sim incast --buffer 50KB                        a tenth of the usual buffer
  dcquic-sim incast --loss 1% --stalled 5%               and a worse network
  dcquic-sim incast --transport dcquic,quinn-cubic,quinn-bbr

One switch. All messages are due at once. The bound is the time that they take on the receiver's
link, headers included.";

/// Runs the incast.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    runs::run(scenario(args), &args.run, output)
}

fn scenario(args: &Args) -> Scenario {
    let Args { senders, transfers, message, .. } = *args;
    let topology = Topology::Star { hosts: senders + 1, nics_per_host: 1 };
    let network = args.network.spec(topology, Defaults::default());
    let workload = Workload::Incast(Incast { senders, transfers, message });
    let mut scenario = Scenario::new("incast", network, workload);
    scenario.host_faults = stalls(args);
    scenario
}

/// Senders drawn from the seed pause for a while.
fn stalls(args: &Args) -> Vec<HostFault> {
    let mut rng = Jitter::new(args.run.seed ^ 0x5_7a11);
    let threshold = (args.stalled * 1e9) as u64;
    let kind = HostFaultKind::Pause { for_ns: args.stall };
    (1..=args.senders)
        .filter(|_| rng.below(1_000_000_000) < threshold)
        .map(|host| HostFault { host, at_ns: args.stall_at, kind })
        .collect()
}
