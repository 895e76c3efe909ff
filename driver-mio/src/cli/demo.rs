//! `dcquic demo`: both sides in one process, over loopback.

use std::time::Duration;

use bytes::Bytes;
use dcquic_proto::{config::Config, crypto::Psk};
use serde::Serialize;

use super::{
    digest,
    failure::Failure,
    load::{self, Landing, LoadServer, Until, Usefulness},
    output::Output,
    progress, psk,
    size::ByteSize,
    span,
    table::{self, Cell},
    transport,
};

/// Arguments of `dcquic demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Length of the bulk message.
    #[arg(long, value_name = "BYTES", default_value = "1GiB")]
    bulk: ByteSize,
    /// Number of calls.
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    calls: u64,
    /// Calls open at once.
    #[arg(long, value_name = "NUMBER", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    concurrency: u32,
    /// Largest UDP payload in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 8_900, value_parser = clap::value_parser!(u16).range(1_200..=65_507))]
    datagram: u16,
    /// Give up when the other side is not heard from for this long.
    #[arg(long, value_name = "SPAN", default_value = "10s", value_parser = span::parse)]
    timeout: Duration,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic demo                               10,000 calls, then 1 GiB
  dcquic demo --json                        one object with the figures
  dcquic demo --bulk 64MiB --calls 100000 --concurrency 1024
  dcquic demo --datagram 1400               packets as on Ethernet

Two sockets, two worker threads and a random key. Calls carry 64 bytes each way; the hello happens
before the clock starts. The bulk message is timed from the call until the server, which copies its
records to memory of its own, has answered. Its SHA-256 is computed before and after, not in between.
The useful share is payload bytes delivered for the first time / payload bytes sent.";

#[derive(Serialize)]
struct Report {
    ok: bool,
    rpc_per_s: f64,
    rpc_p50_us: f64,
    rpc_p99_us: f64,
    bulk_gbit_s: f64,
    useful_share: f64,
    retransmitted_bytes: u64,
}

/// Runs the demonstration.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let config = Config { max_datagram: args.datagram, ..Config::loopback() };
    let config = transport::with_timeout(config, args.timeout);
    let payload = payload(args.bulk.0);
    let sent_digest = digest::sha256(&payload);
    // written, so that the system's clearing of fresh pages is not what is measured
    let memory = vec![0xff; payload.len()];
    let bar = progress::bytes("bulk", args.bulk.0);
    let landing = Landing { memory, progress: bar.clone() };
    let key = psk::random()?;
    let server = LoadServer::start(config.clone(), Psk::from_bytes(*key), Some(landing))?;
    let remote = server.address();
    let client = transport::start_towards(remote, config, Psk::from_bytes(*key))?;
    let pool = client.pool();

    let body = Bytes::from_static(&[0x5a; 64]);
    let concurrency = args.concurrency as usize;
    let calls = pollster::block_on(async {
        let hidden = indicatif::ProgressBar::hidden();
        load::echo(&pool, remote, body.clone(), 1, Until::Count(1), &hidden).await?;
        let bar = progress::calls("calls", args.calls);
        load::echo(&pool, remote, body, concurrency, Until::Count(args.calls), &bar).await
    })?;

    bar.reset();
    let elapsed = pollster::block_on(load::bulk(&pool, remote, payload))?;
    bar.finish_and_clear();
    if digest::sha256(&server.landed()?) != sent_digest {
        return Err(Failure::new("the bulk message arrived altered: its SHA-256 differs"));
    }

    let useful = Usefulness::of(&[pool.stats(), server.stats()]);
    let report = Report {
        ok: true,
        rpc_per_s: calls.rate(),
        rpc_p50_us: calls.latencies.micros_at(50.0),
        rpc_p99_us: calls.latencies.micros_at(99.0),
        bulk_gbit_s: (args.bulk.0 * 8) as f64 / elapsed.as_secs_f64() / 1e9,
        useful_share: useful.share,
        retransmitted_bytes: useful.retransmitted,
    };
    output.result(&report, |report| text(args, report))
}

fn text(args: &Args, report: &Report) -> String {
    format!(
        "{} calls, {} at once, then one message of {}, SHA-256 equal on both sides\n{}",
        args.calls,
        args.concurrency,
        args.bulk,
        table::figures([
            ("calls per second", Cell::number(report.rpc_per_s, 0)),
            ("call latency, median (us)", Cell::number(report.rpc_p50_us, 1)),
            ("call latency, 99 % (us)", Cell::number(report.rpc_p99_us, 1)),
            ("bulk (Gbit/s)", Cell::number(report.bulk_gbit_s, 2)),
            ("useful share", Cell::number(report.useful_share, 5)),
            ("bytes sent again", Cell::number(report.retransmitted_bytes as f64, 0)),
        ])
    )
}

/// Bytes that repeat nowhere: a piece in the wrong place changes the digest.
fn payload(len: u64) -> Bytes {
    let mut bytes = vec![0; len as usize];
    for (index, chunk) in (0u64..).zip(bytes.chunks_mut(8)) {
        let word = index.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
        chunk.copy_from_slice(&word[..chunk.len()]);
    }
    Bytes::from(bytes)
}
