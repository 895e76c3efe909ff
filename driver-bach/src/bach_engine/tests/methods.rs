//! Methods by name, over the network model.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use dcquic_proto::{
    id::{Pattern, Priority, Status},
    pool::{CallCause, CallError, CallOptions, Download, Methods, Receiver, Request, Sender},
};

use super::{patterns::peer, pools::between};
use crate::{bach_engine::*, net::NetworkSpec};

/// One method of every pattern, and some that fail.
fn methods() -> Methods {
    Methods::new()
        .unary("echo", async |request: Request| Ok(request.body))
        .unary("describe", async |request: Request| {
            assert_eq!(request.remote, NicId(0).address());
            assert_eq!(request.pattern, Pattern::Unary);
            let level = request.priority.level();
            let Request { arguments, headers, size, expires, .. } = request;
            let text = format!("{arguments:?} {headers:?} {size} {level} {}", expires.is_some());
            Ok(Bytes::from(text))
        })
        .unary("fail", async |_request: Request| Err::<Bytes, _>(Status(80)))
        .streaming_response("count", count)
        .streaming_response("stop", async |_request: Request, mut responses: Sender| {
            responses.send("one".into()).await?;
            Err(Status(81))
        })
        .streaming_response("own end", async |_request: Request, mut responses: Sender| {
            responses.send("one".into()).await?;
            responses.finish(Status(82)).await?;
            Err(Status::INTERNAL)
        })
        .streaming_request("sum", async |_request: Request, mut requests: Receiver| {
            let mut sum = 0;
            while let Some(message) = requests.next().await {
                sum += message?.body.map_or(0, |body| body.len());
            }
            Ok(Bytes::from(sum.to_string()))
        })
        .streaming_request("refuse", async |_request: Request, _requests: Receiver| {
            Err::<Bytes, _>(Status(83))
        })
        .bidirectional(
            "mirror",
            async |_request: Request, mut requests: Receiver, mut responses: Sender| {
                while let Some(message) = requests.next().await {
                    responses.send_message(message?).await?;
                }
                Ok(())
            },
        )
        .bulk("store", async |request: Request, mut records: Download| {
            let mut stored = 0;
            while let Some(record) = records.next().await {
                stored += record?.data.len() as u64;
            }
            assert_eq!(stored, request.size);
            Ok(Bytes::from(stored.to_string()))
        })
        .any("any", async |incoming| incoming.reject(Status(84)))
}

async fn count(request: Request, mut responses: Sender) -> Result<(), Status> {
    for number in 0..request.body.len() {
        responses.send(number.to_string().into()).await?;
    }
    Ok(())
}

/// Runs `client` against [`methods`].
fn simulate<F: Future<Output = ()> + 'static>(client: impl FnOnce(Pool) -> F + 'static) {
    between(&NetworkSpec::default(), client, async |pool: Pool| methods().serve(&pool).await);
}

fn status(error: CallError) -> Status {
    match error.cause {
        CallCause::ClosedByPeer(status) => status,
        other => panic!("{other}"),
    }
}

async fn all(mut responses: Receiver) -> (Vec<Bytes>, Result<Option<Status>, Status>) {
    let mut bodies = Vec::new();
    while let Some(response) = responses.next().await {
        match response {
            Ok(response) => bodies.extend(response.body),
            Err(error) => return (bodies, Err(status(error))),
        }
    }
    (bodies, Ok(responses.status()))
}

#[test]
fn each_pattern_has_its_handler() {
    simulate(async |pool| {
        let options = CallOptions::default();
        for len in [0, 10, 70_000, 2 << 20] {
            let body: Bytes = vec![1; len].into();
            let response = pool.unary(peer(), "echo".into(), body.clone()).await.unwrap();
            assert_eq!((response.status, response.body), (Status::OK, body.clone()));
            let response = pool.bulk_bytes(peer(), "store".into(), body).await.unwrap();
            assert_eq!(response.body, len.to_string());
        }

        let responses =
            pool.streaming_response(peer(), options.clone(), "count".into(), "abc".into());
        let counted = ["0", "1", "2"].map(Bytes::from).to_vec();
        assert_eq!(all(responses).await, (counted, Ok(Some(Status::OK))));

        let mut requests = pool.streaming_request(peer(), options.clone(), "sum".into());
        for len in [1, 2_000, 300_000] {
            requests.send(vec![0; len].into()).await.unwrap();
        }
        assert_eq!(requests.response().await.unwrap().body, "302001");

        let (mut sender, receiver) = pool.bidirectional(peer(), options, "mirror".into());
        sender.send("a".into()).await.unwrap();
        sender.send("b".into()).await.unwrap();
        sender.finish(Status::OK).await.unwrap();
        assert_eq!(all(receiver).await.0, ["a", "b"]);
    });
}

