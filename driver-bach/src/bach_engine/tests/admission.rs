//! Calls that are accepted, queued or rejected as they are announced, over the network model.

use core::{cell::Cell, time::Duration};
use std::sync::{Arc, Mutex};

use dcquic_proto::{
    id::{Incarnation, Pattern, Priority, Status},
    pool::{
        Acceptor, Announcement, CallCause, CallOptions, Decision, Incoming, Load, LoadShedding,
    },
};

use super::{
    patterns::{pause, peer},
    pools::between,
};
use crate::{bach_engine::*, net::NetworkSpec};

/// Decides as a function says, and lets one call be unanswered.
struct OneByOne<F> {
    decide: F,
    max_queued: usize,
}

impl<F> Acceptor for OneByOne<F>
where
    F: Fn(&Announcement<'_>, &Load) -> Decision + Send + Sync + 'static,
{
    fn decide(&self, call: &Announcement<'_>, load: &Load) -> Decision {
        (self.decide)(call, load)
    }

    fn max_unanswered(&self) -> usize {
        1
    }

    fn max_queued(&self) -> usize {
        self.max_queued
    }
}

/// How a call with `options` ended: its status, at the peer or of its end.
async fn outcome(pool: Pool, options: CallOptions, metadata: Bytes, len: usize) -> Status {
    let sent: Bytes = vec![7; len].into();
    match pool.call(peer(), options, metadata, sent.clone()).await {
        Ok(response) => {
            assert_eq!(response.body, sent);
            response.status
        }
        Err(error) => match error.cause {
            CallCause::ClosedByPeer(status) => status,
            other => panic!("{other}"),
        },
    }
}

fn level(level: u8) -> CallOptions {
    CallOptions { priority: Priority::new(level).unwrap(), ..CallOptions::default() }
}

async fn echo(mut incoming: Incoming) {
    let body = incoming.receive().await.unwrap();
    incoming.respond(Status::OK, Bytes::new(), body).await.unwrap();
}

/// Runs `client` against an echo server with an acceptor. Returns the payload bytes that the
/// server received.
fn with_acceptor<F: Future<Output = ()> + 'static>(
    acceptor: impl Acceptor,
    client: impl FnOnce(Pool) -> F + 'static,
) -> u64 {
    let delivered = Rc::new(RefCell::new(None));
    let server = Rc::clone(&delivered);
    between(&NetworkSpec::default(), client, async move |pool: Pool| {
        server.replace(Some(pool.clone()));
        pool.set_acceptor(acceptor).unwrap();
        let another = |_: &Announcement<'_>, _: &Load| Decision::Accept;
        assert!(pool.set_acceptor(another).is_err());
        while let Some(incoming) = pool.accept().await {
            echo(incoming).spawn();
        }
    });
    delivered.take().unwrap().stats().payload_bytes_delivered
}

#[test]
fn a_call_is_rejected_by_whatever_is_announced() {
    let lives = Arc::new(Mutex::new(Vec::<Incarnation>::new()));
    let seen = Arc::clone(&lives);
    let acceptor = move |call: &Announcement<'_>, _: &Load| {
        seen.lock().unwrap().push(call.incarnation);
        Decision::Reject(match call {
            _ if call.offer.metadata == "secret" => Status::FORBIDDEN,
            _ if call.offer.headers == "old" => Status(64),
            _ if call.offer.pattern == Pattern::Bulk => Status(65),
            _ if call.offer.priority == Priority::LOWEST => Status(66),
            _ if call.offer.size > 600_000 => Status::TOO_LARGE,
            _ if call.offer.expires.is_some() => Status(67),
            _ if call.remote != NicId(0).address() => Status(68),
            _ => return Decision::Accept,
        })
    };
    let delivered = with_acceptor(acceptor, async |pool| {
        let plain = CallOptions::default();
        let old = CallOptions { headers: "old".into(), ..plain.clone() };
        let bulk = CallOptions { pattern: Pattern::Bulk, ..plain.clone() };
        let hurried = CallOptions { deadline: Some(Duration::from_secs(1)), ..plain.clone() };
        for (options, metadata, len, status) in [
            (plain.clone(), "secret", 500_000, Status::FORBIDDEN),
            (old, "", 500_000, Status(64)),
            (bulk, "", 500_000, Status(65)),
            (level(7), "", 0, Status(66)),
            (level(6), "", 0, Status::OK),
            (plain.clone(), "", 600_001, Status::TOO_LARGE),
            (hurried, "", 0, Status(67)),
            (plain.clone(), "", 10, Status::OK),
            (plain.clone(), "", 100_000, Status::OK),
        ] {
            assert_eq!(outcome(pool.clone(), options, metadata.into(), len).await, status);
        }
    });
    // what was rejected was not pulled, small enough though it was
    assert!((100_010..600_000).contains(&delivered), "{delivered} bytes were received");
    let lives = lives.lock().unwrap();
    assert!(lives.len() == 9 && lives.iter().all(|life| *life == lives[0]));
    assert_ne!(lives[0], Incarnation::default());
}

