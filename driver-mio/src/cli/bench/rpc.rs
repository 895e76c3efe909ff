//! `dcquic bench rpc`: small calls over loopback.

use bytes::Bytes;

use super::{
    figures::Figures,
    loopback::{Loopback, Traffic},
};
use crate::cli::{
    failure::Failure,
    load::{self, Until},
    output::Output,
    progress,
    size::ByteSize,
};

/// Arguments of `dcquic bench rpc`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Length of each request, and of each response.
    #[arg(long, value_name = "BYTES", default_value = "64")]
    size: ByteSize,
    /// Calls open at once.
    #[arg(long, value_name = "NUMBER", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    concurrency: u32,
    #[command(flatten)]
    run: Traffic,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic bench rpc
  dcquic bench rpc --concurrency 1 --duration 10s      latency of single calls
  dcquic bench rpc --size 4KiB --json

One client and one server socket, a worker thread each; every response is checked.";

/// Measures calls.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let config = args.run.config();
    let limit = config.auto_receive;
    if args.size.0 > limit {
        let (size, limit) = (args.size, ByteSize(limit));
        return Err(Failure::new(format_args!("calls of {size} are over the limit of {limit}")));
    }
    let loopback = Loopback::start(config)?;
    let (pool, remote) = (loopback.pool(), loopback.remote());
    let body = Bytes::from(vec![0x5a; args.size.0 as usize]);
    let hidden = indicatif::ProgressBar::hidden();
    let spinner = progress::waiting("calls");
    let calls = pollster::block_on(async {
        load::echo(&pool, remote, body.clone(), 1, Until::Count(1), &hidden).await?;
        let until = Until::Elapsed(args.run.duration);
        load::echo(&pool, remote, body, args.concurrency as usize, until, &hidden).await
    })?;
    spinner.finish_and_clear();
    let useful = loopback.usefulness();
    Figures::new("rpc", args.run.datagram, useful).with_calls(&calls).print(output)
}
