//! `dcquic call`: one call of a method, in any pattern.

mod patterns;
mod requests;

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use bytes::Bytes;
use clap::ValueEnum;
use dcquic_proto::{
    id::{Pattern, Priority},
    pool::CallOptions,
};
use serde::Serialize;

use self::{patterns::Target, requests::Requests};
use super::{
    failure::Failure,
    headers::{self, Header},
    hex,
    methods::{self, Request},
    output::Output,
    psk::PskOption,
    remote, span,
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
    /// What to call: echo, time, sink, seq, sum or inspect.
    #[arg(value_name = "METHOD")]
    method: String,
    /// The request, as text; in a stream of requests, one for each time it is given.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, conflicts_with_all = ["file", "count"])]
    data: Vec<String>,
    /// The request, as the contents of a file.
    #[arg(long, value_name = "FILE", conflicts_with = "count")]
    file: Option<PathBuf>,
    /// Send the numbers from 1 to this as a stream of requests.
    #[arg(long, value_name = "NUMBER")]
    count: Option<u64>,
    /// Which side sends a stream of messages [default: as the method needs it: response for seq,
    /// request for sum, else none].
    #[arg(long, value_enum, value_name = "SIDE")]
    stream: Option<Side>,
    /// Urgency, from 0 (most urgent) to 7.
    #[arg(long, value_name = "LEVEL", default_value_t = Priority::default().level(), value_parser = clap::value_parser!(u8).range(0..=7))]
    priority: u8,
    /// Give the call up after this long; the server gives it up too.
    #[arg(long, value_name = "SPAN", value_parser = span::parse)]
    deadline: Option<Duration>,
    /// A header for the server's application; may be given more than once.
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<Header>,
    #[command(flatten)]
    transport: TransportOptions,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic call 127.0.0.1:4433 --psk cluster.psk echo --data hello
  dcquic call 127.0.0.1:4433 --psk cluster.psk time --json
  dcquic call 127.0.0.1:4433 --psk cluster.psk sink --file disk.img --timeout 2s
  dcquic call 127.0.0.1:4433 --psk cluster.psk seq --data 5            five responses
  seq 1 100 | dcquic call 127.0.0.1:4433 --psk cluster.psk sum         a request per line
  dcquic call 127.0.0.1:4433 --psk cluster.psk sum --stream both --count 5 --json
  dcquic call 127.0.0.1:4433 --psk cluster.psk echo --stream both      type and be answered
  dcquic call 127.0.0.1:4433 --psk cluster.psk inspect --priority 0 --deadline 50ms --header 'trace: 7f'

METHODS:
  echo     answers with the request, or each request
  time     answers with nanoseconds since 1970, in decimal
  sink     answers with the length of the requests, in decimal
  seq      answers with the numbers from 1 to the request, a response each
  sum      answers with the sum of the numbers in the requests; with --stream both, after each
  inspect  answers with the call as the server sees it: priority, deadline, headers

STREAMS:
  --stream none       one request, one response
  --stream response   one request, many responses
  --stream request    many requests, one response
  --stream both       many of each, at the same time
  Many requests come from --data (more than once), from --count, or from stdin, one per line; the
  first one opens the call, and a --deadline counts from there. Many responses are printed as they
  come, one per line, and stop when their reader stops.

The response goes to stdout as it is; with --json it is in `text` if it is UTF-8, else in `hex`. Each of
many responses is an object with its number in `response`; the last object has `responses` and
`requests`, how many there were.";

/// Who sends many messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Side {
    /// One request, one response.
    None,
    /// One request, many responses.
    Response,
    /// Many requests, one response.
    Request,
    /// Many of each.
    Both,
}

impl Side {
    const fn of(pattern: Pattern) -> Self {
        match pattern {
            Pattern::Unary | Pattern::Bulk => Self::None,
            Pattern::StreamingResponse => Self::Response,
            Pattern::StreamingRequest => Self::Request,
            Pattern::Bidirectional => Self::Both,
        }
    }
}

/// A message's payload in JSON.
#[derive(Default, Serialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
}

impl Body {
    fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self { text: Some(text.to_owned()), hex: None },
            Err(_) => Self { text: None, hex: Some(hex::encode(bytes)) },
        }
    }
}

#[derive(Serialize)]
struct Report {
    ok: bool,
    method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    requests: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    responses: Option<u64>,
    size: usize,
    #[serde(flatten)]
    body: Body,
    elapsed_us: f64,
}

/// Makes the call and prints the response, or the responses.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let psk = args.psk.load()?;
    let remote = remote::resolve(&args.address)?;
    let side = args.stream.unwrap_or(Side::of(methods::usual_pattern(&args.method)));
    let input = args.input(side)?;
    let config = args.transport.config(remote);
    let runtime = transport::start_towards(remote, config, psk)?;
    let pool = runtime.pool();
    let target = Target {
        pool: &pool,
        remote,
        method: &args.method,
        options: args.options(),
        metadata: Request::new(&args.method).encode(),
    };
    let started = Instant::now();
    let done = match input {
        Input::One(body) if side == Side::None => target.single(body)?,
        Input::One(body) => target.responses(body, output)?,
        Input::Many(bodies) if side == Side::Request => target.requests(bodies)?,
        Input::Many(bodies) => target.both(bodies, output)?,
    };
    let elapsed = started.elapsed();
    if !output.json {
        return done.response.map_or(Ok(()), |body| output.raw(&body));
    }
    let report = Report {
        ok: true,
        method: args.method.clone(),
        requests: done.requests,
        responses: done.responses,
        size: done.size,
        body: done.response.as_deref().map(Body::of).unwrap_or_default(),
        elapsed_us: elapsed.as_nanos() as f64 / 1_000.0,
    };
    output.result(&report, |_| String::new())
}

/// What is sent.
enum Input {
    /// One request.
    One(Bytes),
    /// A stream of them.
    Many(Requests),
}

impl Args {
    fn input(&self, side: Side) -> Result<Input, Failure> {
        let file = self.file.as_ref().map(|path| {
            let read = fs::read(path).map_err(|error| Failure::file("read", path, &error));
            read.map(Bytes::from)
        });
        let file = file.transpose()?;
        let mut given: Vec<_> =
            self.data.iter().map(|text| Bytes::from(text.clone())).chain(file).collect();
        if matches!(side, Side::Request | Side::Both) {
            return Ok(Input::Many(match (self.count, given.is_empty()) {
                (Some(count), _) => Requests::Generated(1..=count),
                (None, false) => Requests::Given(given.into_iter()),
                (None, true) => Requests::lines(),
            }));
        }
        if self.count.is_some() || given.len() > 1 {
            let why = "many requests are a stream: add --stream request or --stream both";
            return Err(Failure::new(why));
        }
        Ok(Input::One(given.pop().unwrap_or_default()))
    }

    fn options(&self) -> CallOptions {
        CallOptions {
            priority: Priority::new(self.priority).unwrap_or_default(),
            deadline: self.deadline,
            headers: headers::encode(&self.header),
            ..CallOptions::default()
        }
    }
}