#[test]
fn a_peer_is_rejected_by_its_address() {
    let acceptor = |call: &Announcement<'_>, _: &Load| match call.remote == NicId(0).address() {
        true => Decision::Reject(Status::FORBIDDEN),
        false => Decision::Accept,
    };
    with_acceptor(acceptor, async |pool| {
        let status = outcome(pool, CallOptions::default(), Bytes::new(), 10).await;
        assert_eq!(status, Status::FORBIDDEN);
    });
}

#[test]
fn a_stream_of_many_requests_is_rejected_with_its_opening() {
    let acceptor = |call: &Announcement<'_>, _: &Load| {
        assert_eq!(call.offer.pattern, Pattern::StreamingRequest);
        Decision::Reject(Status(70))
    };
    with_acceptor(acceptor, async |pool| {
        let mut requests = pool.streaming_request(peer(), CallOptions::default(), Bytes::new());
        while requests.send(vec![0; 1_000].into()).await.is_ok() {}
        let error = requests.response().await.unwrap_err();
        assert_eq!(error.cause, CallCause::ClosedByPeer(Status(70)));
    });
}

/// Calls at `levels`, one behind the other, against a server that answers when told. Returns the
/// metadata in the order of acceptance, the statuses of the calls, and the bytes received while
/// the first call was unanswered.
fn queued(
    levels: &'static [u8],
    acceptor: impl Acceptor,
    len: usize,
) -> (Vec<Bytes>, Vec<Status>, u64) {
    let order = Rc::new(RefCell::new(Vec::new()));
    let statuses = Rc::new(RefCell::new(Vec::new()));
    let (taken, ended) = (Rc::clone(&order), Rc::clone(&statuses));
    let before = Rc::new(Cell::new(0));
    let pulled = Rc::clone(&before);
    between(
        &NetworkSpec::default(),
        async move |pool| {
            let mut calls = Vec::new();
            for (number, level_of) in levels.iter().enumerate() {
                let name = Bytes::from(number.to_string());
                let call = outcome(pool.clone(), level(*level_of), name, len);
                calls.push(call.spawn());
                pause(1).await;
            }
            for call in calls {
                let status = call.await.unwrap();
                ended.borrow_mut().push(status);
            }
        },
        async move |pool: Pool| {
            pool.set_acceptor(acceptor).unwrap();
            let mut first = pool.accept().await.unwrap();
            taken.borrow_mut().push(first.metadata().clone());
            let body = first.receive().await.unwrap();
            pause(1 + levels.len() as u64).await;
            pulled.set(pool.stats().payload_bytes_delivered);
            first.respond(Status::OK, Bytes::new(), body).await.unwrap();
            while let Some(incoming) = pool.accept().await {
                taken.borrow_mut().push(incoming.metadata().clone());
                echo(incoming).await;
            }
        },
    );
    (order.take(), statuses.take(), before.get())
}

#[test]
fn queued_calls_are_served_later_by_priority_and_pulled_then() {
    let queue = |_: &Announcement<'_>, _: &Load| Decision::Queue;
    for len in [0, 200_000, 2 << 20] {
        let one_by_one = OneByOne { decide: queue, max_queued: 10 };
        let (order, statuses, pulled) = queued(&[3, 6, 4, 4, 0, 6], one_by_one, len);
        assert_eq!(statuses, [Status::OK; 6]);
        // levels take turns by weight: the second of level 4 comes behind the first of level 6
        assert_eq!(order, ["0", "4", "2", "1", "3", "5"], "{len} bytes");
        assert!(pulled < 3 * len.max(1) as u64, "{pulled} bytes came before their time");
    }
}

#[test]
fn a_full_queue_sheds_low_priorities_first() {
    let queue = |_: &Announcement<'_>, _: &Load| Decision::Queue;
    let one_by_one = OneByOne { decide: queue, max_queued: 2 };
    let (order, statuses, _) = queued(&[3, 6, 7, 7, 2, 5, 6], one_by_one, 100);
    let overloaded = Status::OVERLOADED;
    let ok = Status::OK;
    assert_eq!(statuses, [ok, overloaded, overloaded, overloaded, ok, ok, overloaded]);
    assert_eq!(order, ["0", "4", "5"]);
}

