//! `dcquic bench bulk`: large messages over loopback.

use std::time::{Duration, Instant};

use bytes::Bytes;
use dcquic_proto::{config::Config, crypto::Psk};
use futures_util::{StreamExt, stream::FuturesUnordered};

use super::figures::Figures;
use crate::cli::{
    failure::Failure,
    load::{self, LoadServer, Usefulness},
    output::Output,
    progress, psk,
    size::ByteSize,
    span, transport,
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
    /// Largest UDP payload in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 8_900, value_parser = clap::value_parser!(u16).range(1_200..=65_507))]
    datagram: u16,
    /// How long to go on.
    #[arg(long, value_name = "SPAN", default_value = "3s", value_parser = span::parse)]
    duration: Duration,
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
    let config = Config { max_datagram: args.datagram, ..Config::loopback() };
    let key = psk::random()?;
    let server = LoadServer::start(config.clone(), Psk::from_bytes(*key), None)?;
    let remote = server.address();
    let client = transport::start_towards(remote, config, Psk::from_bytes(*key))?;
    let pool = client.pool();
    let payload = Bytes::from(vec![7; args.size.0 as usize]);
    let spinner = progress::waiting("bulk");
    let (messages, elapsed) = pollster::block_on(async {
        load::bulk(&pool, remote, payload.clone()).await?;
        let started = Instant::now();
        let (mut running, mut messages) = (FuturesUnordered::new(), 0u64);
        loop {
            while running.len() < args.concurrency as usize && started.elapsed() < args.duration {
                running.push(load::bulk(&pool, remote, payload.clone()));
            }
            let Some(sent) = running.next().await else { break };
            sent?;
            messages += 1;
        }
        Ok::<_, Failure>((messages, started.elapsed()))
    })?;
    spinner.finish_and_clear();
    let useful = Usefulness::of(&[pool.stats(), server.stats()]);
    let bytes = messages * args.size.0;
    Figures::new("bulk", args.datagram, useful).with_bytes(bytes, elapsed).print(output)
}