#[test]
fn a_handler_is_told_of_its_call() {
    simulate(async |pool| {
        let (priority, headers) = (Priority::new(5).unwrap(), Bytes::from("head"));
        let options = CallOptions { priority, headers, ..CallOptions::default() };
        let metadata = "describe\0a\0b".into();
        let response = pool.call(peer(), options, metadata, "xyz".into()).await.unwrap();
        assert_eq!(response.body, r#"b"a\0b" b"head" 3 5 false"#);
        let response = pool.unary(peer(), "describe".into(), Bytes::new()).await.unwrap();
        assert_eq!(response.body, r#"b"" b"" 0 3 false"#);
    });
}

#[test]
fn what_cannot_be_handled_has_a_status() {
    simulate(async |pool| {
        let options = CallOptions::default();
        for (metadata, expected) in [
            ("unknown", Status::NOT_FOUND),
            ("ech", Status::NOT_FOUND),
            ("", Status::NOT_FOUND),
            ("count", Status::INVALID),
            ("store", Status::INVALID),
            ("fail", Status(80)),
            ("any", Status(84)),
        ] {
            let error = pool.unary(peer(), metadata.into(), Bytes::new()).await.unwrap_err();
            assert_eq!(status(error), expected, "{metadata}");
        }
        let responses = |name: &'static str| {
            pool.streaming_response(peer(), options.clone(), name.into(), Bytes::new())
        };
        let one = vec![Bytes::from("one")];
        assert_eq!(all(responses("stop")).await.1, Err(Status(81)));
        assert_eq!(all(responses("own end")).await, (one, Ok(Some(Status(82)))));
        assert_eq!(all(responses("echo")).await, (Vec::new(), Err(Status::INVALID)));
        let requests = pool.streaming_request(peer(), options.clone(), "refuse".into());
        assert_eq!(status(requests.response().await.unwrap_err()), Status(83));
    });
}

#[test]
fn other_names_go_to_the_one_who_takes_them() {
    between(
        &NetworkSpec::default(),
        async |pool| {
            let error = pool.unary(peer(), "other".into(), Bytes::new()).await.unwrap_err();
            assert_eq!(status(error), Status(85));
            let response = pool.unary(peer(), "echo".into(), "x".into()).await.unwrap();
            assert_eq!(response.body, "x");
        },
        async |pool: Pool| {
            let methods = methods().otherwise(async |incoming| incoming.reject(Status(85)));
            methods.serve(&pool).await;
        },
    );
}

/// Each of three calls waits until all of them are at work; one more has to wait for room.
#[test]
fn handlers_run_at_the_same_time_up_to_the_bound() {
    for spawned in [false, true] {
        let met = Arc::new(AtomicU64::new(0));
        between(
            &NetworkSpec::default(),
            async |pool| {
                let calls: Vec<_> = (0..3)
                    .map(|_| {
                        let pool = pool.clone();
                        async move { pool.unary(peer(), "meet".into(), Bytes::new()).await }.spawn()
                    })
                    .collect();
                for call in calls {
                    assert_eq!(call.await.unwrap().unwrap().body, "3");
                }
            },
            async move |pool: Pool| {
                let methods = Methods::new().max_running(3).unary("meet", move |_: Request| {
                    let met = Arc::clone(&met);
                    async move {
                        met.fetch_add(1, Ordering::Relaxed);
                        core::future::poll_fn(|cx| match met.load(Ordering::Relaxed) {
                            3 => core::task::Poll::Ready(()),
                            _ => {
                                cx.waker().wake_by_ref();
                                core::task::Poll::Pending
                            }
                        })
                        .await;
                        Ok(Bytes::from(met.load(Ordering::Relaxed).to_string()))
                    }
                });
                match spawned {
                    false => methods.serve(&pool).await,
                    true => {
                        methods.serve_with(&pool, |handling| drop(handling.spawn())).await;
                    }
                }
            },
        );
    }
}

#[test]
fn calls_beyond_the_bound_wait_their_turn() {
    let most = Arc::new(AtomicU64::new(0));
    let (running, seen) = (Arc::new(AtomicU64::new(0)), Arc::clone(&most));
    between(
        &NetworkSpec::default(),
        async |pool| {
            let calls: Vec<_> = (0..20)
                .map(|_| {
                    let pool = pool.clone();
                    async move { pool.unary(peer(), "work".into(), Bytes::new()).await }.spawn()
                })
                .collect();
            for call in calls {
                call.await.unwrap().unwrap();
            }
        },
        async move |pool: Pool| {
            let caller = pool.clone();
            let methods = Methods::new().max_running(2).unary("work", move |request: Request| {
                let (caller, running, seen) =
                    (caller.clone(), Arc::clone(&running), Arc::clone(&seen));
                async move {
                    let now = running.fetch_add(1, Ordering::Relaxed) + 1;
                    seen.fetch_max(now, Ordering::Relaxed);
                    // the caller serves nothing: this takes a round trip and the time to refuse
                    caller.connect(request.remote).await?;
                    let mut yielded = 0;
                    core::future::poll_fn(|cx| {
                        yielded += 1;
                        cx.waker().wake_by_ref();
                        if yielded > 3 {
                            core::task::Poll::Ready(())
                        } else {
                            core::task::Poll::Pending
                        }
                    })
                    .await;
                    running.fetch_sub(1, Ordering::Relaxed);
                    Ok(Bytes::new())
                }
            });
            methods.serve(&pool).await;
        },
    );
    assert_eq!(most.load(Ordering::Relaxed), 2);
}
