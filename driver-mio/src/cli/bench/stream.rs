//! `dcquic bench stream`: one bidirectional stream over loopback.

use bytes::Bytes;

use super::{
    figures::Figures,
    loopback::{Loopback, Traffic},
};
use crate::cli::{
    failure::Failure,
    load::{Until, streams},
    output::Output,
    progress,
    size::ByteSize,
};

/// Arguments of `dcquic bench stream`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Length of each message.
    #[arg(long, value_name = "BYTES", default_value = "1KiB")]
    size: ByteSize,
    #[command(flatten)]
    run: Traffic,
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
    let loopback = Loopback::start(args.run.config())?;
    let (pool, remote) = (loopback.pool(), loopback.remote());
    let body = Bytes::from(vec![0x5a; args.size.0 as usize]);
    let spinner = progress::waiting("messages");
    let streamed = pollster::block_on(async {
        streams::echoes(&pool, remote, body.clone(), Until::Count(1)).await?;
        streams::echoes(&pool, remote, body, Until::Elapsed(args.run.duration)).await
    })?;
    spinner.finish_and_clear();
    let useful = loopback.usefulness();
    Figures::new("stream", args.run.datagram, useful)
        .with_messages(&streamed)
        .with_bytes(streamed.bytes, streamed.elapsed)
        .print(output)
}
