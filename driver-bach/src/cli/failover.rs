//! `dcquic-sim failover`: an uplink and later a NIC fail during transfers.

use super::{
    failure::Failure,
    network::{Defaults, NetworkArgs},
    output::Output,
    runs::{self, RunArgs},
};
use crate::{
    net::{Cable, Fault, Topology},
    scale::Retry,
    scenario::Scenario,
    units::{parse_share, parse_span_ns},
    workload::{Sizes, Stream, Workload},
};

/// Arguments of `dcquic-sim failover`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Hosts on each of the two leaves of a rail.
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    hosts_per_leaf: u32,
    /// Interfaces of each host, each on a rail of its own.
    #[arg(long, value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=16))]
    nics: u32,
    /// Length of a message.
    #[arg(long, value_name = "SIZE", default_value = "256KiB")]
    message: Sizes,
    /// What the messages take of every NIC.
    #[arg(long, value_name = "SHARE", default_value = "40%", value_parser = parse_share)]
    load: f64,
    /// For how long messages are started.
    #[arg(long, value_name = "SPAN", default_value = "20ms", value_parser = parse_span_ns)]
    duration: u64,
    /// How long leaves go on using a path after its cable went down.
    #[arg(long, value_name = "SPAN", default_value = "1ms", value_parser = parse_span_ns)]
    detection: u64,
    /// The application starts a message anew, on the next NIC, after so long without delivery.
    #[arg(long, value_name = "SPAN", default_value = "2ms", value_parser = parse_span_ns)]
    patience: u64,
    /// How often it starts a message at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=100))]
    attempts: u32,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    run: RunArgs,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic-sim failover                                 4 hosts of 2 NICs send to 4 others
  dcquic-sim failover --patience 500us --detection 100us

Every rail has two leaves and two spines; the hosts of the first leaf send to those of the second over
their NICs in turn. After a quarter of the time the cable between the first leaf and the first spine
fails, after half of it the first NIC of host 0, both for good. An endpoint gives up a silent
peer after 10 s; the application does not wait for that, and starts what was not delivered in time
anew on the next NIC, at both ends, each time waiting twice as long.";

/// Runs the failures.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let Args { message, load, duration: duration_ns, .. } = *args;
    let mut network = args.network.spec(
        Topology::LeafSpine {
            leaves: 2,
            hosts_per_leaf: args.hosts_per_leaf,
            spines: 2,
            nics_per_host: args.nics,
            uplink_rate_bits_per_sec: 400_000_000_000,
        },
        Defaults::default(),
    );
    network.detection_ns = args.detection;
    let down = |at_ns, cable| Fault::Down { at_ns, for_ns: None, cable };
    network.faults = vec![
        down(duration_ns / 4, Cable::Uplink { leaf: 0, spine: 0 }),
        down(duration_ns / 2, Cable::Nic { host: 0, nic: 0 }),
    ];
    let workload = Workload::Stream(Stream { message, load, duration_ns });
    let mut scenario = Scenario::new("failover", network, workload);
    scenario.retry = Some(Retry { attempts: args.attempts, patience_ns: Some(args.patience) });
    runs::run(scenario, &args.run, output)
}
