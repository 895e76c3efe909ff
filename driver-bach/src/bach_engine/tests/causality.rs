//! Calls that depend on each other, over the network model.

use core::time::Duration;

use dcquic_proto::{
    id::{Priority, Status},
    pool::{Call, CallCause, CallOptions},
};

use super::{patterns::pause, pools::between};
use crate::{bach_engine::*, net::NetworkSpec};

fn peer() -> core::net::SocketAddr {
    NicId(1).address()
}

/// A network whose packets are lost often, among them those that open, answer and close calls.
fn lossy() -> NetworkSpec {
    let random = crate::net::RandomFaults { loss: 0.1, ..Default::default() };
    NetworkSpec { random, ..NetworkSpec::default() }
}

/// Answers with the order in which calls came; metadata `refuse` is refused, `slow` takes 1 ms.
async fn number(pool: Pool) {
    let mut count = 0_u64;
    while let Some(incoming) = pool.accept().await {
        let body = Bytes::from(count.to_string());
        count += 1;
        match &incoming.metadata()[..] {
            b"refuse" => incoming.reject(Status::FORBIDDEN),
            b"fail" => drop(incoming.respond(Status::INTERNAL, Bytes::new(), body)),
            b"slow" => {
                async move {
                    pause(1).await;
                    drop(incoming.respond(Status::OK, Bytes::new(), body));
                }
                .spawn();
            }
            b"never" => {
                async move {
                    pause(1_000).await;
                    drop(incoming);
                }
                .spawn();
            }
            _ => drop(incoming.respond(Status::OK, Bytes::new(), body)),
        }
    }
}

fn call(pool: &Pool, metadata: &'static str, options: CallOptions) -> Call {
    pool.call(peer(), CallOptions { named: true, ..options }, metadata.into(), "body".into())
}

fn after(calls: impl IntoIterator<Item = dcquic_proto::causality::Dependency>) -> CallOptions {
    CallOptions { after: calls.into_iter().collect(), ..CallOptions::default() }
}

/// Starts a call without waiting for its end.
fn begin<T: 'static>(call: impl Future<Output = T> + 'static) -> bach::task::JoinHandle<T> {
    call.spawn()
}

/// A hundred calls to one peer, each behind the one before: in order, and in about one round trip
/// [CAUS-10].
#[test]
fn a_chain_to_one_peer_takes_one_round_trip() {
    between(
        &NetworkSpec::default(),
        async |pool| {
            pool.connect(peer()).await.unwrap();
            let began = Clock::Picoseconds.now();
            drop(call(&pool, "", CallOptions::default()).await.unwrap());
            let single = Clock::Picoseconds.now().saturating_since(began).0;

            let began = Clock::Picoseconds.now();
            let mut calls: Vec<Call> = Vec::new();
            for _ in 0..100 {
                let before = calls.last().and_then(Call::token).map(|on| on.when_answered());
                calls.push(call(&pool, "", after(before)));
            }
            let calls: Vec<_> = calls.into_iter().map(begin).collect();
            for (index, call) in calls.into_iter().enumerate() {
                let order = call.await.unwrap().unwrap().body;
                assert_eq!(order, (index + 1).to_string());
            }
            let pipelined = Clock::Picoseconds.now().saturating_since(began).0;

            let began = Clock::Picoseconds.now();
            for _ in 0..100 {
                call(&pool, "", CallOptions::default()).await.unwrap();
            }
            let one_by_one = Clock::Picoseconds.now().saturating_since(began).0;
            println!("one {single} ps, a chain of 100 {pipelined} ps, one by one {one_by_one} ps");
            assert!(pipelined < 3 * single, "{pipelined} ps, {single} ps for one");
            assert!(one_by_one > 50 * single);
        },
        number,
    );
}

#[test]
fn a_chain_keeps_its_order_whatever_is_lost() {
    between(
        &lossy(),
        async |pool| {
            let mut calls: Vec<Call> = Vec::new();
            for _ in 0..200 {
                let before = calls.last().and_then(Call::token).map(|on| on.when_sent());
                calls.push(call(&pool, "", after(before)));
            }
            // started from the last to the first: a call waits for one that has not begun
            let calls: Vec<_> = calls.into_iter().rev().map(begin).collect();
            for (index, call) in calls.into_iter().rev().enumerate() {
                assert_eq!(call.await.unwrap().unwrap().body, index.to_string());
            }
        },
        number,
    );
}

