//! `dcquic bench stream`: one bidirectional stream over loopback.

use std::time::Duration;

use bytes::Bytes;
use dcquic_proto::{config::Config, crypto::Psk};

use super::figures::Figures;
use crate::cli::{
    failure::Failure,
    load::{LoadServer, Until, Usefulness, streams},
    output::Output,
    progress, psk,
    size::ByteSize,
    span, transport,
};

/// Arguments of `dcquic bench stream`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Length of each message.
    #[arg(long, value_name = "BYTES", default_value = "1KiB")]
    size: ByteSize,
    /// Largest UDP payload in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 8_900, value_parser = clap::value_parser!(u16).range(1_200..=65_507))]
    datagram: u16,
    /// How long to go on.
    #[arg(long, value_name = "SPAN", default_value = "3s", value_parser = span::parse)]
    duration: Duration,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic bench stream
  dcquic bench stream --size 64 --json
  dcquic bench stream --size 64KiB --duration 10s

One client and one server socket, a worker thread each, and one bidirectional call: the client sends
as fast as the credit of its reader allows, and the server answers each message with the same one.
A message that went both ways counts once; every one is checked.";

/// Measures a bidirectional stream.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let config = Config { max_datagram: args.datagram, ..Config::loopback() };
    let key = psk::random()?;
    let server = LoadServer::start(config.clone(), Psk::from_bytes(*key), None)?;
    let remote = server.address();
    let client = transport::start_towards(remote, config, Psk::from_bytes(*key))?;
    let pool = client.pool();
    let body = Bytes::from(vec![0x5a; args.size.0 as usize]);
    let spinner = progress::waiting("messages");
    let streamed = pollster::block_on(async {
        streams::echoes(&pool, remote, body.clone(), Until::Count(1)).await?;
        streams::echoes(&pool, remote, body, Until::Elapsed(args.duration)).await
    })?;
    spinner.finish_and_clear();
    let useful = Usefulness::of(&[pool.stats(), server.stats()]);
    Figures::new("stream", args.datagram, useful)
        .with_messages(&streamed)
        .with_bytes(streamed.bytes, streamed.elapsed)
        .print(output)
}
