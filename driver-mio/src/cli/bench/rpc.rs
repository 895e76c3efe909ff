//! `dcquic bench rpc`: small calls over loopback.

use std::time::Duration;

use bytes::Bytes;
use dcquic_proto::{config::Config, crypto::Psk};

use super::figures::Figures;
use crate::cli::{
    failure::Failure,
    load::{self, LoadServer, Until, Usefulness},
    output::Output,
    progress, psk,
    size::ByteSize,
    span, transport,
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
    /// Largest UDP payload in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 8_900, value_parser = clap::value_parser!(u16).range(1_200..=65_507))]
    datagram: u16,
    /// How long to go on.
    #[arg(long, value_name = "SPAN", default_value = "3s", value_parser = span::parse)]
    duration: Duration,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic bench rpc
  dcquic bench rpc --concurrency 1 --duration 10s      latency of single calls
  dcquic bench rpc --size 4KiB --json

One client and one server socket, a worker thread each; every response is checked.";

/// Measures calls.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let config = Config { max_datagram: args.datagram, ..Config::loopback() };
    let limit = config.auto_receive;
    if args.size.0 > limit {
        let (size, limit) = (args.size, ByteSize(limit));
        return Err(Failure::new(format_args!("calls of {size} are over the limit of {limit}")));
    }
    let key = psk::random()?;
    let server = LoadServer::start(config.clone(), Psk::from_bytes(*key), None)?;
    let remote = server.address();
    let client = transport::start_towards(remote, config, Psk::from_bytes(*key))?;
    let pool = client.pool();
    let body = Bytes::from(vec![0x5a; args.size.0 as usize]);
    let hidden = indicatif::ProgressBar::hidden();
    let spinner = progress::waiting("calls");
    let calls = pollster::block_on(async {
        load::echo(&pool, remote, body.clone(), 1, Until::Count(1), &hidden).await?;
        let until = Until::Elapsed(args.duration);
        load::echo(&pool, remote, body, args.concurrency as usize, until, &hidden).await
    })?;
    spinner.finish_and_clear();
    let useful = Usefulness::of(&[pool.stats(), server.stats()]);
    Figures::new("rpc", args.datagram, useful).with_calls(&calls).print(output)
}
