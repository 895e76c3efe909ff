//! The pool over real sockets on the loopback interface.

#![allow(clippy::unwrap_used, reason = "a test or example fails by panicking")]

use std::{future::Future, net::SocketAddr, time::Duration};

use bytes::Bytes;
use dcquic_mio::{PollMode, Runtime, RuntimeConfig};
use dcquic_proto::{
    config::Config,
    crypto::Psk,
    endpoint::PeerFailure,
    id::Status,
    pool::{CallCause, Pool},
};
use futures_util::{StreamExt, stream::FuturesUnordered};

fn psk(byte: u8) -> Psk {
    Psk::from_bytes([byte; 32])
}

fn runtime(listen: &str, poll: PollMode, key: u8) -> Runtime {
    let config = Config { hello_timeout: Duration::from_millis(300), ..Config::loopback() };
    let listen = listen.parse().unwrap();
    let config = RuntimeConfig { poll, ..RuntimeConfig::new(listen, config, psk(key)) };
    Runtime::start(config).unwrap()
}

/// Echoes, sums, streams and rejects until its worker ends.
async fn serve(pool: Pool) {
    let mut kept = Vec::new();
    while let Some(mut incoming) = pool.accept().await {
        let metadata = incoming.metadata().clone();
        match &metadata[..] {
            b"echo" => {
                let body = incoming.receive().await.unwrap();
                drop(incoming.respond(Status::OK, Bytes::new(), body));
            }
            b"sum" => {
                let mut records = incoming.records();
                let (mut sum, mut len) = (0_u64, 0);
                while let Some(record) = records.next().await {
                    let record = record.unwrap();
                    len += record.data.len() as u64;
                    sum += record.data.iter().map(|b| u64::from(*b)).sum::<u64>();
                }
                assert_eq!(len, incoming.size());
                let sum = Bytes::copy_from_slice(&sum.to_be_bytes());
                drop(incoming.respond(Status::OK, Bytes::new(), sum));
            }
            b"stream" => {
                let mut writer = incoming.respond_stream(Status::OK, "head".into(), 10 << 20);
                for part in 0..10_u8 {
                    writer.write(vec![part; 1 << 20].into()).await.unwrap();
                }
                writer.finish().await.unwrap();
            }
            b"reject" => incoming.reject(Status::FORBIDDEN),
            b"drop" => drop(incoming),
            b"never" => kept.push(incoming),
            other => panic!("unexpected {other:?}"),
        }
    }
}

fn with_server(listen: &str, poll: PollMode, test: impl AsyncFn(Pool, SocketAddr)) {
    let server = runtime(listen, poll, 1);
    let client = runtime(listen, poll, 1);
    let pool = server.pool();
    let serving = std::thread::spawn(move || pollster::block_on(serve(pool)));
    pollster::block_on(test(client.pool(), server.local_addr()));
    client.stop().unwrap();
    server.stop().unwrap();
    serving.join().unwrap();
}

#[test]
fn bodies_of_every_size_come_back() {
    for (listen, poll) in [
        ("127.0.0.1:0", PollMode::default()),
        ("127.0.0.1:0", PollMode::Park),
        ("[::1]:0", PollMode::default()),
    ] {
        with_server(listen, poll, async |pool, server| {
            for size in [0, 1, 100, 1_024, 1_025, 65_536, 1 << 20, 10 << 20] {
                let body: Bytes = (0..size).map(|at: u32| (at >> 3) as u8).collect();
                let response = pool.unary(server, "echo".into(), body.clone()).await.unwrap();
                assert_eq!(response.status, Status::OK);
                assert!(response.body == body, "{size} bytes over {listen} came back altered");
            }
        });
    }
}

#[test]
fn ten_thousand_calls_at_once() {
    with_server("127.0.0.1:0", PollMode::default(), async |pool, server| {
        let mut calls = FuturesUnordered::new();
        for number in 0..10_000_u32 {
            let body = Bytes::copy_from_slice(&number.to_be_bytes());
            let call = pool.unary(server, "echo".into(), body.clone());
            calls.push(async move { (call.await, body) });
        }
        while let Some((response, body)) = calls.next().await {
            assert_eq!(response.unwrap().body, body);
        }
    });
}

