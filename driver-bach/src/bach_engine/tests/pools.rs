//! Sessions that are begun ahead, over the network model.

use dcquic_proto::{endpoint::PeerFailure, id::Status, pool::CallCause, wire::packet::PacketKind};

use crate::{bach_engine::*, net::NetworkSpec};

/// Runs `client` with a pool on NIC 0 and `server` with one on NIC 1, until the client is done.
/// Returns the number of hellos on the client's NIC.
pub(super) fn between<C, S>(
    spec: &NetworkSpec,
    client: impl FnOnce(Pool) -> C + 'static,
    server: impl FnOnce(Pool) -> S + 'static,
) -> u64
where
    C: Future<Output = ()> + 'static,
    S: Future<Output = ()> + 'static,
{
    between_with(Config::datacenter(), spec, client, server)
}

/// As [`between`], with another configuration.
pub(super) fn between_with<C, S>(
    config: Config,
    spec: &NetworkSpec,
    client: impl FnOnce(Pool) -> C + 'static,
    server: impl FnOnce(Pool) -> S + 'static,
) -> u64
where
    C: Future<Output = ()> + 'static,
    S: Future<Output = ()> + 'static,
{
    let allocator = NetworkAllocator::new(Network::new(spec, 1).unwrap(), Clock::Picoseconds);
    let hellos = Rc::new(RefCell::new(0));
    let counted = Rc::clone(&hellos);
    allocator.wire.observe(Box::new(move |_, frame| {
        let kind = PacketKind::peek(&frame.payload);
        *counted.borrow_mut() += u64::from(kind == Some(PacketKind::HelloInit));
    }));
    let nics = allocator.clone();
    let open = move |nic: NicId| {
        let config = config.clone();
        let settings = Settings {
            max_datagram: config.max_datagram.into(),
            clock: Clock::Picoseconds,
            ..Settings::default()
        };
        let seed = Seed::from_bytes([nic.0 as u8; 32]);
        let endpoint = Endpoint::new(config, psk(), seed, Timestamp::ZERO).unwrap();
        Driver::open(nic.address(), endpoint, nics.nic(nic), settings, (Vec::new(), None))
    };
    let mut runtime = Runtime::new().with_seed(1).with_net_queues(Some(Box::new(allocator)));
    let opened = open.clone();
    runtime.run(|| {
        async move {
            let (driver, pool) = opened(NicId(0)).await.unwrap();
            let driver = driver.run().spawn();
            client(pool.clone()).await;
            pool.shutdown();
            assert_eq!(driver.await.unwrap().unwrap(), [""; 0]);
        }
        .group("client")
        .primary()
        .spawn();
        async move {
            let (driver, pool) = open(NicId(1)).await.unwrap();
            driver.run().spawn();
            server(pool).await;
        }
        .group("server")
        .spawn();
    });
    drop(runtime);
    hellos.take()
}

/// Runs `client` against a server that echoes and, when told `back`, calls back.
fn simulate<C: Future<Output = ()> + 'static>(client: impl FnOnce(Pool) -> C + 'static) -> u64 {
    between(&NetworkSpec::default(), client, async |pool| {
        while let Some(mut incoming) = pool.accept().await {
            let body = incoming.receive().await.unwrap();
            if &body[..] == b"back" {
                let call = pool.unary(incoming.remote(), Bytes::new(), "hello".into());
                async move { drop(call.await) }.spawn();
            }
            drop(incoming.respond(Status::OK, Bytes::new(), body));
        }
    })
}

#[test]
fn a_connected_peer_is_not_greeted_again() {
    let hellos = simulate(async |pool| {
        let peer = NicId(1).address();
        pool.connect(peer).await.unwrap();
        let connected = Clock::Picoseconds.now();
        assert!(connected > Picos::ZERO);
        pool.connect(peer).await.unwrap();
        assert_eq!(Clock::Picoseconds.now(), connected);
        assert_eq!(pool.unary(peer, Bytes::new(), "hi".into()).await.unwrap().body, "hi");
    });
    assert_eq!(hellos, 1);
}

#[test]
fn all_who_wait_for_one_hello_learn_of_its_end() {
    let hellos = simulate(async |pool| {
        let peer = NicId(1).address();
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let pool = pool.clone();
                async move { pool.connect(peer).await }.spawn()
            })
            .collect();
        for one in waiting {
            one.await.unwrap().unwrap();
        }
    });
    assert_eq!(hellos, 1);
}

#[test]
fn nobody_there_is_an_error_of_connecting() {
    simulate(async |pool| {
        let error = pool.connect(NicId(9).address()).await.unwrap_err();
        assert_eq!(error.cause, CallCause::PeerFailed(PeerFailure::NoAnswer));
        assert_eq!(error.remote, NicId(9).address());
    });
}

#[test]
fn a_peer_that_greeted_us_is_called_over_its_session() {
    let hellos = simulate(async |pool| {
        let peer = NicId(1).address();
        pool.unary(peer, Bytes::new(), "back".into()).await.unwrap();
        let mut called = pool.accept().await.unwrap();
        assert_eq!(called.remote(), peer);
        assert_eq!(called.receive().await.unwrap(), "hello");
        called.respond(Status::OK, Bytes::new(), Bytes::new()).await.unwrap();
    });
    assert_eq!(hellos, 1);
}

#[test]
fn a_pool_that_has_ended_connects_to_nobody() {
    simulate(async |pool| {
        pool.shutdown();
        while pool.accept().await.is_some() {}
        let error = pool.connect(NicId(1).address()).await.unwrap_err();
        assert_eq!(error.cause, CallCause::WorkerGone);
    });
}
