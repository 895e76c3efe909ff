//! `dcquic demo`: both sides in one process, over loopback.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use dcquic_proto::{config::Config, crypto::Psk, id::Priority, pool::Pool};
use serde::Serialize;

use super::{
    digest,
    failure::Failure,
    load::{
        self, Landing, LoadServer, Until, Usefulness,
        contest::{Contest, Contested},
        streams::{self, Streamed},
    },
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
    /// Messages of each stream.
    #[arg(long, value_name = "NUMBER", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    messages: u64,
    /// Largest UDP payload in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 8_900, value_parser = clap::value_parser!(u16).range(1_200..=65_507))]
    datagram: u16,
    /// Give up when the other side is not heard from for this long.
    #[arg(long, value_name = "SPAN", default_value = "10s", value_parser = span::parse)]
    timeout: Duration,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic demo                               calls, streams, 1 GiB, and urgent calls beside bulk
  dcquic demo --json                        one object with the figures
  dcquic demo --bulk 64MiB --calls 100000 --concurrency 1024
  dcquic demo --datagram 1400               packets as on Ethernet

Two sockets, two worker threads and a random key. Calls carry 64 bytes each way; the hello happens
before the clock starts. So do the messages of streams: of responses, of requests, and of both, where
each is echoed. Urgent calls (priority 0) go one after the other, first alone and then beside bulk
messages of priority 7, half a second each. The bulk message is timed from the call until the server, which copies its
records to memory of its own, has answered. Its SHA-256 is computed before and after, not in between.
The useful share is payload bytes delivered for the first time / payload bytes sent.";

#[derive(Serialize)]
struct Report {
    ok: bool,
    rpc_per_s: f64,
    rpc_p50_us: f64,
    rpc_p99_us: f64,
    responses_per_s: f64,
    requests_per_s: f64,
    echoes_per_s: f64,
    bulk_gbit_s: f64,
    urgent_alone_p99_us: f64,
    urgent_beside_bulk_p99_us: f64,
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
        let until = Until::Count(args.calls);
        load::echo(&pool, remote, body.clone(), concurrency, until, &bar).await
    })?;
    let streams = pollster::block_on(streams(&pool, remote, &body, args.messages))?;

    bar.reset();
    let elapsed = pollster::block_on(load::bulk(&pool, remote, payload.clone()))?;
    bar.finish_and_clear();
    if digest::sha256(&server.landed()?) != sent_digest {
        return Err(Failure::new("the bulk message arrived altered: its SHA-256 differs"));
    }

    let urgent = urgent(&pool, remote, body, &payload)?;
    let useful = Usefulness::of(&[pool.stats(), server.stats()]);
    let report = Report {
        ok: true,
        rpc_per_s: calls.rate(),
        rpc_p50_us: calls.latencies.micros_at(50.0),
        rpc_p99_us: calls.latencies.micros_at(99.0),
        responses_per_s: streams[0].rate(),
        requests_per_s: streams[1].rate(),
        echoes_per_s: streams[2].rate(),
        bulk_gbit_s: (args.bulk.0 * 8) as f64 / elapsed.as_secs_f64() / 1e9,
        urgent_alone_p99_us: urgent.idle.latencies.micros_at(99.0),
        urgent_beside_bulk_p99_us: urgent.busy.latencies.micros_at(99.0),
        useful_share: useful.share,
        retransmitted_bytes: useful.retransmitted,
    };
    output.result(&report, |report| text(args, report))
}

/// A stream of responses, one of requests and one of both.
async fn streams(
    pool: &Pool,
    remote: SocketAddr,
    body: &Bytes,
    count: u64,
) -> Result<[Streamed; 3], Failure> {
    let spinner = progress::waiting("streams");
    let streamed = [
        streams::responses(pool, remote, body.clone(), count).await?,
        streams::requests(pool, remote, body.clone(), count).await?,
        streams::echoes(pool, remote, body.clone(), Until::Count(count)).await?,
    ];
    spinner.finish_and_clear();
    Ok(streamed)
}

/// Urgent calls, alone and beside bulk messages that are parts of `payload`.
fn urgent(
    pool: &Pool,
    remote: SocketAddr,
    body: Bytes,
    payload: &Bytes,
) -> Result<Contested, Failure> {
    let spinner = progress::waiting("urgent calls beside bulk messages");
    let contest = Contest {
        pool,
        remote,
        priority: Priority::HIGHEST,
        body,
        payload: payload.slice(..payload.len().min(BESIDE)),
        span: Duration::from_millis(500),
    };
    let contested = pollster::block_on(contest.run())?;
    spinner.finish_and_clear();
    Ok(contested)
}

/// Longest bulk message beside urgent calls.
const BESIDE: usize = 64 << 20;

fn text(args: &Args, report: &Report) -> String {
    format!(
        "{} calls, {} at once; three streams of {} messages; one message of {}, SHA-256 equal on both \
         sides; urgent calls beside bulk\n{}",
        args.calls,
        args.concurrency,
        args.messages,
        args.bulk,
        table::figures([
            ("calls per second", Cell::number(report.rpc_per_s, 0)),
            ("call latency, median (us)", Cell::number(report.rpc_p50_us, 1)),
            ("call latency, 99 % (us)", Cell::number(report.rpc_p99_us, 1)),
            ("stream of responses (messages/s)", Cell::number(report.responses_per_s, 0)),
            ("stream of requests (messages/s)", Cell::number(report.requests_per_s, 0)),
            ("stream of echoes (messages/s)", Cell::number(report.echoes_per_s, 0)),
            ("bulk (Gbit/s)", Cell::number(report.bulk_gbit_s, 2)),
            ("urgent call alone, 99 % (us)", Cell::number(report.urgent_alone_p99_us, 1)),
            (
                "urgent call beside bulk, 99 % (us)",
                Cell::number(report.urgent_beside_bulk_p99_us, 1)
            ),
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
