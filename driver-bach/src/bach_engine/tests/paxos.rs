//! A leader that replicates a log to acceptors, with and without tokens, over the network model:
//! what `driver-mio/examples/paxos.rs` does, in virtual time.

use std::collections::BTreeSet;

use dcquic_proto::{
    causality::TokenGuard,
    id::Status,
    pool::{Call, CallOptions},
};

use super::pools::among;
use crate::{
    bach_engine::*,
    net::{NetworkSpec, RandomFaults, Topology},
};

const ACCEPTORS: u32 = 5;
const QUORUM: usize = 3;
const ENTRIES: u64 = 200;

/// A leader and its acceptors; 10 us from a call to its answer, like any two hosts by default.
fn network(loss: f64) -> NetworkSpec {
    let topology = Topology::Star { hosts: 1 + ACCEPTORS, nics_per_host: 1 };
    let random = RandomFaults { loss, ..RandomFaults::default() };
    NetworkSpec { topology, random, ..NetworkSpec::default() }
}

/// Accepts entries in any order, and commits each behind its accept and the commit before.
async fn acceptor(pool: Pool) {
    let (mut accepted, mut committed) = (BTreeSet::new(), 0);
    while let Some(mut incoming) = pool.accept().await {
        let body = incoming.receive().await.unwrap();
        let entry = u64::from_be_bytes(body[..].try_into().unwrap());
        if incoming.metadata() == "accept" {
            assert!(accepted.insert(entry), "{entry} again");
        } else {
            assert!(accepted.contains(&entry), "{entry} is committed and was not accepted");
            assert_eq!(entry, committed, "committed out of order");
            committed += 1;
        }
        drop(incoming.respond(Status::OK, Bytes::new(), committed.to_be_bytes().to_vec().into()));
    }
}

fn call(pool: &Pool, to: u32, method: &'static str, entry: u64, options: CallOptions) -> Call {
    let body = Bytes::copy_from_slice(&entry.to_be_bytes());
    pool.call(NicId(to).address(), options, method.into(), body)
}

/// Waits for so many of the calls to succeed; the others go on.
async fn quorum(calls: Vec<Call>, needed: usize) {
    let (done, answered) = (Rc::new(RefCell::new(0)), Rc::new(RefCell::new(None)));
    for call in calls {
        let (done, answered) = (Rc::clone(&done), Rc::clone(&answered));
        async move {
            assert_eq!(call.await.unwrap().status, Status::OK);
            *done.borrow_mut() += 1;
            let waker: Option<core::task::Waker> = answered.borrow_mut().take();
            waker.into_iter().for_each(core::task::Waker::wake);
        }
        .spawn();
    }
    core::future::poll_fn(|cx| {
        answered.replace(Some(cx.waker().clone()));
        if *done.borrow() >= needed {
            core::task::Poll::Ready(())
        } else {
            core::task::Poll::Pending
        }
    })
    .await;
}

/// One entry after the other: all answers to its accepts and then to its commits are waited for, so
/// that no acceptor can get anything out of order.
async fn waiting(pool: Pool) {
    for entry in 0..ENTRIES {
        for method in ["accept", "commit"] {
            let calls = (1..=ACCEPTORS)
                .map(|to| call(&pool, to, method, entry, CallOptions::default()))
                .collect();
            quorum(calls, ACCEPTORS as usize).await;
        }
    }
}

/// A window of entries is proposed at once. A commit goes out when a quorum has accepted its entry,
/// behind what it depends on at each acceptor.
async fn pipelined(pool: Pool, window: u64) {
    let mut commits: Vec<Option<TokenGuard>> = vec![None; ACCEPTORS as usize];
    for first in (0..ENTRIES).step_by(window as usize) {
        let entries = first..ENTRIES.min(first + window);
        let named = || CallOptions { named: true, ..CallOptions::default() };
        let mut chosen = Vec::new();
        for entry in entries.clone() {
            let accepts: Vec<_> =
                (1..=ACCEPTORS).map(|to| call(&pool, to, "accept", entry, named())).collect();
            let tokens: Vec<_> = accepts.iter().map(|call| call.token().cloned()).collect();
            chosen.push((tokens, quorum(accepts, QUORUM).spawn()));
        }
        let mut committed = Vec::new();
        for (entry, (accepts, quorate)) in entries.zip(chosen) {
            quorate.await.unwrap();
            let behind = accepts.iter().zip(&mut commits);
            let calls: Vec<_> = (1..=ACCEPTORS)
                .zip(behind)
                .map(|(to, (accept, before))| {
                    let after = accept.iter().chain(before.iter()).map(TokenGuard::when_answered);
                    let options = CallOptions { after: after.collect(), ..named() };
                    let commit = call(&pool, to, "commit", entry, options);
                    *before = commit.token().cloned();
                    commit
                })
                .collect();
            let needed = if entry + 1 == ENTRIES { ACCEPTORS as usize } else { QUORUM };
            committed.push(quorum(calls, needed).spawn());
        }
        for entry in committed {
            entry.await.unwrap();
        }
    }
}

/// Runs a leader; returns how long it took once all acceptors were connected.
fn replicate<F: Future<Output = ()> + 'static>(
    loss: f64,
    leader: impl FnOnce(Pool) -> F + 'static,
) -> u64 {
    let took = Rc::new(RefCell::new(0));
    let measured = Rc::clone(&took);
    among(
        &Config::datacenter(),
        &network(loss),
        async move |pool| {
            for to in 1..=ACCEPTORS {
                pool.connect(NicId(to).address()).await.unwrap();
            }
            let began = Clock::Picoseconds.now();
            leader(pool).await;
            *measured.borrow_mut() = Clock::Picoseconds.now().saturating_since(began).0;
        },
        vec![acceptor; ACCEPTORS as usize],
    );
    took.take()
}

/// Two round trips for each entry without tokens, two for each window with them [CAUS-10].
#[test]
fn tokens_pipeline_a_replicated_log() {
    let waited = replicate(0.0, waiting);
    let windows = [1, 10, 50].map(|window| replicate(0.0, move |pool| pipelined(pool, window)));
    println!("{ENTRIES} entries: waiting {waited} ps, windows of 1, 10, 50 {windows:?} ps");
    assert!(windows[0] < waited * 11 / 10, "{windows:?}, {waited} ps");
    assert!(windows[1] * 5 < waited, "{windows:?}, {waited} ps");
    assert!(windows[2] * 20 < waited, "{windows:?}, {waited} ps");
}

#[test]
fn the_log_keeps_its_order_whatever_is_lost() {
    replicate(0.02, move |pool| pipelined(pool, 50));
}