#[test]
fn a_failure_takes_those_with_it_that_depend_on_it_and_spares_the_others() {
    for spec in [NetworkSpec::default(), lossy()] {
        for fault in ["refuse", "fail"] {
            between(
                &spec,
                async move |pool| {
                    let first = call(&pool, fault, CallOptions::default());
                    let on = first.token().unwrap();
                    let sent = call(&pool, "", after([on.when_sent()]));
                    let second = call(&pool, "", after([on.when_answered()]));
                    let third = call(&pool, "", after([second.token().unwrap().when_answered()]));
                    let other = call(&pool, "", after([on.when_answered().optional()]));
                    let calls = [first, sent, second, third, other].map(begin);
                    let mut ends = Vec::new();
                    for call in calls {
                        let ended = call.await.unwrap();
                        ends.push(ended.map(|response| response.status).map_err(|e| e.cause));
                    }
                    let first = match fault {
                        "refuse" => Err(CallCause::ClosedByPeer(Status::FORBIDDEN)),
                        _ => Ok(Status::INTERNAL),
                    };
                    assert_eq!(ends[0], first);
                    assert_eq!(ends[1], Ok(Status::OK), "its request had come");
                    assert_eq!(ends[2], Err(CallCause::DependencyFailed));
                    assert_eq!(ends[3], Err(CallCause::DependencyFailed));
                    assert_eq!(ends[4], Ok(Status::OK));
                    pause(50).await;
                },
                number,
            );
        }
    }
}

#[test]
fn giving_a_call_up_before_it_is_sent_or_after_fails_what_depends_on_it() {
    for wait in [0, 1] {
        between(
            &lossy(),
            async move |pool| {
                pool.connect(peer()).await.unwrap();
                let first = call(&pool, "never", CallOptions::default());
                let on = first.token().unwrap().clone();
                let second = begin(call(&pool, "", after([on.when_answered()])));
                let other = begin(call(&pool, "", after([on.when_answered().optional()])));
                let mut first = Box::pin(first);
                let polled = core::future::poll_fn(|cx| {
                    core::task::Poll::Ready(first.as_mut().poll(cx).is_pending())
                });
                assert!(polled.await);
                pause(wait).await;
                drop(first);
                let error = second.await.unwrap().unwrap_err();
                assert_eq!(error.cause, CallCause::DependencyFailed);
                assert_eq!(other.await.unwrap().unwrap().status, Status::OK);
                pause(50).await;
            },
            number,
        );
    }
}

#[test]
fn a_call_to_another_peer_waits_here() {
    between(
        &NetworkSpec::default(),
        async |pool| {
            pool.connect(peer()).await.unwrap();
            // nobody is at the other address: its call waits for the hello and then fails
            let nowhere = NicId(9).address();
            let named = CallOptions { named: true, ..CallOptions::default() };
            let lost = pool.call(nowhere, named, Bytes::new(), Bytes::new());
            let on = lost.token().unwrap();
            let cascade = call(&pool, "", after([on.when_sent()]));
            // goes out with the one before it, when that does
            let chained = call(&pool, "", after([cascade.token().unwrap().when_sent()]));
            let optional = call(&pool, "", after([on.when_sent().optional()]));
            let short = CallOptions {
                deadline: Some(Duration::from_millis(1)),
                ..after([on.when_sent().optional()])
            };
            let timed = call(&pool, "", short);
            let began = Clock::Picoseconds.now();
            let (lost, cascade) = (begin(lost), begin(cascade));
            let (chained, optional, timed) = (begin(chained), begin(optional), begin(timed));
            assert_eq!(timed.await.unwrap().unwrap_err().cause, CallCause::Deadline);
            assert!(Clock::Picoseconds.now().saturating_since(began).0 < 1_100_000_000);
            lost.await.unwrap().unwrap_err();
            for call in [cascade, chained] {
                let error = call.await.unwrap().unwrap_err();
                assert_eq!(error.cause, CallCause::DependencyFailed);
            }
            assert_eq!(optional.await.unwrap().unwrap().status, Status::OK);
        },
        number,
    );
}

