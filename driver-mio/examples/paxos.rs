//! Multi-Paxos' steady state: a leader replicates a log to acceptors, with and without tokens.
//!
//! The leader asks all acceptors to *accept* each entry; what a quorum has accepted is chosen, and
//! the leader tells all to *commit* it. An acceptor may commit an entry only behind its own accept
//! and behind the commit of the entry before. The leader can keep that order in two ways:
//!
//! - It waits: it sends an acceptor the commit of an entry when that acceptor has answered the
//!   accept and the commit before. Each commit then costs each acceptor a round trip.
//! - It names what comes before ([`CallOptions::after`]) and sends at once. The acceptor's endpoint
//!   holds a commit back until what it depends on was answered, and no round trip is waited for.
//!   What the leader still waits for is the quorum: that is what Paxos is about, not the order.
//!
//! Both dependencies are [`when_answered`](TokenGuard::when_answered), not
//! [`when_sent`](TokenGuard::when_sent): an acceptor that *refuses* an accept, since it has
//! promised another leader to, must not commit the entry, and one that failed to commit an entry
//! must not commit the next, or its log would have a gap. Failures spread by themselves.
//!
//! Each acceptor checks the order of all it is told, and in the end all logs have to be equal, also
//! when one acceptor dies in the middle:
//!
//! ```text
//! cargo run --release -p dcquic-mio --example paxos
//! cargo run --release -p dcquic-mio --example paxos -- --acceptors 3 --entries 20000 --kill
//! ```

