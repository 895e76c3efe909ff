//! The `dcquic-sim` command: scenarios in, figures on stdout, one line on stderr when it fails.

mod all_to_all;
mod bulk_vs_rpc;
mod chaos;
mod fabric;
mod failover;
mod failure;
mod incast;
mod network;
mod outcast;
mod output;
mod progress;
mod report;
mod rpc_mix;
mod run;
mod runs;
mod table;

use std::process::ExitCode;

use clap::{Parser, Subcommand, error::ErrorKind};

use self::{failure::Failure, output::Output};

/// Simulated datacenter networks, and transports that are compared in them.
#[derive(Debug, Parser)]
#[command(name = "dcquic-sim", version, after_help = EXAMPLES)]
struct Cli {
    /// Print results as JSON, one object per run and line; errors too.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic-sim incast                                    500 hosts send 10,000 messages to one
  dcquic-sim incast --transport dcquic,quinn-cubic     the same beside QUIC, in one table
  dcquic-sim rpc-mix --message W4 --load 80%           messages at random, 144 hosts
  dcquic-sim all-to-all                                a shuffle of 16 hosts with 8 NICs
  dcquic-sim chaos --seeds 100                         everything that can go wrong
  dcquic-sim incast --senders 64 --message 1MB --loss 1% --seed 7 --json
  dcquic-sim incast --senders 100 --save incast.toml   the scenario as a file, to edit
  dcquic-sim run incast.toml                           and to run

Everything in a run but its wall time is a function of the scenario and its seed: the same digest
means the same packets at the same times. Quantities have units: 16KiB is 16,384 bytes and 16KB is
16,000; 100Gbps; 5us; shares are 1% or 0.01.

EXIT CODES:
  0 all transfers were delivered (or failed because a host was lost, where the scenario says so), and
    every invariant held; 1 they were not, or a file could not be written; 2 wrong usage, or a
    scenario that cannot be";

#[derive(Debug, Subcommand)]
enum Command {
    /// Many hosts send to one at once.
    Incast(incast::Args),
    /// Long flows that share senders and receivers.
    Outcast(outcast::Args),
    /// Every host sends to every other.
    AllToAll(all_to_all::Args),
    /// Messages of random sizes between random hosts at random times, at a given load.
    RpcMix(rpc_mix::Args),
    /// Short messages beside saturating long ones.
    BulkVsRpc(bulk_vs_rpc::Args),
    /// An uplink and later a NIC fail during transfers.
    Failover(failover::Args),
    /// Everything that can go wrong, seed after seed.
    Chaos(chaos::Args),
    /// A scenario from a file.
    Run(run::Args),
}

/// Runs the command that the process's arguments ask for.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let output = Output { json: cli.json };
    let result = match cli.command {
        Command::Incast(args) => incast::run(&args, output),
        Command::Outcast(args) => outcast::run(&args, output),
        Command::AllToAll(args) => all_to_all::run(&args, output),
        Command::RpcMix(args) => rpc_mix::run(&args, output),
        Command::BulkVsRpc(args) => bulk_vs_rpc::run(&args, output),
        Command::Failover(args) => failover::run(&args, output),
        Command::Chaos(args) => chaos::run(&args, output),
        Command::Run(args) => run::run(&args, output),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&failure, cli.json);
            ExitCode::from(failure.code())
        }
    }
}

/// Prints help, the version, or what is wrong with the arguments.
fn usage(error: &clap::Error) -> ExitCode {
    let wrong = !matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if wrong && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default();
        print_error(first.strip_prefix("error: ").unwrap_or(first));
    }
    // nowhere is left to say that this failed
    let _ = error.print();
    if wrong { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

/// Says why the command failed.
fn report(failure: &Failure, json: bool) {
    let message = failure.to_string();
    if json {
        print_error(&message);
    }
    output::note(format_args!("dcquic-sim: {message}"));
}

/// Prints the JSON object of an error.
fn print_error(message: &str) {
    let value = serde_json::json!({ "ok": false, "error": message });
    // the line on stderr says the same
    let _ = Output { json: true }.result(&value, |_| String::new());
}