#[test]
fn a_message_is_written_and_read_piece_by_piece() {
    with_server("127.0.0.1:0", PollMode::default(), async |pool, server| {
        let mut upload = pool.bulk(server, "sum".into(), 20 << 20);
        for _ in 0..20 {
            upload.write(vec![1; 1 << 20].into()).await.unwrap();
        }
        let response = upload.response().await.unwrap();
        assert_eq!(&response.body[..], (20_u64 << 20).to_be_bytes());

        let mut download = pool.download(server, "stream".into(), Bytes::new());
        let head = download.head().await.unwrap();
        assert_eq!((head.size, &head.metadata[..]), (10 << 20, &b"head"[..]));
        let mut message = vec![255; 10 << 20];
        while let Some(record) = download.next().await {
            let record = record.unwrap();
            let at = record.offset as usize;
            message[at..at + record.data.len()].copy_from_slice(&record.data);
        }
        assert!(message.chunks(1 << 20).zip(0..).all(|(part, n)| part.iter().all(|b| *b == n)));
    });
}

#[test]
fn refusals_name_their_status() {
    with_server("127.0.0.1:0", PollMode::default(), async |pool, server| {
        for (method, status) in [("reject", Status::FORBIDDEN), ("drop", Status::INTERNAL)] {
            let error = pool.unary(server, method.into(), Bytes::new()).await.unwrap_err();
            assert_eq!(error.cause, CallCause::ClosedByPeer(status));
            assert_eq!(error.remote, server);
        }
        let metadata = Bytes::from(vec![0; 2_000]);
        let error = pool.unary(server, metadata, Bytes::new()).await.unwrap_err();
        assert!(error.to_string().contains("metadata of 2000 bytes"), "{error}");
    });
}

#[test]
fn a_dropped_call_is_given_up_and_others_go_on() {
    with_server("127.0.0.1:0", PollMode::default(), async |pool, server| {
        for _ in 0..100 {
            let mut call = Box::pin(pool.unary(server, "never".into(), "x".into()));
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(call.as_mut().poll(&mut cx).is_pending());
            drop(call);
        }
        let response = pool.unary(server, "echo".into(), "still here".into()).await.unwrap();
        assert_eq!(response.body, "still here");
    });
}

#[test]
fn nobody_there_or_another_key_is_an_error_in_time() {
    let server = runtime("127.0.0.1:0", PollMode::default(), 1);
    let stranger = runtime("127.0.0.1:0", PollMode::default(), 2);
    let call = stranger.pool().unary(server.local_addr(), "echo".into(), Bytes::new());
    let error = pollster::block_on(call).unwrap_err();
    assert_eq!(error.cause, CallCause::PeerFailed(PeerFailure::NoAnswer));
    let closed = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let call = stranger.pool().unary(closed, "echo".into(), Bytes::new());
    let error = pollster::block_on(call).unwrap_err();
    let expected = [PeerFailure::Unreachable, PeerFailure::NoAnswer].map(CallCause::PeerFailed);
    assert!(expected.contains(&error.cause), "{error}");
}

#[test]
fn a_stopped_worker_ends_its_calls() {
    let server = runtime("127.0.0.1:0", PollMode::default(), 1);
    let client = runtime("127.0.0.1:0", PollMode::default(), 1);
    let (pool, remote) = (client.pool(), server.local_addr());
    let other = pool.clone();
    let waiting = std::thread::spawn(move || {
        pollster::block_on(other.unary(remote, "never".into(), Bytes::new()))
    });
    let accepted = pollster::block_on(server.pool().accept());
    assert!(accepted.is_some());
    client.stop().unwrap();
    let error = waiting.join().unwrap().unwrap_err();
    assert_eq!(error.cause, CallCause::WorkerGone);
    let error = pollster::block_on(pool.unary(remote, "late".into(), Bytes::new())).unwrap_err();
    assert_eq!(error.cause, CallCause::WorkerGone);
    assert!(pollster::block_on(pool.accept()).is_none());
}

