//! `dcquic bench bulk`: large messages over loopback.

use std::time::Instant;

use bytes::Bytes;
use futures_util::{StreamExt, stream::FuturesUnordered};

use super::{
    figures::Figures,
    loopback::{Loopback, Traffic},
};
use crate::cli::{
    failure::Failure,
    load::{self},
    output::Output,
    progress,
    size::ByteSize,
};

/// Arguments of `dcquic bench bulk`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Length of each message.
    #[arg(long, value_name = "BYTES", default_value = "64MiB")]
    size: ByteSize,
    /// Messages under way at once.
    #[arg(long, value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1_024))]
    concurrency: u32,
    #[command(flatten)]
    run: Traffic,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic bench bulk
  dcquic bench bulk --size 1GiB --concurrency 1 --duration 10s
  dcquic bench bulk --datagram 1400 --json

One client and one server socket, a worker thread each. The server takes messages record by record
and lets them go. Whole messages count, from the first one's start to the last one's end, after one to warm up.";

/// Measures bulk throughput.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let loopback = Loopback::start(args.run.config())?;
    let (pool, remote) = (loopback.pool(), loopback.remote());
    let payload = Bytes::from(vec![7; args.size.0 as usize]);
    let spinner = progress::waiting("bulk");
    let (messages, elapsed) = pollster::block_on(async {
        load::bulk(&pool, remote, payload.clone()).await?;
        let started = Instant::now();
        let (mut running, mut messages) = (FuturesUnordered::new(), 0u64);
        loop {
            while running.len() < args.concurrency as usize && started.elapsed() < args.run.duration
            {
                running.push(load::bulk(&pool, remote, payload.clone()));
            }
            let Some(sent) = running.next().await else { break };
            sent?;
            messages += 1;
        }
        Ok::<_, Failure>((messages, started.elapsed()))
    })?;
    spinner.finish_and_clear();
    let useful = loopback.usefulness();
    let bytes = messages * args.size.0;
    Figures::new("bulk", args.run.datagram, useful).with_bytes(bytes, elapsed).print(output)
}
