//! `dcquic-sim outcast`: long flows that share senders and receivers.

use super::{
    failure::Failure,
    network::{Defaults, NetworkArgs},
    output::Output,
    runs::{self, RunArgs},
};
use crate::{
    scenario::Scenario,
    units::parse_rate,
    workload::{Outcast, OutcastVariant, Sizes, Workload},
};

/// Arguments of `dcquic-sim outcast`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Which flows: outcast, outcast-incast, burst, victim or late-joiner.
    #[arg(long, value_name = "NAME", default_value = "outcast")]
    variant: OutcastVariant,
    /// Length of a flow [default: 10MB, in a burst 2MB, of the victim 20MB].
    #[arg(long, value_name = "SIZE")]
    message: Option<Sizes>,
    /// Rate of the cables to the spines, where there are any.
    #[arg(long, value_name = "RATE", default_value = "400Gbps", value_parser = parse_rate)]
    uplink_rate: u64,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    run: RunArgs,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic-sim outcast                                  A sends to B, C and D, which start in turn
  dcquic-sim outcast --variant outcast-incast         A to B, C, D and E; F to E
  dcquic-sim outcast --variant burst --transport dcquic,quinn-cubic

VARIANTS:
  outcast         A sends to B, C and D, which start 200 us apart
  outcast-incast  A sends to B, C, D and E, and F sends three times as much to E: with all links
                  full, 25 % of the rate for A's flows and 75 % for F's
  burst           A sends to ten hosts, ten others send to Z, and V sends to one of A's receivers: 21
                  flows. The published flow matrix is not known; this has as many flows and the
                  same bound, ten flows on one link
  victim          a flow to a host, and after 200 us 64 hosts send to its neighbour on the same
                  leaf, in all 80 % as much
  late-joiner     a flow, and after 200 us two more to the same receiver, of a fifth of its length";

/// Runs the flows.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let variant = args.variant;
    let network = args.network.spec(variant.topology(args.uplink_rate), Defaults::default());
    let message = args.message.unwrap_or(Sizes::Fixed(variant.usual_bytes()));
    let workload = Workload::Outcast(Outcast { variant, message });
    runs::run(Scenario::new(variant.name(), network, workload), &args.run, output)
}
