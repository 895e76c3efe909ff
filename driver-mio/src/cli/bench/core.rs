//! `dcquic bench core`: the core alone.

use std::time::Instant;

use bytes::Bytes;
use dcquic_proto::{
    config::Config,
    endpoint::{Event, Outcome, Payload},
    id::Pattern,
};
use serde::Serialize;

use super::{
    bound,
    pair::{Pair, Side},
};
use crate::cli::{
    allocator,
    failure::Failure,
    output::Output,
    size::ByteSize,
    table::{self, Cell},
};

/// Arguments of `dcquic bench core`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Bytes per bulk workload.
    #[arg(long, value_name = "BYTES", default_value = "1GiB")]
    bulk: ByteSize,
    /// Small calls: 64 bytes each way.
    #[arg(long, value_name = "NUMBER", default_value_t = 300_000, value_parser = clap::value_parser!(u64).range(1..))]
    calls: u64,
    /// Calls open at once.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_024, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    concurrency: u64,
    /// Announced transfers to weigh.
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    transfers: u64,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic bench core                   about ten seconds
  dcquic bench core --json            one object per workload
  dcquic bench core --bulk 100MiB --calls 10000

Two endpoints on one thread; the only clock is the system's, and there is no socket.
bulk:  messages of 64 MiB, received record by record; the bound is what sealing, copying once and
       opening the same bytes takes on the same thread, measured right before.
rpc:   calls of 64 bytes each way.
idle:  heap of both sides together for a transfer that is announced but not pulled.
Allocations are counted over both sides, after one message to warm up, per datagram either way.";

/// One line of results; what a workload does not measure is null.
#[derive(Debug, Default, Serialize)]
struct Report {
    workload: &'static str,
    packet_bytes: u16,
    gbit_s: Option<f64>,
    bound_gbit_s: Option<f64>,
    rpc_per_s: Option<f64>,
    allocs_per_packet: Option<f64>,
    transfer_bytes: Option<u64>,
}

/// Measures the core.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let mut reports = Vec::new();
    for packet_bytes in [1_400, 8_900] {
        finish(&mut reports, bulk(args.bulk.0, packet_bytes)?, output)?;
    }
    finish(&mut reports, rpc(args.calls, args.concurrency, 1_400)?, output)?;
    finish(&mut reports, idle(args.transfers, 1_400)?, output)?;
    if output.json { Ok(()) } else { output.result(&reports, |reports| text(reports)) }
}

/// Prints a line of JSON at once; text waits for the whole table.
fn finish(reports: &mut Vec<Report>, report: Report, output: Output) -> Result<(), Failure> {
    if output.json {
        output.result(&report, |_| String::new())?;
    }
    reports.push(report);
    Ok(())
}

fn text(reports: &[Report]) -> String {
    let optional =
        |value: Option<f64>, digits| value.map_or(Cell::none(), |v| Cell::number(v, digits));
    table::of(
        &[
            "workload",
            "packet bytes",
            "Gbit/s",
            "bound Gbit/s",
            "rpc/s",
            "allocs/packet",
            "bytes/transfer",
        ],
        reports.iter().map(|report| {
            vec![
                Cell::text(report.workload),
                Cell::number(f64::from(report.packet_bytes), 0),
                optional(report.gbit_s, 2),
                optional(report.bound_gbit_s, 2),
                optional(report.rpc_per_s, 0),
                optional(report.allocs_per_packet, 4),
                optional(report.transfer_bytes.map(|bytes| bytes as f64), 0),
            ]
        }),
    )
}

fn config(packet_bytes: u16) -> Config {
    Config { max_datagram: packet_bytes, ..Config::loopback() }
}

/// Messages of 64 MiB one after the other.
fn bulk(bytes: u64, packet_bytes: u16) -> Result<Report, Failure> {
    let bound = bound::gbit_per_second(bytes, RECORD)?;
    let mut pair = Pair::connect(&config(packet_bytes))?;
    let message = Bytes::from(vec![7; bytes.clamp(1, MESSAGE) as usize]);
    send(&mut pair, &message)?;
    let messages = bytes.div_ceil(message.len() as u64).max(1);
    let (packets, allocations, started) = (pair.packets, allocator::counts().calls, Instant::now());
    for _ in 0..messages {
        send(&mut pair, &message)?;
    }
    let seconds = started.elapsed().as_secs_f64();
    let allocations = allocator::counts().calls - allocations;
    Ok(Report {
        workload: "bulk",
        packet_bytes,
        gbit_s: Some((messages * message.len() as u64 * 8) as f64 / seconds / 1e9),
        bound_gbit_s: Some(bound),
        allocs_per_packet: Some(allocations as f64 / (pair.packets - packets) as f64),
        ..Report::default()
    })
}