/// What a call depends on may end in the very turn in which the worker takes it.
#[test]
fn a_call_may_depend_on_one_whose_answer_comes_in_that_moment() {
    between(
        &NetworkSpec::default(),
        async |pool| {
            let mut took = 0;
            for _ in 0..3 {
                let began = Clock::Picoseconds.now();
                call(&pool, "", CallOptions::default()).await.unwrap();
                took = Clock::Picoseconds.now().saturating_since(began).0;
            }
            let first = call(&pool, "", CallOptions::default());
            let second = call(&pool, "", after([first.token().unwrap().when_answered()]));
            let first = begin(first);
            // a nanosecond of Bach's clock is a picosecond of the network's
            bach::time::sleep(Duration::from_nanos(took)).await;
            assert_eq!(second.await.unwrap().status, Status::OK);
            assert_eq!(first.await.unwrap().unwrap().status, Status::OK);
        },
        number,
    );
}

#[test]
fn a_call_may_depend_on_another_in_several_ways() {
    between(
        &NetworkSpec::default(),
        async |pool| {
            pool.connect(peer()).await.unwrap();
            let first = call(&pool, "slow", CallOptions::default());
            let on = first.token().unwrap();
            let again = [on.when_answered(), on.when_sent(), on.when_answered().optional()];
            let second = call(&pool, "", after(again));
            let (first, second) = (begin(first), begin(second));
            assert_eq!(first.await.unwrap().unwrap().body, "0");
            assert_eq!(second.await.unwrap().unwrap().body, "1");
        },
        number,
    );
}

/// Both sides greet each other at once: a call goes over the one session, and what depends on it
/// over the other.
#[test]
fn what_a_call_depends_on_may_be_of_another_session() {
    for spec in [NetworkSpec::default(), lossy()] {
        between(
            &spec,
            async |pool| {
                let first = call(&pool, "slow", CallOptions::default());
                let on = first.token().unwrap();
                let second = call(&pool, "", after([on.when_answered()]));
                let third = call(&pool, "", after([second.token().unwrap().when_sent()]));
                let first = begin(first);
                pause(1).await;
                let (third, second) = (begin(third), begin(second));
                assert_eq!(first.await.unwrap().unwrap().body, "0");
                assert_eq!(second.await.unwrap().unwrap().body, "1");
                assert_eq!(third.await.unwrap().unwrap().body, "2");
            },
            async |pool| {
                let greeting = begin(pool.connect(NicId(0).address()));
                number(pool).await;
                drop(greeting);
            },
        );
    }
}

#[test]
fn a_worker_that_has_ended_keeps_no_names() {
    between(
        &NetworkSpec::default(),
        async |pool| {
            let first = call(&pool, "", CallOptions::default());
            let second = begin(call(&pool, "", after([first.token().unwrap().when_answered()])));
            pause(1).await;
            assert_eq!(pool.names(), 2);
            pool.shutdown();
            while pool.accept().await.is_some() {}
            assert_eq!(first.await.unwrap_err().cause, CallCause::WorkerGone);
            let error = second.await.unwrap().unwrap_err();
            let causes = [CallCause::WorkerGone, CallCause::DependencyFailed];
            assert!(causes.contains(&error.cause), "{error}");
            assert_eq!(pool.names(), 0);
        },
        number,
    );
}

/// Calls wait to be accepted by priority: an urgent one stays behind those that it depends on, and
/// so does one behind that. What it is announced with stays what its caller said.
#[test]
fn an_urgent_call_is_not_accepted_before_what_it_depends_on() {
    between(
        &NetworkSpec::default(),
        async |pool| {
            let urgent =
                |level, options| CallOptions { priority: Priority::new(level).unwrap(), ..options };
            pool.connect(peer()).await.unwrap();
            let first = call(&pool, "", urgent(6, CallOptions::default()));
            let behind = after([first.token().unwrap().when_sent()]);
            let second = call(&pool, "", urgent(3, behind));
            let behind = after([second.token().unwrap().when_sent()]);
            let third = call(&pool, "", urgent(0, behind));
            let calls = [third, second, first].map(begin);
            for (call, (order, level)) in calls.into_iter().zip([(2, 0), (1, 3), (0, 6)]) {
                assert_eq!(call.await.unwrap().unwrap().body, format!("{order} {level}"));
            }
        },
        async |pool| {
            // all of them wait when the first one is taken
            pause(1).await;
            let mut order = 0;
            while let Some(incoming) = pool.accept().await {
                let body = format!("{order} {}", incoming.priority().level());
                order += 1;
                drop(incoming.respond(Status::OK, Bytes::new(), body.into()));
            }
        },
    );
}