#![allow(clippy::unwrap_used, reason = "a test or example fails by panicking")]

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use clap::Parser;
use comfy_table::{Cell, CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use dcquic_mio::{PollMode, Runtime, RuntimeConfig};
use dcquic_proto::{
    causality::TokenGuard,
    config::Config,
    crypto::Psk,
    id::Status,
    pool::{CallError, CallOptions, Pool, Response},
};
use futures_util::{FutureExt, StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use hdrhistogram::Histogram;

/// Replicate a log to acceptors over loopback, in three ways, and compare.
#[derive(Debug, Parser)]
struct Args {
    /// Entries of the log.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..))]
    entries: u64,
    /// Acceptors, each with a socket and a worker thread of its own.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=64))]
    acceptors: u32,
    /// Entries that are proposed before the first of them is committed by a quorum, at most.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..))]
    window: u64,
    /// Bytes of each entry.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(..=65_536))]
    size: u64,
    /// Let the last acceptor die when half of the entries were proposed.
    #[arg(long)]
    kill: bool,
    /// Print a JSON object for each way.
    #[arg(long)]
    json: bool,
}

/// How the leader goes about it.
#[derive(Clone, Copy, Debug)]
struct Way {
    name: &'static str,
    /// Commits name what comes before them; else the leader waits for it.
    tokens: bool,
    window: u64,
}

fn main() {
    let args = Args::parse();
    let ways = [
        Way { name: "one at a time", tokens: false, window: 1 },
        Way { name: "window, waiting", tokens: false, window: args.window },
        Way { name: "window, tokens", tokens: true, window: args.window },
    ];
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    table.set_header(["", "window", "entries/s", "median (us)", "99 % (us)"]);
    for way in ways {
        let figures = run(&args, way);
        let per_s = args.entries as f64 / figures.elapsed.as_secs_f64();
        let micros = |percent| figures.nanos.value_at_percentile(percent) as f64 / 1e3;
        if args.json {
            let line = serde_json::json!({
                "ok": true, "way": way.name, "tokens": way.tokens, "window": way.window,
                "acceptors": args.acceptors, "entries": args.entries, "killed": args.kill,
                "entries_per_s": per_s, "p50_us": micros(50.0), "p99_us": micros(99.0),
            });
            println!("{line}");
        }
        let number = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        table.add_row([
            Cell::new(way.name),
            number(way.window.to_string()),
            number(format!("{per_s:.0}")),
            number(format!("{:.1}", micros(50.0))),
            number(format!("{:.1}", micros(99.0))),
        ]);
    }
    if !args.json {
        let death = if args.kill { ", one of which dies" } else { "" };
        println!("{} entries to {} acceptors{death}; all logs equal", args.entries, args.acceptors);
        println!("{table}");
    }
}

/// Replicates the log to acceptors of its own, and checks what they have in the end.
fn run(args: &Args, way: Way) -> Figures {
    let acceptors: Vec<_> = (0..args.acceptors).map(|_| Process::start()).collect();
    let addresses: Vec<_> = acceptors.iter().map(|process| process.runtime.local_addr()).collect();
    let kill_at = args.kill.then_some(args.entries / 2);
    let log: Vec<_> = (0..args.entries).map(|index| entry(index, args.size)).collect();
    let runtime = start();
    let figures = pollster::block_on(async {
        let mut leader = Leader::elect(runtime.pool(), &addresses, way).await;
        leader
            .replicate(&log, |index| {
                if Some(index) == kill_at {
                    acceptors.last().unwrap().kill();
                }
            })
            .await
    });
    for (number, process) in acceptors.into_iter().enumerate() {
        let dead = args.kill && number + 1 == addresses.len();
        let committed = process.stop();
        // in order and each once: equal, or a beginning if it died
        assert_eq!(dead, committed.len() < log.len(), "{} of {}", committed.len(), log.len());
        assert_eq!(committed, log[..committed.len()]);
    }
    figures
}

/// Entry `index` of the log: bytes that differ from those of its neighbours.
fn entry(index: u64, size: u64) -> Bytes {
    (0..size).map(|at| (index.wrapping_mul(31) + at) as u8).collect()
}

fn start() -> Runtime {
    let psk = Psk::from_bytes([7; 32]);
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = RuntimeConfig::new(listen, Config::loopback(), psk);
    // more threads than cores: none may spin while others work
    Runtime::start(RuntimeConfig { poll: PollMode::Park, ..config }).unwrap()
}

// ----- the acceptor ------------------------------------------------------------------------------

/// A leader's number; acceptors obey the highest that they have heard of.
type Ballot = u64;

/// What an acceptor remembers.
#[derive(Debug, Default)]
struct Acceptor {
    promised: Ballot,
    /// Entries that were accepted and not committed.
    accepted: BTreeMap<u64, (Ballot, Bytes)>,
    log: Vec<Bytes>,
}

impl Acceptor {
    fn handle(&mut self, method: &[u8], mut request: Bytes) -> Status {
        let (ballot, index) = (request.get_u64(), request.get_u64());
        if ballot < self.promised {
            return Status::FORBIDDEN;
        }
        self.promised = ballot;
        match method {
            b"prepare" => Status::OK,
            b"accept" => {
                self.accepted.insert(index, (ballot, request));
                Status::OK
            }
            // an entry that is not next, or that was not accepted: the order was not kept
            b"commit" => match self.accepted.remove(&index) {
                Some((accepted, value)) if (accepted, index) == (ballot, self.log.len() as u64) => {
                    self.log.push(value);
                    Status::OK
                }
                _ => Status::INVALID,
            },
            _ => Status::NOT_FOUND,
        }
    }
}

/// An acceptor at work.
struct Process {
    runtime: Runtime,
    dead: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Bytes>>,
}

impl Process {
    fn start() -> Self {
        let runtime = start();
        let (pool, dead) = (runtime.pool(), Arc::new(AtomicBool::new(false)));
        let killed = Arc::clone(&dead);
        let thread = std::thread::spawn(move || pollster::block_on(serve(pool, &killed)));
        Self { runtime, dead, thread }
    }

    /// Lets it die: it handles no call any more, and then its socket is gone.
    fn kill(&self) {
        self.dead.store(true, Ordering::Relaxed);
        self.runtime.pool().shutdown();
    }

    /// Ends it; returns its log.
    fn stop(self) -> Vec<Bytes> {
        self.runtime.stop().unwrap();
        self.thread.join().unwrap()
    }
}

/// Answers one call after the other: what depends on others comes behind their answers.
async fn serve(pool: Pool, dead: &AtomicBool) -> Vec<Bytes> {
    let mut acceptor = Acceptor::default();
    while let Some(mut incoming) = pool.accept().await {
        let Ok(request) = incoming.receive().await else { continue };
        if dead.load(Ordering::Relaxed) {
            break;
        }
        let status = acceptor.handle(incoming.metadata(), request);
        // on its way; whether it arrives is the leader's concern
        drop(incoming.respond(status, Bytes::new(), Bytes::new()));
    }
    acceptor.log
}

// ----- the leader --------------------------------------------------------------------------------

const BALLOT: Ballot = 1;

/// What the leader knows of one acceptor.
struct Lane {
    remote: SocketAddr,
    /// It has answered all that it was asked, so far.
    alive: bool,
    /// Accepts of entries whose commits were not sent, by index: their names, and whether they were
    /// answered.
    accepts: BTreeMap<u64, (Option<TokenGuard>, bool)>,
    /// The name of the last commit.
    last_commit: Option<TokenGuard>,
    /// Entries whose commits were sent, and those whose commits were answered.
    commits_sent: u64,
    commits_answered: u64,
}

/// An entry under way.
struct Entry {
    proposed: Instant,
    accepts: usize,
    commits: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Accept,
    Commit,
}

/// A call's end.
struct Answer {
    lane: usize,
    index: u64,
    phase: Phase,
    result: Result<Response, CallError>,
}

struct Figures {
    elapsed: Duration,
    /// From an entry's proposal until a quorum has committed it.
    nanos: Histogram<u64>,
}

struct Leader {
    pool: Pool,
    way: Way,
    quorum: usize,
    lanes: Vec<Lane>,
    entries: Vec<Entry>,
    /// Entries that a quorum has accepted, and those that a quorum has committed: all before these.
    chosen: u64,
    done: u64,
    calls: FuturesUnordered<LocalBoxFuture<'static, Answer>>,
    nanos: Histogram<u64>,
}

impl Leader {
    /// Phase 1, once for the whole log: a quorum promises to obey this leader. The acceptors of the
    /// example are new; else their promises would bring entries to be proposed again.
    async fn elect(pool: Pool, acceptors: &[SocketAddr], way: Way) -> Self {
        let quorum = acceptors.len() / 2 + 1;
        for remote in acceptors {
            let promise = pool.unary(*remote, "prepare".into(), request(0, &[])).await;
            assert_eq!(promise.unwrap().status, Status::OK);
        }
        let lane = |remote: &SocketAddr| Lane {
            remote: *remote,
            alive: true,
            accepts: BTreeMap::new(),
            last_commit: None,
            commits_sent: 0,
            commits_answered: 0,
        };
        Self {
            pool,
            way,
            quorum,
            lanes: acceptors.iter().map(lane).collect(),
            entries: Vec::new(),
            chosen: 0,
            done: 0,
            calls: FuturesUnordered::new(),
            nanos: Histogram::new_with_bounds(1, 60_000_000_000, 3).unwrap(),
        }
    }

    /// Phase 2 for every entry of the log, a window of them at a time. `before` is told of each.
    async fn replicate(&mut self, log: &[Bytes], mut before: impl FnMut(u64)) -> Figures {
        let (started, count) = (Instant::now(), log.len() as u64);
        while self.done < count {
            while self.proposed() < count && self.proposed() - self.done < self.way.window {
                before(self.proposed());
                self.propose(&log[self.entries.len()]);
            }
            let answer = self.calls.next().await;
            self.take(answer.expect("a quorum of acceptors is alive"));
        }
        let elapsed = started.elapsed();
        // a quorum has all of it; the slower ones get the rest
        while let Some(answer) = self.calls.next().await {
            self.take(answer);
        }
        Figures { elapsed, nanos: self.nanos.clone() }
    }

    fn proposed(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Asks every acceptor to accept the next entry.
    fn propose(&mut self, value: &Bytes) {
        let index = self.proposed();
        self.entries.push(Entry { proposed: Instant::now(), accepts: 0, commits: 0 });
        let body = request(index, value);
        for lane in 0..self.lanes.len() {
            if self.lanes[lane].alive {
                let options = CallOptions { named: self.way.tokens, ..CallOptions::default() };
                let token = self.call(lane, index, Phase::Accept, options, body.clone());
                self.lanes[lane].accepts.insert(index, (token, false));
            }
        }
    }

    /// Sends an acceptor the commits that it may be sent.
    fn commit(&mut self, number: usize) {
        loop {
            let lane = &mut self.lanes[number];
            let index = lane.commits_sent;
            if !lane.alive || index >= self.chosen {
                return;
            }
            let Some((accept, answered)) = lane.accepts.get(&index) else { return };
            let after = if self.way.tokens {
                accept.iter().chain(&lane.last_commit).map(TokenGuard::when_answered).collect()
            } else if *answered && lane.commits_answered == index {
                Vec::new()
            } else {
                return;
            };
            lane.accepts.remove(&index);
            lane.commits_sent += 1;
            let options = CallOptions { named: self.way.tokens, after, ..CallOptions::default() };
            let token = self.call(number, index, Phase::Commit, options, request(index, &[]));
            self.lanes[number].last_commit = token;
        }
    }

    /// Starts a call; returns its name, if it has one.
    fn call(
        &self,
        lane: usize,
        index: u64,
        phase: Phase,
        options: CallOptions,
        body: Bytes,
    ) -> Option<TokenGuard> {
        let method = match phase {
            Phase::Accept => "accept",
            Phase::Commit => "commit",
        };
        let call = self.pool.call(self.lanes[lane].remote, options, method.into(), body);
        let token = call.token().cloned();
        self.calls
            .push(call.map(move |result| Answer { lane, index, phase, result }).boxed_local());
        token
    }

    /// Counts an answer, and goes on as far as it allows.
    fn take(&mut self, answer: Answer) {
        let Answer { lane, index, phase, result } = answer;
        match result {
            Ok(response) => assert_eq!(response.status, Status::OK, "{phase:?} {index}"),
            Err(error) => {
                // with it fails all that depends on it; a real leader would bring the acceptor up
                // to date when it is back
                if std::mem::take(&mut self.lanes[lane].alive) {
                    eprintln!("an acceptor is lost: {error}");
                }
                return;
            }
        }
        let entry = &mut self.entries[index as usize];
        match phase {
            Phase::Accept => {
                entry.accepts += 1;
                if let Some((_, answered)) = self.lanes[lane].accepts.get_mut(&index) {
                    *answered = true;
                }
            }
            Phase::Commit => {
                entry.commits += 1;
                self.lanes[lane].commits_answered += 1;
            }
        }
        self.advance();
        for lane in 0..self.lanes.len() {
            self.commit(lane);
        }
    }

    fn advance(&mut self) {
        let reached = |count: usize| count >= self.quorum;
        while self.entries.get(self.chosen as usize).is_some_and(|entry| reached(entry.accepts)) {
            self.chosen += 1;
        }
        while let Some(entry) = self.entries.get(self.done as usize)
            && reached(entry.commits)
        {
            self.nanos.saturating_record(entry.proposed.elapsed().as_nanos() as u64);
            self.done += 1;
        }
    }
}

/// A request about entry `index`.
fn request(index: u64, value: &[u8]) -> Bytes {
    let mut request = BytesMut::with_capacity(16 + value.len());
    request.put_u64(BALLOT);
    request.put_u64(index);
    request.put_slice(value);
    request.freeze()
}
