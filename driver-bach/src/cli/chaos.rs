//! `dcquic-sim chaos`: everything that can go wrong, seed after seed.

use std::path::PathBuf;

use serde::Serialize;

use super::{failure::Failure, output::Output, progress};
use crate::scenario::{Hooks, Scenario, Transport};

/// Arguments of `dcquic-sim chaos`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The first seed.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..1 << 62))]
    seed: u64,
    /// How many seeds to run, from the first on.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..1 << 62))]
    seeds: u64,
    /// The transport to look at.
    #[arg(long, value_name = "NAME", default_value = "dcquic")]
    transport: Transport,
    /// Write all that crossed a link to this file, for Wireshark; of the last run.
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Write the scenario of the first seed to this file instead of running it.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic-sim chaos --seeds 1000                       until an invariant breaks
  dcquic-sim chaos --seed 42                          the same again
  dcquic-sim chaos --seed 42 --save chaos.toml        what it consists of

A seed decides the topology, the traffic, what happens to packets, links and hosts, and all the rest.
After each run must hold: every transfer was delivered once and intact, or failed with a cause while
one of its hosts had crashed; endpoints are left with nothing; every frame is accounted for; no host
held more memory than configured; the run has ended. The first seed that breaks one is printed with
the command that replays it.";

/// What came of all seeds.
#[derive(Serialize)]
struct Report {
    ok: bool,
    seeds: u64,
    transfers: u64,
    failed_transfers: u64,
    dropped_packets: u64,
    packets: u64,
    /// Of the last run.
    digest: String,
}

/// Runs the seeds.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    if let Some(path) = &args.save {
        return Ok(Scenario::chaos(args.seed).save(path)?);
    }
    let bar = progress::bar("chaos", args.seeds, "seeds");
    let mut report = Report {
        ok: true,
        seeds: args.seeds,
        transfers: 0,
        failed_transfers: 0,
        dropped_packets: 0,
        packets: 0,
        digest: String::new(),
    };
    for seed in args.seed..args.seed + args.seeds {
        let scenario = Scenario::chaos(seed);
        let hooks = Hooks { capture: args.pcap.clone(), watch: None };
        let outcome = scenario.run(args.transport, hooks)?;
        let violations = scenario.violations(&outcome);
        if let Some(first) = violations.first() {
            bar.finish_and_clear();
            let more = violations.len() - 1;
            let rest = if more > 0 { format!(" (and {more} more)") } else { String::new() };
            return Err(Failure::new(format_args!(
                "seed {seed}: {first}{rest}; replay it with: dcquic-sim chaos --seed {seed} \
                 --transport {}",
                args.transport
            )));
        }
        report.transfers += outcome.transfers as u64;
        report.failed_transfers += outcome.summary.lost_transfers as u64;
        report.dropped_packets += outcome.summary.dropped_packets;
        report.packets += outcome.summary.packets;
        report.digest = outcome.summary.digest;
        bar.inc(1);
    }
    bar.finish_and_clear();
    output.result(&report, |report| {
        format!(
            "{} seeds from {} on, every invariant held: {} transfers, {} failed because of a crash, \
             {} packets, {} dropped",
            report.seeds,
            args.seed,
            report.transfers,
            report.failed_transfers,
            report.packets,
            report.dropped_packets
        )
    })
}
