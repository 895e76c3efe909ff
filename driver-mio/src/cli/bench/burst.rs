//! `dcquic bench burst`: many calls at one instant.

use std::{
    net::SocketAddr,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use dcquic_mio::runtime::Runtime;
use dcquic_proto::{config::Config, crypto::Psk, pool::Pool};

use super::figures::Figures;
use crate::cli::{
    failure::Failure,
    latency::Latencies,
    load::{self, Calls, LoadServer, Until, Usefulness},
    output::Output,
    psk,
    size::ByteSize,
    transport,
};

/// Arguments of `dcquic bench burst`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Calls in all.
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    calls: u64,
    /// Length of each request, and of each response.
    #[arg(long, value_name = "BYTES", default_value = "1KiB")]
    size: ByteSize,
    /// Client sockets that the calls are divided among, each with a worker thread.
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=256))]
    peers: u32,
    /// Largest UDP payload in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 8_900, value_parser = clap::value_parser!(u16).range(1_200..=65_507))]
    datagram: u16,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic bench burst
  dcquic bench burst --peers 16 --calls 50000 --json

All calls are opened at one instant, after the hellos, towards one server socket. Latencies count
from that instant. Many clients in one process are heavy, so there are only 4 by default; the
simulator is the place for hundreds of hosts.";

/// Measures a burst.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let config = Config { max_datagram: args.datagram, ..Config::loopback() };
    let key = psk::random()?;
    let server = LoadServer::start(config.clone(), Psk::from_bytes(*key), None)?;
    let remote = server.address();
    let clients = (0..args.peers)
        .map(|_| transport::start_towards(remote, config.clone(), Psk::from_bytes(*key)))
        .collect::<Result<Vec<Runtime>, Failure>>()?;
    let body = Bytes::from(vec![0x5a; args.size.0 as usize]);
    let barrier = Barrier::new(clients.len());
    let share = |index: usize| {
        let (calls, peers) = (args.calls, u64::from(args.peers));
        calls / peers + u64::from((index as u64) < calls % peers)
    };
    let results: Vec<Result<(Instant, Calls), Failure>> = thread::scope(|scope| {
        let threads: Vec<_> = clients
            .iter()
            .enumerate()
            .map(|(index, client)| {
                let (pool, body, calls) = (client.pool(), body.clone(), share(index));
                let barrier = &barrier;
                scope.spawn(move || pollster::block_on(fire(&pool, remote, body, calls, barrier)))
            })
            .collect();
        let panicked = |_| Err(Failure::new("a client thread panicked"));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect()
    });
    let mut sides = vec![server.stats()];
    sides.extend(clients.iter().map(|client| client.pool().stats()));
    let calls = joined(results)?;
    Figures::new("burst", args.datagram, Usefulness::of(&sides))
        .with_total(calls.elapsed)
        .with_calls(&calls)
        .print(output)
}

/// One client: the hello, and once all clients are past it, all calls at once.
async fn fire(
    pool: &Pool,
    remote: SocketAddr,
    body: Bytes,
    calls: u64,
    barrier: &Barrier,
) -> Result<(Instant, Calls), Failure> {
    let hidden = indicatif::ProgressBar::hidden();
    let ready = load::echo(pool, remote, body.clone(), 1, Until::Count(1), &hidden).await;
    // one that failed must not keep the others waiting
    barrier.wait();
    ready?;
    let (started, all) = (Instant::now(), Until::Count(calls));
    Ok((started, load::echo(pool, remote, body, calls as usize, all, &hidden).await?))
}

/// The calls of all clients, from the first one's start to the last one's end.
fn joined(results: Vec<Result<(Instant, Calls), Failure>>) -> Result<Calls, Failure> {
    let mut latencies = Latencies::new()?;
    let (mut count, mut span) = (0, None);
    for result in results {
        let (started, calls) = result?;
        latencies.merge(&calls.latencies);
        count += calls.count;
        let ended = started + calls.elapsed;
        let (first, last) = span.unwrap_or((started, ended));
        span = Some((started.min(first), ended.max(last)));
    }
    let elapsed = span.map_or(Duration::ZERO, |(first, last)| last - first);
    Ok(Calls { elapsed, latencies, count })
}
