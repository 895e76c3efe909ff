//! Work to measure: a server that answers at once, and clients that keep it busy.

pub(crate) mod contest;
pub(crate) mod streams;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use dcquic_mio::runtime::Runtime;
use dcquic_proto::{
    config::Config,
    crypto::Psk,
    endpoint::Stats,
    id::{Pattern, Priority, Status},
    pool::{CallOptions, Incoming, Pool},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use indicatif::ProgressBar;

use super::{failure::Failure, latency::Latencies, serve::accept, transport};

/// A server on loopback: echoes calls, answers streams, and takes bulk messages record by record.
pub(crate) struct LoadServer {
    runtime: Runtime,
    thread: Option<thread::JoinHandle<()>>,
    landed: mpsc::Receiver<Vec<u8>>,
}

/// Where a bulk message is written to.
pub(crate) struct Landing {
    /// As long as the message.
    pub(crate) memory: Vec<u8>,
    /// Shows how far it is.
    pub(crate) progress: ProgressBar,
}

/// Taken by the next bulk message; the records of others are let go.
type NextLanding = Arc<Mutex<Option<Landing>>>;

impl LoadServer {
    /// Starts it on a port of its own, with memory for one bulk message, if it is to be kept.
    pub(crate) fn start(
        config: Config,
        psk: Psk,
        landing: Option<Landing>,
    ) -> Result<Self, Failure> {
        let runtime = transport::start(SocketAddr::from(([127, 0, 0, 1], 0)), config, psk)?;
        let (sender, landed) = mpsc::channel();
        let (pool, landing) = (runtime.pool(), Arc::new(Mutex::new(landing)));
        let thread = thread::Builder::new()
            .name("answers".into())
            .spawn(move || {
                let answers = accept::all(&pool, |incoming| {
                    answer(incoming, Arc::clone(&landing), sender.clone())
                });
                pollster::block_on(answers);
            })
            .map_err(|error| Failure::new(format_args!("cannot start a thread: {error}")))?;
        Ok(Self { runtime, thread: Some(thread), landed })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.runtime.local_addr()
    }

    /// Its counters.
    pub(crate) fn stats(&self) -> Stats {
        self.runtime.pool().stats()
    }

    /// The bulk message that was kept.
    pub(crate) fn landed(&self) -> Result<Vec<u8>, Failure> {
        self.landed
            .recv_timeout(Duration::from_secs(10))
            .map_err(|_| Failure::new("the bulk message did not reach the server's application"))
    }
}

impl Drop for LoadServer {
    fn drop(&mut self) {
        self.runtime.pool().shutdown();
        if let Some(thread) = self.thread.take() {
            // a panic there was printed there
            let _ = thread.join();
        }
    }
}

/// Answers one request. A client that gave up meanwhile needs no answer, and nothing here waits
/// until it has one.
async fn answer(mut incoming: Incoming, landing: NextLanding, landed: mpsc::Sender<Vec<u8>>) {
    let pattern = incoming.pattern();
    if pattern.has_many_requests() || pattern.has_many_responses() {
        // a client that gave up needs no answer here either
        let _ended = streams::answer(incoming).await;
        return;
    }
    if *incoming.metadata() != BULK {
        if let Ok(body) = incoming.receive().await {
            drop(incoming.respond(Status::OK, Bytes::new(), body));
        }
        return;
    }
    let mut landing = landing.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut records = incoming.records();
    while let Some(record) = records.next().await {
        let Ok(record) = record else { return };
        let end = record.offset as usize + record.data.len();
        if let Some(Landing { memory, progress }) = &mut landing
            && let Some(place) = memory.get_mut(record.offset as usize..end)
        {
            place.copy_from_slice(&record.data);
            progress.inc(record.data.len() as u64);
        }
    }
    drop(incoming.respond(Status::OK, Bytes::new(), Bytes::new()));
    if let Some(landing) = landing {
        // nobody waits for it if the demonstration has failed meanwhile
        let _ = landed.send(landing.memory);
    }
}

/// What became of many calls.
pub(crate) struct Calls {
    /// From the first call's start to the last one's end.
    pub(crate) elapsed: Duration,
    /// How long each took.
    pub(crate) latencies: Latencies,
    /// How many there were.
    pub(crate) count: u64,
}

impl Calls {
    /// Calls per second.
    pub(crate) fn rate(&self) -> f64 {
        self.count as f64 / self.elapsed.as_secs_f64()
    }
}

/// When to stop making calls.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After so many.
    Count(u64),
    /// After so long.
    Elapsed(Duration),
}

