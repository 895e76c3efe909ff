//! Links over sockets over the network model.

use core::net::SocketAddr;

use dcquic_proto::link::{DatagramInfo, Ecn, Link as _, TransmitQueue};

use crate::{
    BachLink,
    bach_engine::*,
    net::{NetworkSpec, Topology},
    scale::NIC_LIMIT,
};

/// Payload bytes of a full datagram, and the wire bytes of its frame.
const DATAGRAM: usize = 8_934;
const FRAME: u64 = 9_000;

/// What takes one byte to serialize at 100 Gbit/s.
const PER_BYTE: u64 = 80;

const SETTINGS: Settings = Settings {
    max_datagram: DATAGRAM,
    max_segments: 7,
    receive_buffer: 1 << 20,
    clock: Clock::Picoseconds,
};

type Arrivals = Rc<RefCell<Vec<(Picos, DatagramInfo, usize)>>>;

/// Runs `client` on NIC 0, while NIC 1 notes what reaches it.
fn one_way<F>(
    spec: &NetworkSpec,
    client: impl FnOnce(BachLink, Nic) -> F + 'static,
) -> Vec<(Picos, DatagramInfo, usize)>
where
    F: Future<Output = ()> + 'static,
{
    let allocator = NetworkAllocator::new(Network::new(spec, 1).unwrap(), Clock::Picoseconds);
    let arrivals = Arrivals::default();
    let mut runtime =
        Runtime::new().with_seed(1).with_net_queues(Some(Box::new(allocator.clone())));
    runtime.run(|| {
        let nic = allocator.nic(NicId(0));
        async move {
            let link = BachLink::bind(NicId(0).address(), SETTINGS).await.unwrap();
            client(link.with_nic(nic.clone()), nic).await;
            Clock::Picoseconds.sleep_until(Picos::from_micros(10_000)).await;
        }
        .group("client")
        .primary()
        .spawn();
        let arrivals = Rc::clone(&arrivals);
        async move {
            let mut link = BachLink::bind(NicId(1).address(), SETTINGS).await.unwrap();
            loop {
                let now = Clock::Picoseconds.now();
                link.receive(&mut |info, data| {
                    arrivals.borrow_mut().push((now, info, data.len()));
                })
                .unwrap();
                link.wait(None).await;
            }
        }
        .group("server")
        .spawn();
    });
    drop(runtime);
    arrivals.take()
}

fn push(queue: &mut TransmitQueue, to: SocketAddr, len: usize, ecn: Ecn) {
    let mut builder = queue.build();
    builder.header(len).fill(7);
    let segment = core::num::NonZeroUsize::new(DATAGRAM).filter(|segment| segment.get() < len);
    builder.finish(to, ecn, segment, Timestamp::ZERO);
}

#[test]
fn a_batch_becomes_frames_with_exact_times() {
    let seen = one_way(&NetworkSpec::default(), async |mut link, _| {
        let mut queue = TransmitQueue::new();
        push(&mut queue, NicId(1).address(), 2 * DATAGRAM + 100, Ecn::Ect0);
        assert!(link.transmit(&mut queue).unwrap());
    });
    // Both links take a frame's time, and each has half of the delay.
    let nth = |n: u64, bytes| Picos((n * FRAME + 2 * bytes) * PER_BYTE) + Picos::from_micros(5);
    let last = Picos((3 * FRAME + 166) * PER_BYTE) + Picos::from_micros(5);
    let times: Vec<_> = seen.iter().map(|(at, _, len)| (*at, *len)).collect();
    assert_eq!(times, [(nth(0, FRAME), DATAGRAM), (nth(1, FRAME), DATAGRAM), (last, 100)]);
    let (_, info, _) = seen[0];
    assert_eq!(info.remote, NicId(0).address());
    assert_eq!(info.local, Some(NicId(1).address()));
    assert!(seen.iter().all(|(_, info, _)| info.ecn == Ecn::Ect0));
}

#[test]
fn congested_ports_mark_what_can_be_marked() {
    // Half of what arrives may leave, so that the port's queue grows.
    let mut spec = NetworkSpec { ecn_threshold_bytes: Some(5_000), ..NetworkSpec::default() };
    let cable = crate::net::Cable::Nic { host: 1, nic: 0 };
    spec.faults = vec![crate::net::Fault::Rate {
        at_ns: 0,
        for_ns: None,
        cable,
        direction: crate::net::Direction::Down,
        rate_bits_per_sec: 50_000_000_000,
    }];
    let seen = one_way(&spec, async |mut link, _| {
        let mut queue = TransmitQueue::new();
        push(&mut queue, NicId(1).address(), 4 * DATAGRAM, Ecn::Ect0);
        push(&mut queue, NicId(1).address(), 2 * DATAGRAM, Ecn::NotEct);
        Clock::Picoseconds.sleep_until(Picos::from_micros(1)).await;
        assert!(link.transmit(&mut queue).unwrap());
    });
    let bits: Vec<_> = seen.iter().map(|(_, info, _)| info.ecn).collect();
    assert_eq!(bits, [Ecn::Ect0, Ecn::Ect0, Ecn::Ce, Ecn::Ce, Ecn::NotEct, Ecn::NotEct]);
}

