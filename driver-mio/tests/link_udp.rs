//! Both UDP links over the loopback interface.

#![allow(clippy::unwrap_used, reason = "a test or example fails by panicking")]

use std::{
    net::{SocketAddr, UdpSocket},
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use bytes::Bytes;
#[cfg(target_os = "linux")]
use dcquic_mio::link::linux::LinuxLink;
use dcquic_mio::{LinkConfig, LinkError, UdpLink, link::portable::PortableLink};
use dcquic_proto::{
    link::{DatagramInfo, Ecn, Link, TransmitQueue},
    time::Timestamp,
};

/// Runs a test over every link there is, on both address families.
fn over_every_link(test: impl Fn(&dyn Fn() -> Box<dyn Link<Error = LinkError>>)) {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let address: SocketAddr = address.parse().unwrap();
        let config = LinkConfig::default();
        test(&|| Box::new(PortableLink::bind(address, &config).unwrap()));
        #[cfg(target_os = "linux")]
        test(&|| Box::new(LinuxLink::bind(address, &config).unwrap()));
        #[cfg(target_os = "linux")]
        {
            let plain = LinkConfig { gso: false, gro: false, ecn: false, ..config };
            test(&|| Box::new(LinuxLink::bind(address, &plain).unwrap()));
        }
    }
}

/// A transmission of `count` datagrams of `size` bytes, the last one `tail` bytes, each of a header
/// byte and a payload slice.
fn push(
    queue: &mut TransmitQueue,
    to: SocketAddr,
    ecn: Ecn,
    count: usize,
    size: usize,
    tail: usize,
) {
    let mut builder = queue.build();
    for number in 0..count {
        let len = if number + 1 == count { tail } else { size };
        builder.header(1)[0] = number as u8;
        builder.payload(Bytes::from(vec![number as u8; len - 1]));
    }
    let segment = if count > 1 { NonZeroUsize::new(size) } else { None };
    builder.finish(to, ecn, segment, Timestamp::ZERO);
}

/// Receives until `count` datagrams have come, or nothing more comes.
fn receive(link: &mut dyn Link<Error = LinkError>, count: usize) -> Vec<(DatagramInfo, Vec<u8>)> {
    let mut datagrams = Vec::new();
    let started = Instant::now();
    while datagrams.len() < count && started.elapsed() < Duration::from_secs(2) {
        link.receive(&mut |info, data| {
            let size = info.segment_size.map_or(data.len().max(1), NonZeroUsize::get);
            datagrams.extend(data.chunks(size).map(|datagram| (info, datagram.to_vec())));
        })
        .unwrap();
    }
    datagrams
}

#[test]
fn batches_arrive_divided_as_they_were_built() {
    over_every_link(|open| {
        let (mut a, mut b) = (open(), open());
        let mut queue = TransmitQueue::new();
        for (count, size, tail) in
            [(1, 100, 100), (10, 1_400, 1_400), (7, 8_900, 13), (44, 1_400, 1)]
        {
            push(&mut queue, b.local_address(), Ecn::NotEct, count, size, tail);
            assert!(a.transmit(&mut queue).unwrap());
            let datagrams = receive(&mut *b, count);
            assert_eq!(datagrams.len(), count);
            for (number, (info, data)) in datagrams.iter().enumerate() {
                assert_eq!(info.remote, a.local_address());
                assert_eq!(data.len(), if number + 1 == count { tail } else { size });
                assert!(data.iter().all(|byte| *byte == number as u8));
            }
        }
    });
}

#[test]
fn a_queue_of_many_transmissions_arrives_in_order() {
    over_every_link(|open| {
        let (mut a, mut b) = (open(), open());
        let mut queue = TransmitQueue::new();
        (0..100).for_each(|_| push(&mut queue, b.local_address(), Ecn::NotEct, 1, 200, 200));
        while !a.transmit(&mut queue).unwrap() {}
        assert_eq!((queue.len(), queue.bytes()), (0, 0));
        assert_eq!(receive(&mut *b, 100).len(), 100);
    });
}

