//! `dcquic bench`: how fast it is here.

mod bound;
mod bulk;
mod burst;
mod core;
mod figures;
mod loopback;
mod memory;
mod pair;
mod priority;
mod rpc;
mod stream;

use clap::Subcommand;

use super::{failure::Failure, output::Output};

/// Arguments of `dcquic bench`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    bench: Bench,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic bench core            two endpoints in memory, one thread, no sockets
  dcquic bench memory          what a million transfers and ten thousand peers hold
  dcquic bench bulk --json     large messages over loopback
  dcquic bench rpc             small calls over loopback
  dcquic bench burst           10,000 calls at one instant over loopback
  dcquic bench stream          messages of a stream both ways over loopback
  dcquic bench priority        urgent calls beside bulk messages over loopback";

#[derive(Debug, Subcommand)]
enum Bench {
    /// The core alone: two endpoints in memory on one thread, without sockets.
    Core(core::Args),
    /// What a million transfers hold, and ten thousand peers.
    Memory(memory::Args),
    /// Large messages over loopback UDP.
    Bulk(bulk::Args),
    /// Small calls over loopback UDP.
    Rpc(rpc::Args),
    /// Many calls opened at one instant over loopback UDP.
    Burst(burst::Args),
    /// One stream of messages both ways over loopback UDP.
    Stream(stream::Args),
    /// Urgent calls, alone and beside bulk messages, over loopback UDP.
    Priority(priority::Args),
}

/// Measures what was asked for.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    match &args.bench {
        Bench::Core(args) => core::run(args, output),
        Bench::Memory(args) => memory::run(args, output),
        Bench::Bulk(args) => bulk::run(args, output),
        Bench::Rpc(args) => rpc::run(args, output),
        Bench::Burst(args) => burst::run(args, output),
        Bench::Stream(args) => stream::run(args, output),
        Bench::Priority(args) => priority::run(args, output),
    }
}