impl Until {
    fn goes_on(self, begun: u64, started: Instant) -> bool {
        match self {
            Self::Count(count) => begun < count,
            Self::Elapsed(span) => started.elapsed() < span,
        }
    }
}

/// Makes calls with `body`, `concurrency` at a time, and checks that each is echoed.
pub(crate) async fn echo(
    pool: &Pool,
    remote: SocketAddr,
    body: Bytes,
    concurrency: usize,
    until: Until,
    progress: &ProgressBar,
) -> Result<Calls, Failure> {
    let call = async || {
        let started = Instant::now();
        let response =
            pool.unary(remote, Bytes::new(), body.clone()).await.map_err(Failure::new)?;
        if response.status != Status::OK || response.body != body {
            return Err(Failure::new(format_args!("{remote} answered something else than echo")));
        }
        Ok(started.elapsed())
    };
    let mut latencies = Latencies::new()?;
    let (started, mut begun, mut count) = (Instant::now(), 0, 0u64);
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < concurrency && until.goes_on(begun, started) {
            running.push(call());
            begun += 1;
        }
        let Some(latency) = running.next().await else { break };
        latencies.record(latency?);
        count += 1;
        if count.is_multiple_of(PROGRESS_STEP) {
            progress.set_position(count);
        }
    }
    let elapsed = started.elapsed();
    progress.finish_and_clear();
    Ok(Calls { elapsed, latencies, count })
}

/// Sends `payload` once, and returns how long it took until the server had all of it.
pub(crate) async fn bulk(
    pool: &Pool,
    remote: SocketAddr,
    payload: Bytes,
) -> Result<Duration, Failure> {
    bulk_at(pool, remote, Priority::default(), payload).await
}

/// Like [`bulk`], with a priority.
pub(crate) async fn bulk_at(
    pool: &Pool,
    remote: SocketAddr,
    priority: Priority,
    payload: Bytes,
) -> Result<Duration, Failure> {
    let started = Instant::now();
    let options = CallOptions { pattern: Pattern::Bulk, priority, ..CallOptions::default() };
    let response = pool.call(remote, options, BULK, payload).await.map_err(Failure::new)?;
    if response.status.is_ok() {
        Ok(started.elapsed())
    } else {
        Err(Failure::new(format_args!("{remote} refused the bulk message: {}", response.status)))
    }
}

/// How much of what was sent was useful.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usefulness {
    /// Payload bytes delivered for the first time, as a share of payload bytes sent.
    pub(crate) share: f64,
    /// Payload bytes sent again.
    pub(crate) retransmitted: u64,
}

impl Usefulness {
    /// Over all of `sides`, the two ends of every transfer among them.
    pub(crate) fn of(sides: &[Stats]) -> Self {
        let sum = |field: fn(&Stats) -> u64| sides.iter().map(field).sum::<u64>();
        let sent = sum(|stats| stats.payload_bytes_sent);
        let delivered = sum(|stats| stats.payload_bytes_delivered);
        let share = if sent == 0 { 1.0 } else { delivered as f64 / sent as f64 };
        Self { share, retransmitted: sum(|stats| stats.retransmitted_bytes) }
    }
}

/// Metadata of messages that are not echoed.
const BULK: Bytes = Bytes::from_static(b"bulk");
const PROGRESS_STEP: u64 = 256;