#[test]
fn nothing_is_lost_when_the_socket_is_full_of_what_it_may_hold() {
    over_every_link(|open| {
        let (mut a, mut b) = (open(), open());
        let mut queue = TransmitQueue::new();
        let mut received = 0;
        for _ in 0..50 {
            (0..8).for_each(|_| push(&mut queue, b.local_address(), Ecn::NotEct, 7, 8_900, 8_900));
            while !a.transmit(&mut queue).unwrap() {}
            received += receive(&mut *b, 56).len();
        }
        assert_eq!(received, 50 * 56);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn ecn_bits_and_the_local_address_arrive() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let address: SocketAddr = address.parse().unwrap();
        let open = || LinuxLink::bind(address, &LinkConfig::default()).unwrap();
        let (mut a, mut b) = (open(), open());
        assert!(a.capabilities().ecn);
        let mut queue = TransmitQueue::new();
        for ecn in [Ecn::NotEct, Ecn::Ect0, Ecn::Ect1, Ecn::Ce] {
            push(&mut queue, b.local_address(), ecn, 3, 500, 20);
            assert!(a.transmit(&mut queue).unwrap());
            for (info, _) in receive(&mut b, 3) {
                assert_eq!((info.ecn, info.local), (ecn, Some(b.local_address())));
            }
        }
    }
}

#[test]
fn what_cannot_be_sent_is_lost_and_the_link_goes_on() {
    over_every_link(|open| {
        let (mut a, mut b) = (open(), open());
        let nobody = UdpSocket::bind(SocketAddr::new(b.local_address().ip(), 0))
            .unwrap()
            .local_addr()
            .unwrap();
        let mut queue = TransmitQueue::new();
        for _ in 0..4 {
            push(&mut queue, nobody, Ecn::NotEct, 1, 50, 50);
            assert!(a.transmit(&mut queue).unwrap());
            a.receive(&mut |_, _| panic!("nothing was sent here")).unwrap();
        }
        // longer than a datagram can be
        push(&mut queue, b.local_address(), Ecn::NotEct, 1, 70_000, 70_000);
        assert!(a.transmit(&mut queue).unwrap());
        push(&mut queue, b.local_address(), Ecn::NotEct, 1, 60, 60);
        assert!(a.transmit(&mut queue).unwrap());
        assert_eq!(receive(&mut *b, 1).len(), 1);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn an_unreachable_destination_is_named() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let address: SocketAddr = address.parse().unwrap();
        let mut link = LinuxLink::bind(address, &LinkConfig::default()).unwrap();
        let nobody = UdpSocket::bind(address).unwrap().local_addr().unwrap();
        let mut queue = TransmitQueue::new();
        let started = Instant::now();
        let mut unreachable = None;
        while unreachable.is_none() && started.elapsed() < Duration::from_secs(2) {
            push(&mut queue, nobody, Ecn::NotEct, 1, 50, 50);
            link.transmit(&mut queue).unwrap();
            link.receive(&mut |_, _| {}).unwrap();
            unreachable = link.poll_unreachable();
        }
        assert_eq!(unreachable, Some(nobody));
    }
}

#[test]
fn errors_name_the_address_and_what_to_do() {
    let config = LinkConfig::default();
    let first = UdpLink::bind("127.0.0.1:0".parse().unwrap(), &config).unwrap();
    let taken = first.local_address();
    let error = UdpLink::bind(taken, &config).unwrap_err().to_string();
    assert!(error.contains(&taken.to_string()) && error.contains("in use"), "{error}");
    let foreign = "203.0.113.1:4433".parse().unwrap();
    let error = UdpLink::bind(foreign, &config).unwrap_err().to_string();
    assert!(error.contains("203.0.113.1:4433") && error.contains("no address"), "{error}");
}
