use core::{cell::RefCell, time::Duration};
use std::rc::Rc;

use bach::{
    environment::{default::Runtime, net::queue::Fixed},
    ext::*,
};

use super::*;
use crate::{clock, sleep_until};

const LATENCY: Duration = Duration::from_micros(25);
const PORT: u16 = 4433;

/// What one side saw: who, when, how marked, and the bytes of every datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Arrival {
    host: &'static str,
    at: Timestamp,
    info: DatagramInfo,
    datagrams: Vec<Vec<u8>>,
}

type Trace = Rc<RefCell<Vec<Arrival>>>;

fn any_port() -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], PORT))
}

fn network() -> Fixed {
    Fixed::default().with_net_latency(LATENCY)
}

/// Runs a simulation and returns what its hosts recorded.
fn simulate(network: Fixed, hosts: impl FnOnce(Trace)) -> Vec<Arrival> {
    let trace = Trace::default();
    let recorded = Rc::clone(&trace);
    let mut runtime = Runtime::new().with_seed(1).with_net_queues(Some(Box::new(network)));
    runtime.run(move || hosts(recorded));
    drop(runtime);
    trace.take()
}

fn push(queue: &mut TransmitQueue, to: SocketAddr, bytes: &[u8], segment: usize, ecn: Ecn) {
    push_at(queue, to, bytes, segment, ecn, Timestamp::ZERO);
}

fn push_at(
    queue: &mut TransmitQueue,
    to: SocketAddr,
    bytes: &[u8],
    segment: usize,
    ecn: Ecn,
    release_at: Timestamp,
) {
    let mut builder = queue.build();
    // Two parts, as a packet has a header and a slice of a record.
    let (head, tail) = bytes.split_at(bytes.len() / 2);
    builder.header(head.len()).copy_from_slice(head);
    builder.header(tail.len()).copy_from_slice(tail);
    builder.finish(to, ecn, several(segment, bytes.len()), release_at);
}

/// Drains the link into the trace; returns the number of datagrams.
fn record(link: &mut BachLink, host: &'static str, trace: &Trace) -> usize {
    let mut count = 0;
    link.receive(&mut |info, data| {
        let segment = info.segment_size.map_or(data.len(), NonZeroUsize::get);
        let datagrams: Vec<_> = data.chunks(segment).map(<[u8]>::to_vec).collect();
        count += datagrams.len();
        trace.borrow_mut().push(Arrival { host, at: clock(), info, datagrams });
    })
    .unwrap();
    count
}

async fn send_all(link: &mut BachLink, queue: &mut TransmitQueue) {
    while !link.transmit(queue).unwrap() {
        link.wait(None).await;
    }
}

/// Sends back whatever comes, with the bits it came with.
async fn echo(trace: Trace) {
    let mut link = BachLink::bind(any_port(), Settings::default()).await.unwrap();
    let mut queue = TransmitQueue::new();
    loop {
        link.wait(None).await;
        link.receive(&mut |info, data| {
            let segment = info.segment_size.map_or(data.len(), NonZeroUsize::get);
            push(&mut queue, info.remote, data, segment, info.ecn);
            let datagrams = data.chunks(segment).map(<[u8]>::to_vec).collect();
            trace.borrow_mut().push(Arrival { host: "server", at: clock(), info, datagrams });
        })
        .unwrap();
        send_all(&mut link, &mut queue).await;
    }
}

/// Sends `DATAGRAMS` in bursts of uneven sizes and waits for every echo.
async fn ask(trace: Trace) {
    let mut link = BachLink::bind(any_port(), Settings::default()).await.unwrap();
    let server = bach::net::try_lookup(("server", PORT)).unwrap();
    let mut queue = TransmitQueue::new();
    let (mut sent, mut echoed) = (0, 0);
    while sent < DATAGRAMS {
        let segments = (1 + sent % 7).min(DATAGRAMS - sent);
        let segment = 100 + 11 * (sent % 90);
        let bytes: Vec<u8> = (0..segments * segment).map(|i| (i + sent) as u8).collect();
        push(&mut queue, server, &bytes, segment, [Ecn::Ect0, Ecn::NotEct][sent % 2]);
        sent += segments;
        send_all(&mut link, &mut queue).await;
        let pause = clock() + Duration::from_micros(sent as u64 % 40);
        link.wait(Some(pause)).await;
        echoed += record(&mut link, "client", &trace);
    }
    while echoed < DATAGRAMS {
        link.wait(None).await;
        echoed += record(&mut link, "client", &trace);
    }
    assert_eq!((echoed, link.losses()), (DATAGRAMS, Losses::default()));
}

const DATAGRAMS: usize = 500;