#[test]
fn who_is_accepted_overtakes_the_queue() {
    let decide = |call: &Announcement<'_>, load: &Load| match &call.offer.metadata[..] {
        b"3" => {
            assert_eq!((load.queued, load.unanswered), (2, 1));
            assert!(load.receive_memory <= load.receive_memory_limit);
            Decision::Accept
        }
        _ => Decision::Queue,
    };
    let one_by_one = OneByOne { decide, max_queued: 10 };
    let (order, statuses, _) = queued(&[3, 0, 0, 7], one_by_one, 100);
    assert_eq!(
        (order, statuses),
        (["0", "3", "1", "2"].map(Bytes::from).into(), vec![Status::OK; 4])
    );
}

#[test]
fn load_shedding_bounds_what_is_at_work_and_what_waits() {
    let shedding = LoadShedding { max_unanswered: 1, max_queued: 1, ..LoadShedding::default() };
    let (order, statuses, _) = queued(&[3, 6, 1, 1], shedding.max_size("3", 50), 100);
    assert_eq!(statuses, [Status::OK, Status::OVERLOADED, Status::OK, Status::TOO_LARGE]);
    assert_eq!(order, ["0", "2"]);
}

#[test]
fn a_caller_that_gives_up_leaves_the_queue() {
    let order = Rc::new(RefCell::new(Vec::new()));
    let taken = Rc::clone(&order);
    between(
        &NetworkSpec::default(),
        async |pool| {
            let first = outcome(pool.clone(), level(3), "first".into(), 10).spawn();
            pause(1).await;
            let deadline = Some(Duration::from_millis(2));
            let options = CallOptions { deadline, ..level(3) };
            let late = pool.call(peer(), options, "late".into(), vec![0; 90_000].into());
            let late = late.spawn();
            pause(1).await;
            let last = outcome(pool.clone(), level(3), "last".into(), 10).spawn();
            assert_eq!(late.await.unwrap().unwrap_err().cause, CallCause::Deadline);
            assert_eq!(first.await.unwrap(), Status::OK);
            assert_eq!(last.await.unwrap(), Status::OK);
        },
        async move |pool: Pool| {
            let decide = |call: &Announcement<'_>, load: &Load| {
                let expected =
                    if call.offer.metadata == "last" { (1, 1) } else { (0, load.unanswered) };
                assert_eq!((load.queued, load.unanswered), expected);
                Decision::Queue
            };
            pool.set_acceptor(OneByOne { decide, max_queued: 10 }).unwrap();
            while let Some(incoming) = pool.accept().await {
                taken.borrow_mut().push(incoming.metadata().clone());
                pause(10).await;
                echo(incoming).await;
            }
        },
    );
    assert_eq!(order.take(), ["first", "last"]);
}

/// A response that is still being written is no answer yet.
#[test]
fn a_call_counts_until_its_last_response() {
    for pattern in [Pattern::Unary, Pattern::Bidirectional] {
        let events = Rc::new(RefCell::new(Vec::new()));
        let told = Rc::clone(&events);
        between(
            &NetworkSpec::default(),
            async move |pool| {
                let caller = pool.clone();
                let long = async move {
                    if pattern == Pattern::Unary {
                        let mut download = caller.download(peer(), "long".into(), Bytes::new());
                        while download.next().await.is_some_and(|record| record.is_ok()) {}
                    } else {
                        let options = CallOptions::default();
                        let (mut sender, mut receiver) =
                            caller.bidirectional(peer(), options, "long".into());
                        sender.send(Bytes::new()).await.unwrap();
                        while receiver.next().await.is_some_and(|one| one.is_ok()) {}
                    }
                }
                .spawn();
                pause(1).await;
                assert_eq!(outcome(pool, level(0), "short".into(), 10).await, Status::OK);
                long.await.unwrap();
            },
            async move |pool: Pool| {
                let queue = |_: &Announcement<'_>, _: &Load| Decision::Queue;
                pool.set_acceptor(OneByOne { decide: queue, max_queued: 10 }).unwrap();
                let long = pool.accept().await.unwrap();
                let (other, order) = (pool.clone(), Rc::clone(&told));
                let short = async move {
                    let short = other.accept().await.unwrap();
                    order.borrow_mut().push("short");
                    echo(short).await;
                }
                .spawn();
                let metadata = Bytes::new();
                if pattern == Pattern::Unary {
                    let mut writer = long.respond_stream(Status::OK, metadata, 200_000);
                    writer.write(vec![0; 100_000].into()).await.unwrap();
                    pause(5).await;
                    told.borrow_mut().push("written");
                    writer.write(vec![0; 100_000].into()).await.unwrap();
                    writer.finish().await.unwrap();
                } else {
                    let mut responses = long.responses();
                    responses.send("one".into()).await.unwrap();
                    pause(5).await;
                    told.borrow_mut().push("written");
                    responses.finish(Status::OK).await.unwrap();
                }
                short.await.unwrap();
            },
        );
        assert_eq!(events.take(), ["written", "short"]);
    }
}
