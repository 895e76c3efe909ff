//! The five patterns, as applications use them, over the network model.

use core::time::Duration;

use dcquic_proto::{
    endpoint::{Message, StartError},
    id::{Pattern, Priority, Status},
    pool::{CallCause, CallOptions, Incoming},
};

use super::pools::{between, between_with};
use crate::{
    bach_engine::*,
    net::{NetworkSpec, RandomFaults},
};

/// Networks on which everything has to work: a calm one, and one that loses and repeats packets,
/// openings [STRM-3] and credit [STRM-5] among them.
fn networks() -> [NetworkSpec; 2] {
    let random = RandomFaults { loss: 0.05, duplication: 0.02, ..RandomFaults::default() };
    [NetworkSpec::default(), NetworkSpec { random, ..NetworkSpec::default() }]
}

/// Message `index` of a stream: its length goes from nothing to many packets.
fn message(index: u64) -> Bytes {
    let len = [0, 10, 1_000, 5_000, 70_000][index as usize % 5];
    vec![index as u8; len].into()
}

const COUNT: u64 = 60;

/// Answers a call of any pattern.
async fn serve(mut incoming: Incoming) {
    assert_eq!(incoming.metadata(), "route");
    let pattern = incoming.pattern();
    match pattern {
        Pattern::StreamingResponse => {
            assert_eq!(incoming.receive().await.unwrap(), "all");
            let mut responses = incoming.responses();
            responses.send_headers("head".into()).await.unwrap();
            for index in 0..COUNT {
                responses.send(message(index)).await.unwrap();
            }
            responses.finish(Status(99)).await.unwrap();
        }
        Pattern::StreamingRequest => {
            assert_eq!(incoming.headers(), "request headers");
            let mut requests = incoming.requests();
            let mut total = 0;
            let mut index = 0;
            while let Some(request) = requests.next().await {
                let body = request.unwrap().body.unwrap();
                assert_eq!(body, message(index));
                (total, index) = (total + body.len(), index + 1);
            }
            assert_eq!(requests.status(), Some(Status::OK));
            let total = Bytes::from(total.to_string());
            incoming.respond(Status::OK, Bytes::new(), total).await.unwrap();
        }
        Pattern::Bidirectional => {
            let mut requests = incoming.requests();
            let mut responses = incoming.responses();
            while let Some(request) = requests.next().await {
                responses.send(request.unwrap().body.unwrap()).await.unwrap();
            }
            responses.finish(Status::OK).await.unwrap();
        }
        Pattern::Unary | Pattern::Bulk => {
            let body = incoming.receive().await.unwrap();
            incoming.respond(Status::OK, Bytes::new(), body).await.unwrap();
        }
    }
}

/// Runs `client` against a server that answers every pattern.
fn with_server<F: Future<Output = ()> + 'static>(
    spec: &NetworkSpec,
    client: impl FnOnce(Pool) -> F + 'static,
) {
    between(spec, client, async |pool: Pool| {
        while let Some(incoming) = pool.accept().await {
            serve(incoming).spawn();
        }
    });
}

pub(super) fn peer() -> core::net::SocketAddr {
    NicId(1).address()
}

/// Waits for `ms` milliseconds; the network's clock ticks a thousand times as fast as Bach's.
pub(super) async fn pause(ms: u64) {
    bach::time::sleep(Duration::from_secs(ms)).await;
}

/// [STRM-1]
#[test]
fn one_request_and_many_responses() {
    for spec in networks() {
        with_server(&spec, async |pool| {
            let options = CallOptions { priority: Priority::HIGHEST, ..CallOptions::default() };
            let mut responses =
                pool.streaming_response(peer(), options, "route".into(), "all".into());
            assert_eq!(responses.headers().await.unwrap(), "head");
            for index in 0..COUNT {
                let response = responses.next().await.unwrap().unwrap();
                assert_eq!(response.body.unwrap(), message(index));
            }
            assert!(responses.next().await.is_none());
            assert_eq!(responses.status(), Some(Status(99)));
        });
    }
}

