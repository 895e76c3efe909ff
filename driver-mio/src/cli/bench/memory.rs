//! `dcquic bench memory`: what idle transfers and peers hold.

use std::fs;

use bytes::Bytes;
use dcquic_proto::{
    config::Config,
    endpoint::{Event, Payload},
    id::Pattern,
};
use serde::Serialize;

use super::pair::{Pair, Side};
use crate::cli::{
    allocator,
    failure::Failure,
    output::Output,
    table::{self, Cell},
};

/// Arguments of `dcquic bench memory`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The only workload to run; all of them by default.
    #[arg(value_enum)]
    workload: Option<Workload>,
    /// Transfers at once.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=1_048_576))]
    transfers: u64,
    /// Peers of an endpoint.
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=65_000))]
    peers: u64,
}

/// What is weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Workload {
    /// Endpoints that know each other and have nothing to say.
    Peers,
    /// Requests that came whole and that the application has not answered.
    Requests,
    /// Messages that are announced and that the application does not ask for yet.
    Announced,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic bench memory                 all workloads, some seconds
  dcquic bench memory announced --json
  dcquic bench memory --transfers 10000 --peers 100

Two endpoints on one thread, without sockets. Heap is what was asked of the allocator, both sides
together; for a peer it is that of one side. It lacks what the cipher library allocates, which the
resident set has: the process's own, and by how much it grew. Memory that an earlier workload has
left behind is used again, so that only the growth of one that runs alone says much.";

/// One line of results.
#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    workload: Workload,
    packet_bytes: u16,
    /// Transfers, or peers of each side.
    count: u64,
    heap_bytes: u64,
    /// Of a transfer on both sides, or of a peer on one.
    heap_bytes_each: u64,
    /// Null where the system does not tell.
    resident_bytes: Option<u64>,
    /// Its growth, per transfer or peer.
    resident_bytes_each: Option<u64>,
}

/// Weighs what was asked for.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let mut reports = Vec::new();
    for workload in [Workload::Peers, Workload::Requests, Workload::Announced] {
        if args.workload.is_some_and(|only| only != workload) {
            continue;
        }
        let report = weigh(workload, args)?;
        if output.json {
            output.result(&report, |_| String::new())?;
        }
        reports.push(report);
    }
    if output.json { Ok(()) } else { output.result(&reports, |reports| text(reports)) }
}

fn text(reports: &[Report]) -> String {
    table::of(
        &["workload", "count", "heap bytes", "heap bytes each", "resident bytes", "resident each"],
        reports.iter().map(|report| {
            let number = |value: u64| Cell::number(value as f64, 0);
            vec![
                Cell::text(format!("{:?}", report.workload).to_lowercase()),
                number(report.count),
                number(report.heap_bytes),
                number(report.heap_bytes_each),
                report.resident_bytes.map_or(Cell::none(), number),
                report.resident_bytes_each.map_or(Cell::none(), number),
            ]
        }),
    )
}

fn weigh(workload: Workload, args: &Args) -> Result<Report, Failure> {
    let packet_bytes = 1_400;
    let config = Config { max_datagram: packet_bytes, ..Config::loopback() };
    let mut pair = Pair::connect(&config)?;
    let (before, resident_before) = (allocator::counts().bytes, resident());
    let (count, sides) = match workload {
        Workload::Peers => {
            pair.connect_more(args.peers)?;
            (args.peers, 2)
        }
        Workload::Requests => {
            let body = Payload::Whole(Bytes::from_static(&[7; 64]));
            open(&mut pair, Pattern::Unary, &body, args.transfers)?;
            (args.transfers, 1)
        }
        Workload::Announced => {
            // too large to be received without being asked for
            let body = Payload::Supplied { size: config.auto_receive + 1 };
            open(&mut pair, Pattern::Bulk, &body, args.transfers)?;
            (args.transfers, 1)
        }
    };
    let heap_bytes = (allocator::counts().bytes - before).max(0) as u64;
    let resident_bytes = resident();
    let growth = resident_bytes.zip(resident_before).map(|(now, then)| now.saturating_sub(then));
    Ok(Report {
        ok: true,
        workload,
        packet_bytes,
        count,
        heap_bytes,
        heap_bytes_each: heap_bytes.div_ceil(count * sides),
        resident_bytes,
        resident_bytes_each: growth.map(|bytes| bytes.div_ceil(count * sides)),
    })
}

/// Opens `count` calls, and has the server hear of each and do nothing.
fn open(pair: &mut Pair, pattern: Pattern, body: &Payload, count: u64) -> Result<(), Failure> {
    let (mut opened, mut heard) = (0, 0);
    while heard < count {
        if opened < count {
            pair.open(pattern, body.clone())?;
            opened += 1;
        }
        match pair.step()? {
            Some((Side::Server, Event::Opened { .. })) => heard += 1,
            Some((_, Event::Closed { outcome, .. })) => {
                return Err(Failure::new(format_args!("a stream ended with {outcome:?}")));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The process's resident set in bytes.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}
