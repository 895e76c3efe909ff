//! `dcquic bench priority`: urgent calls beside bulk messages.

use std::time::Duration;

use bytes::Bytes;
use dcquic_proto::{config::Config, crypto::Psk, id::Priority};

use super::figures::Figures;
use crate::cli::{
    failure::Failure,
    load::{LoadServer, Usefulness, contest::Contest},
    output::Output,
    progress, psk,
    size::ByteSize,
    span, transport,
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
    /// Largest UDP payload in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 8_900, value_parser = clap::value_parser!(u16).range(1_200..=65_507))]
    datagram: u16,
    /// How long to call without bulk messages, and again beside them.
    #[arg(long, value_name = "SPAN", default_value = "3s", value_parser = span::parse)]
    duration: Duration,
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
    let config = Config { max_datagram: args.datagram, ..Config::loopback() };
    let key = psk::random()?;
    let server = LoadServer::start(config.clone(), Psk::from_bytes(*key), None)?;
    let remote = server.address();
    let client = transport::start_towards(remote, config, Psk::from_bytes(*key))?;
    let pool = client.pool();
    let spinner = progress::waiting("calls, alone and beside bulk messages");
    let contest = Contest {
        pool: &pool,
        remote,
        priority: Priority::new(args.priority).unwrap_or_default(),
        body: Bytes::from(vec![0x5a; args.size.0 as usize]),
        payload: Bytes::from(vec![7; args.bulk.0 as usize]),
        span: args.duration,
    };
    let contested = pollster::block_on(contest.run())?;
    spinner.finish_and_clear();
    let useful = Usefulness::of(&[pool.stats(), server.stats()]);
    Figures::new("priority", args.datagram, useful).with_contest(&contested).print(output)
}