/// [STRM-1] [STRM-2]
#[test]
fn many_requests_and_one_response() {
    for spec in networks() {
        with_server(&spec, async |pool| {
            let headers = "request headers".into();
            let options = CallOptions { headers, ..CallOptions::default() };
            let mut requests = pool.streaming_request(peer(), options, "route".into());
            for index in 0..COUNT {
                requests.send(message(index)).await.unwrap();
            }
            let total: usize = (0..COUNT).map(|index| message(index).len()).sum();
            assert_eq!(requests.response().await.unwrap().body, total.to_string());
        });
    }
}

#[test]
fn many_of_each_at_once() {
    for spec in networks() {
        with_server(&spec, async |pool| {
            let options = CallOptions::default();
            let (mut sender, mut receiver) = pool.bidirectional(peer(), options, "route".into());
            let sending = async move {
                for index in 0..COUNT {
                    sender.send(message(index)).await.unwrap();
                }
                sender.finish(Status::OK).await.unwrap();
            }
            .spawn();
            for index in 0..COUNT {
                let response = receiver.next().await.unwrap().unwrap();
                assert_eq!(response.body.unwrap(), message(index));
            }
            assert!(receiver.next().await.is_none());
            sending.await.unwrap();
        });
    }
}

/// [STRM-4]
#[test]
fn a_reader_that_stops_stops_the_writer_and_nobody_else() {
    between(
        &NetworkSpec::default(),
        async |pool| {
            let options = CallOptions::default();
            let mut idle = pool.streaming_response(peer(), options, "route".into(), Bytes::new());
            assert_eq!(idle.next().await.unwrap().unwrap().body.unwrap().len(), 10_000);
            for _ in 0..200 {
                pool.unary(peer(), "other".into(), vec![0; 100_000].into()).await.unwrap();
            }
            // one window of the stream, a datagram's worth of it beyond, and what is ahead of it
            let sent = pool.unary(peer(), "sent".into(), Bytes::new()).await.unwrap().body;
            let sent: u64 = core::str::from_utf8(&sent).unwrap().parse().unwrap();
            drop(idle);
            pause(1).await;
            assert!((10..150).contains(&sent), "{sent} messages of 10 kB were taken");
        },
        async |pool| {
            let sent = Rc::new(core::cell::Cell::new(0_u64));
            while let Some(mut incoming) = pool.accept().await {
                let sent = Rc::clone(&sent);
                async move {
                    match &incoming.metadata()[..] {
                        b"route" => {
                            let mut responses = incoming.responses();
                            while responses.send(vec![1; 10_000].into()).await.is_ok() {
                                sent.set(sent.get() + 1);
                            }
                        }
                        b"sent" => {
                            let count = Bytes::from(sent.get().to_string());
                            incoming.respond(Status::OK, Bytes::new(), count).await.unwrap();
                        }
                        _ => {
                            let body = incoming.receive().await.unwrap();
                            drop(incoming.respond(Status::OK, Bytes::new(), body));
                        }
                    }
                }
                .spawn();
            }
        },
    );
}

#[test]
fn dropping_a_handle_is_seen_by_the_peer() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let told = Rc::clone(&seen);
    between(
        &NetworkSpec::default(),
        async |pool| {
            let (mut sender, receiver) =
                pool.bidirectional(peer(), CallOptions::default(), "route".into());
            sender.send("one".into()).await.unwrap();
            pause(1).await;
            drop(receiver);
            assert_eq!(sender.send("two".into()).await, Ok(()), "it is not known here yet");
            pause(1).await;
            let error = sender.send("three".into()).await.unwrap_err();
            assert_eq!(error.cause, CallCause::Cancelled);
        },
        async move |pool| {
            let mut incoming = pool.accept().await.unwrap();
            let mut requests = incoming.requests();
            while let Some(request) = requests.next().await {
                told.borrow_mut().push(request.map(|message| message.body));
            }
        },
    );
    let seen = seen.take();
    assert_eq!(seen[0].as_ref().unwrap().as_ref().unwrap(), "one");
    let last = seen.last().unwrap().as_ref().unwrap_err();
    assert_eq!(last.cause, CallCause::ClosedByPeer(Status::CANCELLED));
}