/// A server that goes away without a word fails at the first report of its closed port; calls then
/// end at once, and pass again once there is a server at its address.
#[cfg(all(target_os = "linux", not(dcquic_portable)))]
#[test]
fn a_server_that_vanishes_fails_at_once_and_its_successor_is_found() {
    use std::time::Instant;

    use dcquic_proto::{endpoint::StartError, health::HealthState};

    let server = runtime("127.0.0.1:0", PollMode::default(), 1);
    let client = runtime("127.0.0.1:0", PollMode::default(), 1);
    let (pool, remote) = (client.pool(), server.local_addr());
    pollster::block_on(pool.connect(remote)).unwrap();
    let health = pollster::block_on(pool.health(remote)).unwrap().unwrap();
    assert_eq!(health.state, HealthState::Healthy);
    // nothing is open, so that the server has nothing to say at its end
    server.stop().unwrap();
    let started = Instant::now();
    let error = pollster::block_on(pool.unary(remote, "echo".into(), Bytes::new())).unwrap_err();
    assert_eq!(error.cause, CallCause::PeerFailed(PeerFailure::Unreachable));
    let idle = Config::loopback().idle_timeout;
    assert!(started.elapsed() < idle, "the report did not end the call, the silence did");
    let error = pollster::block_on(pool.unary(remote, "echo".into(), Bytes::new())).unwrap_err();
    assert_eq!(error.cause, CallCause::Start(StartError::PeerFailed));
    let error = pollster::block_on(pool.connect(remote)).unwrap_err();
    assert_eq!(error.cause, CallCause::Start(StartError::PeerFailed));
    let health = pollster::block_on(pool.health(remote)).unwrap().unwrap();
    assert_eq!(health.state, HealthState::Failed);
    assert_eq!(pool.stats().became_failed, 1);

    let server = runtime(&remote.to_string(), PollMode::default(), 1);
    let serving = {
        let pool = server.pool();
        std::thread::spawn(move || pollster::block_on(serve(pool)))
    };
    let response = loop {
        match pollster::block_on(pool.unary(remote, "echo".into(), "again".into())) {
            Ok(response) => break response,
            Err(error) => {
                let refused = CallCause::Start(StartError::PeerFailed);
                assert_eq!(error.cause, refused);
                assert!(started.elapsed() < Duration::from_secs(60), "no successor is found");
                std::thread::yield_now();
            }
        }
    };
    assert_eq!(response.body, "again");
    client.stop().unwrap();
    server.stop().unwrap();
    serving.join().unwrap();
}

/// Nobody is greeted for a question.
#[test]
fn the_health_of_a_stranger_is_not_known() {
    let client = runtime("127.0.0.1:0", PollMode::default(), 1);
    let pool = client.pool();
    let stranger = "127.0.0.1:9".parse().unwrap();
    assert_eq!(pollster::block_on(pool.health(stranger)), Ok(None));
    assert_eq!(pool.stats().hellos_sent, 0);
    client.stop().unwrap();
    let error = pollster::block_on(pool.health(stranger)).unwrap_err();
    assert_eq!(error.cause, CallCause::WorkerGone);
}

/// The one who waits for an answer learns at once that none will come.
#[test]
fn a_server_that_shuts_down_says_so() {
    let server = runtime("127.0.0.1:0", PollMode::default(), 1);
    let client = runtime("127.0.0.1:0", PollMode::default(), 1);
    let (pool, remote) = (client.pool(), server.local_addr());
    let waiting = std::thread::spawn(move || {
        pollster::block_on(pool.unary(remote, "never".into(), Bytes::new()))
    });
    let accepted = pollster::block_on(server.pool().accept());
    assert!(accepted.is_some());
    server.stop().unwrap();
    let error = waiting.join().unwrap().unwrap_err();
    assert_eq!(error.cause, CallCause::ClosedByPeer(Status::SHUTDOWN));
}

#[test]
fn a_port_in_use_is_named() {
    let first = runtime("127.0.0.1:0", PollMode::Park, 1);
    let config = RuntimeConfig::new(first.local_addr(), Config::loopback(), psk(1));
    let error = Runtime::start(config).unwrap_err().to_string();
    assert!(error.contains(&first.local_addr().to_string()) && error.contains("in use"), "{error}");
}
