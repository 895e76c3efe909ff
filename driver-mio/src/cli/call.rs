//! `dcquic call`: one call of a method.

use std::{fs, path::PathBuf, time::Instant};

use bytes::Bytes;
use serde::Serialize;

use super::{
    failure::Failure,
    hex,
    output::Output,
    psk::PskOption,
    remote,
    transport::{self, TransportOptions},
};

/// Arguments of `dcquic call`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The server, HOST:PORT.
    #[arg(value_name = "ADDR")]
    address: String,
    #[command(flatten)]
    psk: PskOption,
    /// What to call: echo, time or sink.
    #[arg(value_name = "METHOD")]
    method: String,
    /// The request, as text.
    #[arg(long, value_name = "TEXT", conflicts_with = "file")]
    data: Option<String>,
    /// The request, as the contents of a file.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    transport: TransportOptions,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic call 127.0.0.1:4433 --psk cluster.psk echo --data hello
  dcquic call 127.0.0.1:4433 --psk cluster.psk time --json
  dcquic call 127.0.0.1:4433 --psk cluster.psk sink --file disk.img --timeout 2s

METHODS:
  echo   answers with the request
  time   answers with nanoseconds since 1970, in decimal
  sink   answers with the length of the request, in decimal

The response goes to stdout as it is; with --json it is in `text` if it is UTF-8, else in `hex`.";

#[derive(Serialize)]
struct Report {
    ok: bool,
    method: String,
    size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
    elapsed_us: f64,
}

/// Makes the call and prints the response.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let psk = args.psk.load()?;
    let remote = remote::resolve(&args.address)?;
    let body = match (&args.data, &args.file) {
        (Some(text), _) => Bytes::from(text.clone()),
        (None, Some(path)) => {
            Bytes::from(fs::read(path).map_err(|error| Failure::file("read", path, &error))?)
        }
        (None, None) => Bytes::new(),
    };
    let config = args.transport.config(remote);
    let runtime = transport::start_towards(remote, config, psk)?;
    let pool = runtime.pool();
    let started = Instant::now();
    let call = pool.unary(remote, args.method.clone().into(), body);
    let response = pollster::block_on(call).map_err(Failure::new)?;
    let elapsed = started.elapsed();
    remote::refusal(remote, &args.method, response.status, &response.metadata)?;
    if !output.json {
        return output.raw(&response.body);
    }
    let (text, hex) = match std::str::from_utf8(&response.body) {
        Ok(text) => (Some(text.to_owned()), None),
        Err(_) => (None, Some(hex::encode(&response.body))),
    };
    let report = Report {
        ok: true,
        method: args.method.clone(),
        size: response.body.len(),
        text,
        hex,
        elapsed_us: elapsed.as_nanos() as f64 / 1_000.0,
    };
    output.result(&report, |_| String::new())
}