/// [STRM-6]
#[test]
fn a_deadline_ends_the_call_on_both_sides() {
    let ended = Rc::new(RefCell::new(None));
    let told = Rc::clone(&ended);
    between(
        &NetworkSpec::default(),
        async |pool| {
            let deadline = Some(Duration::from_millis(2));
            let options = CallOptions { deadline, ..CallOptions::default() };
            let mut requests = pool.streaming_request(peer(), options, "route".into());
            requests.send("one".into()).await.unwrap();
            let error = requests.response().await.unwrap_err();
            assert_eq!(error.cause, CallCause::Deadline);
            pause(10).await;
        },
        async move |pool| {
            let mut incoming = pool.accept().await.unwrap();
            assert!(incoming.expires().is_some());
            let mut requests = incoming.requests();
            while requests.next().await.is_some_and(|request| request.is_ok()) {}
            pause(5).await;
            let answered = incoming.respond(Status::OK, Bytes::new(), Bytes::new()).await;
            *told.borrow_mut() = Some(answered.unwrap_err().cause);
        },
    );
    let cause = ended.take().unwrap();
    let expected = [CallCause::Deadline, CallCause::ClosedByPeer(Status::DEADLINE)];
    assert!(expected.contains(&cause), "{cause}");
}

#[test]
fn an_answer_before_the_last_request_ends_the_requests() {
    between(
        &NetworkSpec::default(),
        async |pool| {
            let options = CallOptions::default();
            let mut requests = pool.streaming_request(peer(), options, "route".into());
            let mut sent = 0;
            while requests.send(vec![0; 50_000].into()).await.is_ok() {
                sent += 1;
                assert!(sent < 10_000);
            }
            assert_eq!(requests.response().await.unwrap().status, Status::FORBIDDEN);
        },
        async |pool| {
            let mut incoming = pool.accept().await.unwrap();
            let first: Message = incoming.requests().next().await.unwrap().unwrap();
            assert_eq!(first.body.unwrap().len(), 50_000);
            incoming.respond(Status::FORBIDDEN, Bytes::new(), Bytes::new()).await.unwrap();
        },
    );
}

#[test]
fn calls_beyond_the_streams_of_a_peer_wait_for_their_turn() {
    for limit in [1, 4] {
        let config = Config { max_streams: limit, max_waiting_calls: 60, ..Config::datacenter() };
        between_with(
            &config,
            &NetworkSpec::default(),
            async move |pool| {
                let deadline = Some(Duration::from_micros(25));
                let priority = Priority::LOWEST;
                let short = CallOptions { deadline, priority, ..CallOptions::default() };
                let calls: Vec<_> = (0..60)
                    .map(|_| pool.unary(peer(), "other".into(), "x".into()).spawn())
                    .collect();
                let late = pool.call(peer(), short, "other".into(), "x".into()).spawn();
                // all of these find as many waiting as may
                let refused: Vec<_> = (0..limit + 10)
                    .map(|_| pool.unary(peer(), "other".into(), "x".into()).spawn())
                    .collect();
                for call in calls {
                    assert_eq!(call.await.unwrap().unwrap().status, Status::OK);
                }
                // its level has a turn among the first, or it waits too long
                if let Err(error) = late.await.unwrap() {
                    assert_eq!(error.cause, CallCause::Deadline);
                }
                let mut errors = 0;
                for call in refused {
                    if let Err(error) = call.await.unwrap() {
                        let full = StartError::TooManyStreams { limit };
                        assert_eq!(error.cause, CallCause::Start(full));
                        errors += 1;
                    }
                }
                assert!(errors >= 1);
                pause(2).await;
            },
            async |pool| {
                while let Some(mut incoming) = pool.accept().await {
                    let body = incoming.receive().await.unwrap();
                    drop(incoming.respond(Status::OK, Bytes::new(), body));
                }
            },
        );
    }
}

/// What is left of the requests is given up with the answer: that is no failure of the call, in
/// whatever order the answerer learns of it.
#[test]
fn whoever_answers_early_learns_that_the_caller_has_the_answer() {
    const CALLS: usize = 100;
    for spec in networks() {
        let answered = Rc::new(RefCell::new(Vec::new()));
        let told = Rc::clone(&answered);
        between(
            &spec,
            async |pool| {
                let calls: Vec<_> = (0..CALLS)
                    .map(|_| {
                        let options = CallOptions::default();
                        let mut requests = pool.streaming_request(peer(), options, "route".into());
                        async move {
                            while requests.send(vec![0; 20_000].into()).await.is_ok() {}
                            assert_eq!(requests.response().await.unwrap().status, Status(99));
                        }
                        .spawn()
                    })
                    .collect();
                for call in calls {
                    call.await.unwrap();
                }
                pause(100).await;
            },
            async move |pool| {
                while let Some(mut incoming) = pool.accept().await {
                    let told = Rc::clone(&told);
                    async move {
                        drop(incoming.requests().next().await);
                        let answer = incoming.respond(Status(99), Bytes::new(), Bytes::new());
                        let answer = answer.await;
                        told.borrow_mut().push(answer);
                    }
                    .spawn();
                }
            },
        );
        assert_eq!(answered.take(), [Ok(()); CALLS]);
    }
}

