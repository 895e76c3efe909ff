//! `dcquic bench priority`: urgent calls beside bulk messages.

use bytes::Bytes;
use dcquic_proto::id::Priority;

use super::{
    figures::Figures,
    loopback::{Loopback, Traffic},
};
use crate::cli::{
    failure::Failure, load::contest::Contest, output::Output, progress, size::ByteSize,
};

/// Arguments of `dcquic bench priority`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Urgency of the calls, from 0 (most urgent) to 7, which is that of the bulk messages.
    #[arg(long, value_name = "LEVEL", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=7))]
    priority: u8,
    /// Length of each request, and of each response.
    #[arg(long, value_name = "BYTES", default_value = "64")]
    size: ByteSize,
    /// Length of each bulk message.
    #[arg(long, value_name = "BYTES", default_value = "64MiB")]
    bulk: ByteSize,
    #[command(flatten)]
    run: Traffic,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic bench priority
  dcquic bench priority --priority 7        calls as little urgent as the bulk messages
  dcquic bench priority --json

One client and one server socket, a worker thread each. Calls go one after the other, first alone and
then beside two bulk messages at a time that use the same link, in the same direction. The ratio is
that of the 99 % latencies. Processor and socket buffer are shared too: on few cores calls wait for
these, whatever their priority.";

/// Measures urgent calls beside bulk messages.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let loopback = Loopback::start(args.run.config())?;
    let (pool, remote) = (loopback.pool(), loopback.remote());
    let spinner = progress::waiting("calls, alone and beside bulk messages");
    let contest = Contest {
        pool: &pool,
        remote,
        priority: Priority::new(args.priority).unwrap_or_default(),
        body: Bytes::from(vec![0x5a; args.size.0 as usize]),
        payload: Bytes::from(vec![7; args.bulk.0 as usize]),
        span: args.run.duration,
    };
    let contested = pollster::block_on(contest.run())?;
    spinner.finish_and_clear();
    let useful = loopback.usefulness();
    Figures::new("priority", args.run.datagram, useful).with_contest(&contested).print(output)
}