fn exchange() -> Vec<Arrival> {
    simulate(network(), |trace| {
        echo(Rc::clone(&trace)).group("server").spawn();
        ask(trace).group("client").primary().spawn();
    })
}

#[test]
fn two_hosts_exchange_datagrams_and_every_run_is_the_same() {
    let first = exchange();
    let datagrams = |host| -> Vec<&Vec<u8>> {
        first.iter().filter(|seen| seen.host == host).flat_map(|seen| &seen.datagrams).collect()
    };
    assert_eq!(datagrams("server").len(), DATAGRAMS);
    assert_eq!(datagrams("server"), datagrams("client"));
    assert_eq!(first[0].at, Timestamp::ZERO + LATENCY);
    assert!(first.iter().any(|seen| seen.info.segment_size.is_some()));
    assert!(first.iter().any(|seen| seen.info.ecn == Ecn::Ect0));
    assert_eq!(first, exchange());
}

/// Runs `client` on one host while another records what reaches it until the virtual second ends.
fn one_way<F>(
    network: Fixed,
    client: impl FnOnce(BachLink, SocketAddr) -> F + 'static,
) -> Vec<Arrival>
where
    F: Future<Output = ()> + 'static,
{
    simulate(network, |trace| {
        async move {
            let mut link = BachLink::bind(any_port(), Settings::default()).await.unwrap();
            loop {
                link.wait(None).await;
                record(&mut link, "server", &trace);
            }
        }
        .group("server")
        .spawn();
        async move {
            let link = BachLink::bind(any_port(), Settings::default()).await.unwrap();
            let server = bach::net::try_lookup(("server", PORT)).unwrap();
            client(link, server).await;
            sleep_until(Timestamp::from_micros(1_000_000)).await;
        }
        .group("client")
        .primary()
        .spawn();
    })
}

#[test]
fn what_a_full_socket_refuses_stays_queued_and_wakes() {
    let network = network().with_tx_packet_limit(Some(4));
    let seen = one_way(network, async |mut link, server| {
        let mut queue = TransmitQueue::new();
        for n in 0..10 {
            push(&mut queue, server, &[n; 40], 40, Ecn::Ect0);
        }
        assert!(!link.transmit(&mut queue).unwrap());
        assert_eq!(queue.len(), 6);
        send_all(&mut link, &mut queue).await;
        assert_eq!(clock(), Timestamp::ZERO);
    });
    let values: Vec<u8> = seen.iter().flat_map(|a| &a.datagrams).map(|d| d[0]).collect();
    assert_eq!(values, (0..10).collect::<Vec<_>>());
}

#[test]
fn nothing_leaves_before_its_release_time() {
    let release_at = Timestamp::from_micros(300);
    let seen = one_way(network(), async move |mut link, server| {
        let mut queue = TransmitQueue::new();
        push_at(&mut queue, server, b"later", 5, Ecn::NotEct, release_at);
        assert!(!link.transmit(&mut queue).unwrap());
        send_all(&mut link, &mut queue).await;
        assert_eq!(clock(), release_at);
    });
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].at, release_at + LATENCY);
}

#[test]
fn datagrams_beyond_the_limit_are_lost_and_counted() {
    let seen = one_way(network(), async |mut link, server| {
        let limit = Settings::default().max_datagram;
        let mut queue = TransmitQueue::new();
        push(&mut queue, server, &vec![1; limit], limit, Ecn::NotEct);
        push(&mut queue, server, &vec![2; 2 * (limit + 1) + 1], limit + 1, Ecn::NotEct);
        send_all(&mut link, &mut queue).await;
        assert_eq!(link.losses(), Losses { oversized: 3, ..Losses::default() });
    });
    let sizes: Vec<_> = seen.iter().flat_map(|a| &a.datagrams).map(Vec::len).collect();
    assert_eq!(sizes, [Settings::default().max_datagram]);
}

#[test]
fn a_destination_of_the_other_family_is_lost_not_an_error() {
    one_way(network(), async |mut link, _| {
        let mut queue = TransmitQueue::new();
        push(&mut queue, "[::1]:9".parse().unwrap(), b"?", 1, Ecn::NotEct);
        assert!(link.transmit(&mut queue).unwrap());
        assert_eq!(link.losses(), Losses { unreachable: 1, ..Losses::default() });
    });
}

#[test]
fn an_empty_link_waits_until_its_deadline() {
    one_way(network(), async |mut link, _| {
        let deadline = Timestamp::from_micros(70);
        while clock() < deadline {
            link.wait(Some(deadline)).await;
            assert_eq!(link.receive(&mut |_, _| ()).unwrap(), 0);
        }
        assert_eq!(clock(), deadline);
    });
}