#[test]
fn a_sender_that_was_never_used_ends_its_call() {
    with_server(&NetworkSpec::default(), async |pool| {
        let (sender, mut receiver) =
            pool.bidirectional(peer(), CallOptions::default(), "route".into());
        drop(sender);
        let error = receiver.next().await.unwrap().unwrap_err();
        assert_eq!(error.cause, CallCause::Cancelled);
    });
}

/// The message that opens the stream takes all of the credit of a hello [STRM-5].
#[test]
fn a_stream_goes_on_after_the_hello_with_a_window_of_one_message() {
    let config = Config { stream_messages: 1, ..Config::datacenter() };
    between_with(
        &config,
        &NetworkSpec::default(),
        async |pool| {
            let options = CallOptions::default();
            let mut requests = pool.streaming_request(peer(), options, "route".into());
            for index in 0..3 {
                requests.send(message(index)).await.unwrap();
            }
            assert_eq!(requests.response().await.unwrap().body, "3");
        },
        async |pool| {
            let mut incoming = pool.accept().await.unwrap();
            let mut requests = incoming.requests();
            let mut count = 0;
            while let Some(request) = requests.next().await {
                count += u64::from(request.unwrap().body.unwrap() == message(count));
            }
            let count = Bytes::from(count.to_string());
            incoming.respond(Status::OK, Bytes::new(), count).await.unwrap();
        },
    );
}

#[test]
fn a_sender_that_finds_the_call_over_takes_nothing_from_the_reader() {
    between(
        &NetworkSpec::default(),
        async |pool| {
            let options = CallOptions::default();
            let (mut sender, mut receiver) = pool.bidirectional(peer(), options, "route".into());
            sender.send("one".into()).await.unwrap();
            pause(1).await;
            let error = sender.send("two".into()).await.unwrap_err();
            assert_eq!(error.cause, CallCause::Answered);
            drop(sender);
            assert_eq!(receiver.next().await.unwrap().unwrap().body.unwrap(), "response");
            assert!(receiver.next().await.is_none());
            assert_eq!(receiver.status(), Some(Status(99)));
        },
        async |pool| {
            let incoming = pool.accept().await.unwrap();
            let mut responses = incoming.responses();
            responses.send("response".into()).await.unwrap();
            responses.finish(Status(99)).await.unwrap();
        },
    );
}

/// The credit of notifies that are lost and then given up is not lost with them [XFER-2].
#[test]
fn calls_that_are_given_up_give_their_credit_back() {
    let config = Config { notify_credit: 1, ..Config::datacenter() };
    let random = RandomFaults { loss: 0.3, ..RandomFaults::default() };
    between_with(
        &config,
        &NetworkSpec { random, ..NetworkSpec::default() },
        async |pool| {
            pool.connect(peer()).await.unwrap();
            for _ in 0..60 {
                let mut call = pool.unary(peer(), "other".into(), "x".into());
                let begun = core::future::poll_fn(|cx| {
                    core::task::Poll::Ready(core::pin::Pin::new(&mut call).poll(cx))
                });
                assert!(begun.await.is_pending());
                // a microsecond: what it sent is on its way
                bach::time::sleep(Duration::from_micros(1_000)).await;
                drop(call);
            }
            let response = pool.unary(peer(), "other".into(), "last".into()).await.unwrap();
            assert_eq!(response.body, "last");
            pause(1_000).await;
        },
        async |pool| {
            while let Some(mut incoming) = pool.accept().await {
                async move {
                    if let Ok(body) = incoming.receive().await {
                        drop(incoming.respond(Status::OK, Bytes::new(), body));
                    }
                }
                .spawn();
            }
        },
    );
}