#[test]
fn a_full_nic_holds_the_sender_back_and_wakes_it_at_half() {
    let seen = one_way(&NetworkSpec::default(), async |mut link, _| {
        let mut queue = TransmitQueue::new();
        (0..60).for_each(|_| push(&mut queue, NicId(1).address(), DATAGRAM, Ecn::NotEct));
        // The send buffer takes less than twice the limit, and one more.
        assert!(!link.transmit(&mut queue).unwrap());
        let taken = (2 * NIC_LIMIT).div_ceil(FRAME);
        assert_eq!(60 - queue.len() as u64, taken);
        // The NIC is idle and takes all of it at once; then the buffer has room again. When the
        // NIC has drained to half, it takes the buffer.
        let (mut at, mut left) = (Picos::ZERO, queue.len());
        let mut batches = Vec::new();
        while !link.transmit(&mut queue).unwrap() {
            if queue.len() < left {
                batches.push((at, left - queue.len()));
            }
            left = queue.len();
            link.wait(None).await;
            at = Clock::Picoseconds.now();
        }
        assert_eq!(batches[0], (Picos::ZERO, taken as usize));
        let drained = Picos((taken * FRAME - NIC_LIMIT / 2) * PER_BYTE);
        assert_eq!(batches[1], (drained, taken as usize));
        assert_eq!(left as u64, 60 - 3 * taken);
    });
    assert_eq!(seen.len(), 60);
    // The wire was never idle.
    let last = Picos(61 * FRAME * PER_BYTE) + Picos::from_micros(5);
    assert_eq!(seen[59].0, last);
}

#[test]
fn a_link_says_how_much_room_its_nic_has_and_when_there_is_some_again() {
    one_way(&NetworkSpec::default(), async |mut link, _| {
        link.receive(&mut |_, _| ()).unwrap();
        link.wait(None).await;
        assert_eq!(link.room() as u64, NIC_LIMIT);
        let mut queue = TransmitQueue::new();
        push(&mut queue, NicId(1).address(), 7 * DATAGRAM, Ecn::NotEct);
        assert!(link.transmit(&mut queue).unwrap());
        assert_eq!(link.room() as u64, NIC_LIMIT - 7 * FRAME);
        push(&mut queue, NicId(1).address(), DATAGRAM, Ecn::NotEct);
        assert!(link.transmit(&mut queue).unwrap());
        while link.room() == 0 {
            link.wait(None).await;
        }
        assert_eq!(Clock::Picoseconds.now(), Picos((8 * FRAME - NIC_LIMIT / 2) * PER_BYTE));
        assert_eq!(link.room() as u64, NIC_LIMIT / 2);
    });
}

#[test]
fn alarms_of_one_instant_come_in_order_and_the_earlier_of_two_counts() {
    one_way(&NetworkSpec::default(), async |mut link, nic| {
        link.receive(&mut |_, _| ()).unwrap();
        link.wait(None).await;
        nic.set_alarm(Picos(700), &link.waker());
        nic.set_alarm(Picos(300), &link.waker());
        nic.set_alarm(Picos(500), &link.waker());
        link.wait(None).await;
        assert_eq!(Clock::Picoseconds.now(), Picos(300));
        link.wait(Some(Timestamp::from_nanos(2))).await;
        assert_eq!(Clock::Picoseconds.now(), Picos::from_nanos(2));
    });
}

#[test]
fn a_host_without_a_nic_cannot_send() {
    let topology = Topology::Star { hosts: 2, nics_per_host: 1 };
    let spec = NetworkSpec { topology, ..NetworkSpec::default() };
    let allocator = NetworkAllocator::new(Network::new(&spec, 1).unwrap(), Clock::Picoseconds);
    let mut runtime = Runtime::new().with_seed(1).with_net_queues(Some(Box::new(allocator)));
    runtime.run(|| {
        for nic in (0..3).map(NicId) {
            async move {
                let mut link = BachLink::bind(nic.address(), SETTINGS).await.unwrap();
                let mut queue = TransmitQueue::new();
                push(&mut queue, NicId(0).address(), 10, Ecn::NotEct);
                let error = link.transmit(&mut queue).err().map(|error| error.kind());
                assert_eq!(error, (nic.0 == 2).then_some(io::ErrorKind::BrokenPipe));
            }
            .group(format!("host {}", nic.0))
            .primary()
            .spawn();
        }
    });
}