/// Carries one message from its opening to the end of its stream.
fn send(pair: &mut Pair, message: &Bytes) -> Result<(), Failure> {
    pair.open(Pattern::Bulk, Payload::Whole(message.clone()))?;
    let mut received = 0;
    loop {
        match pair.step()? {
            Some((_, Event::Opened { stream, body: None, .. })) => pair.receive(stream)?,
            Some((_, Event::Opened { stream, body: Some(body), .. })) => {
                received += body.len();
                pair.respond(stream, Bytes::new())?;
            }
            Some((_, Event::Record { stream, data, .. })) => {
                received += data.len();
                pair.release(stream, data.len() as u64);
            }
            Some((_, Event::Received { stream, .. })) => pair.respond(stream, Bytes::new())?,
            Some((side, Event::Closed { outcome, .. })) => {
                complete(outcome)?;
                if side == Side::Client {
                    break;
                }
            }
            _ => {}
        }
    }
    if received == message.len() {
        Ok(())
    } else {
        Err(Failure::new(format_args!("{received} of {} bytes arrived", message.len())))
    }
}

/// Small calls, many at once.
fn rpc(calls: u64, concurrency: u64, packet_bytes: u16) -> Result<Report, Failure> {
    let mut pair = Pair::connect(&config(packet_bytes))?;
    let body = Bytes::from_static(&[7; 64]);
    exchange(&mut pair, concurrency, concurrency, &body)?;
    let (packets, allocations, started) = (pair.packets, allocator::counts().calls, Instant::now());
    exchange(&mut pair, calls, concurrency, &body)?;
    let seconds = started.elapsed().as_secs_f64();
    let allocations = allocator::counts().calls - allocations;
    Ok(Report {
        workload: "rpc",
        packet_bytes,
        rpc_per_s: Some(calls as f64 / seconds),
        allocs_per_packet: Some(allocations as f64 / (pair.packets - packets) as f64),
        ..Report::default()
    })
}

/// Makes `calls` calls, `concurrency` at a time.
fn exchange(pair: &mut Pair, calls: u64, concurrency: u64, body: &Bytes) -> Result<(), Failure> {
    let (mut opened, mut closed) = (0, 0);
    while closed < calls {
        while opened < calls && opened - closed < concurrency {
            pair.open(Pattern::Unary, Payload::Whole(body.clone()))?;
            opened += 1;
        }
        match pair.step()? {
            Some((_, Event::Opened { stream, body: Some(body), .. })) => {
                pair.respond(stream, body)?;
            }
            Some((Side::Client, Event::Closed { outcome, .. })) => {
                complete(outcome)?;
                closed += 1;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The heap that an announced transfer holds.
fn idle(transfers: u64, packet_bytes: u16) -> Result<Report, Failure> {
    let config = config(packet_bytes);
    // too large to be received without being asked for
    let size = config.auto_receive + 1;
    let mut pair = Pair::connect(&config)?;
    let before = allocator::counts().bytes;
    let (mut opened, mut announced) = (0, 0);
    while announced < transfers {
        if opened < transfers {
            pair.open(Pattern::Bulk, Payload::Supplied { size })?;
            opened += 1;
        }
        match pair.step()? {
            Some((Side::Server, Event::Opened { .. })) => announced += 1,
            Some((_, Event::Closed { outcome, .. })) => complete(outcome)?,
            _ => {}
        }
    }
    let heap = (allocator::counts().bytes - before).max(0) as u64;
    Ok(Report {
        workload: "idle",
        packet_bytes,
        transfer_bytes: Some(heap.div_ceil(transfers)),
        ..Report::default()
    })
}

fn complete(outcome: Outcome) -> Result<(), Failure> {
    match outcome {
        Outcome::Complete => Ok(()),
        other => Err(Failure::new(format_args!("a stream ended with {other:?}"))),
    }
}

const MESSAGE: u64 = 64 << 20;
const RECORD: usize = 64 << 10;
