use super::*;
use crate::{
    host::dcquic::Buffers,
    measure::Recorder,
    net::{Buffer, Network, NetworkSpec, NicId, Picos, Topology},
    scale::{Engine, Setup},
    workload::Transfer,
};

const RTT: Duration = Duration::from_micros(20);
const MTU: u16 = 1_500;

/// What passed on the wire: when it was sent, from which host, how long it was, and whether it was
/// control.
type Trace = Vec<(Timestamp, usize, usize, bool)>;

/// A datagram on the wire: from which host to which, its ECN bits and its bytes.
type Datagram = (usize, usize, Ecn, Vec<u8>);

/// Hosts joined by a wire that delays every datagram by half the round trip.
struct World {
    hosts: Vec<QuinnHost>,
    now: Timestamp,
    /// On the wire, by arrival and then order of sending.
    wire: BTreeMap<(Timestamp, usize), Datagram>,
    trace: Trace,
    notices: Vec<(Timestamp, usize, Notice)>,
    /// Datagrams to lose, by their number.
    lose: fn(usize) -> bool,
}

impl World {
    fn new(settings: &QuinnSettings, hosts: usize) -> Self {
        let shared = QuinnShared::new(settings).unwrap();
        let host = |n| QuinnHost::new(&shared, address(n), n as u64 + 1).unwrap();
        Self {
            hosts: (0..hosts).map(host).collect(),
            now: Timestamp::ZERO,
            wire: BTreeMap::new(),
            trace: Vec::new(),
            notices: Vec::new(),
            lose: |_| false,
        }
    }

    fn cubic() -> Self {
        Self::new(&QuinnSettings::new(Congestion::Cubic, MTU, RTT), 2)
    }

    /// Lets a host speak and send until it is quiet.
    fn settle(&mut self, host: usize) {
        loop {
            while let Some(notice) = self.hosts[host].poll_notice(self.now) {
                self.notices.push((self.now, host, notice));
            }
            let (now, wire, trace) = (self.now, &mut self.wire, &mut self.trace);
            let lose = self.lose;
            let more =
                self.hosts[host].poll_transmit(now, 4_000, &mut |to, ecn, bytes, control| {
                    trace.push((now, host, bytes.len(), control));
                    if !lose(trace.len()) {
                        let to = usize::from(to.port()) - 1_000;
                        wire.insert((now + RTT / 2, trace.len()), (host, to, ecn, bytes));
                    }
                });
            if !more {
                return;
            }
        }
    }

    /// Runs until nothing is on the wire and no timer is due before `end`.
    fn run(&mut self, end: Timestamp) {
        (0..self.hosts.len()).for_each(|host| self.settle(host));
        loop {
            let timer = self.hosts.iter().filter_map(Host::poll_timeout).min();
            let arrival = self.wire.first_key_value().map(|(key, _)| key.0);
            let Some(next) = timer.into_iter().chain(arrival).min().filter(|at| *at < end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            while self.wire.first_key_value().is_some_and(|(key, _)| key.0 <= self.now) {
                let Some((_, (from, to, ecn, mut bytes))) = self.wire.pop_first() else { break };
                self.hosts[to].handle(self.now, address(from), ecn, &mut bytes);
            }
            for host in 0..self.hosts.len() {
                self.hosts[host].handle_timeout(self.now);
                self.settle(host);
            }
        }
    }

    fn order(&mut self, from: usize, to: usize, transfer: u32, size: u64) {
        let order = Order { transfer, to: address(to), size, priority: 3 };
        self.hosts[from].start(self.now, order);
    }

    fn count(&self, host: usize, wanted: impl Fn(&Notice) -> bool) -> usize {
        self.notices.iter().filter(|(_, at, notice)| *at == host && wanted(notice)).count()
    }

    fn delivered(&self, host: usize) -> usize {
        self.count(host, |notice| matches!(notice, Notice::Delivered { .. }))
    }

    fn finished(&self, host: usize) -> usize {
        self.count(host, |notice| matches!(notice, Notice::Finished { .. }))
    }

    fn assert_nothing_left(&mut self) {
        let now = self.now;
        for host in &mut self.hosts {
            assert_eq!(host.finish(now), Vec::<String>::new());
        }
    }
}

fn address(host: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 1_000 + host as u16))
}

/// 100 messages of 16 KiB after a warm-up.
fn hundred(settings: &QuinnSettings, lose: fn(usize) -> bool) -> World {
    let mut world = World::new(settings, 2);
    world.hosts[0].connect(world.now, address(1));
    world.run(Timestamp::from_micros(1_000_000));
    assert_eq!(world.count(0, |notice| *notice == Notice::Connected { peer: address(1) }), 1);
    assert_eq!(world.count(1, |notice| *notice == Notice::Connected { peer: address(0) }), 1);
    world.lose = lose;
    for transfer in 0..100 {
        world.order(0, 1, transfer, 16 << 10);
    }
    world.run(Timestamp::from_micros(10_000_000));
    world
}

#[test]
fn a_hundred_messages_arrive_and_are_counted() {
    let mut world = hundred(&QuinnSettings::new(Congestion::Cubic, MTU, RTT), |_| false);
    assert_eq!((world.delivered(1), world.finished(0)), (100, 100));
    let (sender, receiver) = (world.hosts[0].counters(), world.hosts[1].counters());
    assert_eq!((sender.payload_sent, sender.retransmitted), (1_638_400, 0));
    assert_eq!((receiver.payload_delivered, receiver.duplicate), (1_638_400, 0));
    assert_eq!((receiver.payload_sent, sender.payload_delivered), (0, 0));
    assert_eq!(sender.datagrams_out, receiver.datagrams_in);
    assert_eq!(sender.bytes_out, receiver.bytes_in);
    let overhead = sender.bytes_out as f64 / 1_638_400.0;
    assert!((1.02..1.04).contains(&overhead), "{overhead}");
    world.assert_nothing_left();
}

#[test]
fn the_same_run_has_the_same_times_and_lengths() {
    for congestion in [Congestion::Cubic, Congestion::Bbr] {
        let settings = QuinnSettings::new(congestion, MTU, RTT);
        let (a, b) = (hundred(&settings, |n| n % 50 == 0), hundred(&settings, |n| n % 50 == 0));
        assert_eq!(a.trace, b.trace);
        assert_eq!(a.notices, b.notices);
        assert_eq!(a.delivered(1), 100, "{congestion:?}");
    }
}

#[test]
fn repetitions_count_as_sent_and_not_as_delivered() {
    let settings = QuinnSettings::new(Congestion::Cubic, MTU, RTT);
    let mut world = hundred(&settings, |n| n % 20 == 0);
    let (sender, receiver) = (world.hosts[0].counters(), world.hosts[1].counters());
    assert_eq!(world.delivered(1), 100);
    assert_eq!(receiver.payload_delivered, 1_638_400);
    assert!(sender.retransmitted > 1_638_400 / 40, "{sender:?}");
    assert_eq!(sender.payload_sent, 1_638_400 + sender.retransmitted);
    assert!(receiver.duplicate < sender.retransmitted, "{receiver:?}");
    world.assert_nothing_left();
}

#[test]
fn jumbo_frames_are_used_from_the_first_packet() {
    let mut world = hundred(&QuinnSettings::new(Congestion::Cubic, 9_000, RTT), |_| false);
    assert_eq!(world.trace[0].2, 8_972);
    assert_eq!(world.trace.iter().map(|sent| sent.2).max(), Some(8_972));
    assert_eq!(world.delivered(1), 100);
    world.assert_nothing_left();
}

#[test]
fn peers_that_connect_at_once_use_one_connection() {
    let mut world = World::cubic();
    world.hosts[0].connect(world.now, address(1));
    world.hosts[1].connect(world.now, address(0));
    world.order(1, 0, 1, 100_000);
    world.run(Timestamp::from_micros(100_000));
    world.order(0, 1, 2, 100_000);
    world.run(Timestamp::from_micros(200_000));
    assert_eq!((world.delivered(0), world.delivered(1)), (1, 1));
    let used: Vec<usize> = world.hosts[1]
        .sessions
        .iter()
        .map(|session| session.quic.stats().frame_tx.stream as usize)
        .filter(|frames| *frames > 0)
        .collect();
    assert_eq!(used.len(), 1, "{used:?}");
    world.assert_nothing_left();
}

#[test]
fn many_messages_wait_for_streams_and_all_arrive() {
    let mut world = World::cubic();
    world.hosts[0].connect(world.now, address(1));
    for transfer in 0..25_000 {
        world.order(0, 1, transfer, 100);
    }
    world.order(0, 1, 25_000, 0);
    world.run(Timestamp::from_micros(5_000_000));
    assert_eq!((world.delivered(1), world.finished(0)), (25_001, 25_001));
    world.assert_nothing_left();
}

#[test]
fn only_small_datagrams_without_payload_are_control() {
    let mut world = World::cubic();
    world.hosts[0].connect(world.now, address(1));
    world.run(Timestamp::from_micros(100_000));
    world.trace.clear();
    world.order(0, 1, 1, 100_000);
    world.run(Timestamp::from_micros(200_000));
    let (data, acks): (Trace, Trace) = world.trace.iter().partition(|sent| sent.1 == 0);
    // the sender acknowledges too, what little its peer says that needs it
    assert!(data.iter().filter(|sent| !sent.3).count() > 100_000 / 1_472);
    assert!(data.iter().all(|(_, _, len, control)| !*control || *len < 100));
    assert!(!acks.is_empty() && acks.iter().all(|(_, _, len, control)| *control && *len < 100));
}

#[test]
fn a_peer_that_never_answers_fails_in_the_end() {
    let mut world = World::cubic();
    world.lose = |_| true;
    world.order(0, 1, 9, 100);
    world.run(Timestamp::from_micros(2_000_000_000));
    let notices: Vec<&Notice> = world.notices.iter().map(|(_, _, notice)| notice).collect();
    assert_eq!(
        notices,
        [
            &Notice::Failed { transfer: 9, cause: "timed out".to_owned() },
            &Notice::PeerFailed { peer: address(1) },
        ]
    );
    assert_eq!(world.hosts[0].sessions.iter().count(), 0);
    world.assert_nothing_left();
}

/// 32 senders with five messages each to one receiver, through a switch with a small buffer.
fn incast(settings: &QuinnSettings) -> (Recorder, Vec<Counters>, u64) {
    let senders = 32;
    let spec = NetworkSpec {
        topology: Topology::Star { hosts: senders + 1, nics_per_host: 1 },
        mtu_bytes: 9_000,
        buffer: Buffer::PerPort { bytes: 200_000 },
        ecn_threshold_bytes: Some(50_000),
        ..NetworkSpec::default()
    };
    let network = Network::new(&spec, 1).unwrap();
    let shared = QuinnShared::new(settings).unwrap();
    let engine = Engine::new(Setup {
        network,
        nics_per_host: 1,
        make_host: Box::new(move |nic, _| {
            let host = QuinnHost::new(&shared, nic.address(), u64::from(nic.0) + 1);
            Ok(Box::new(host.unwrap()) as Box<dyn Host>)
        }),
        transfers: (0..5 * senders)
            .map(|n| Transfer::new(NicId(1 + n % senders), NicId(0), 16 << 10))
            .collect(),
        host_faults: Vec::new(),
        limit: Picos::from_nanos(1_000_000_000),
        linger: Picos::from_nanos(100_000_000),
        buffers: Buffers::default(),
        retry: None,
        memory_limit: None,
        watch: None,
    })
    .unwrap();
    let (recorder, network, hosts) = engine.run();
    let counters = hosts.iter().map(|host| host.counters()).collect();
    (recorder, counters, network.stats().drops.total())
}

#[test]
fn an_incast_is_delivered_through_a_full_buffer_the_same_way_every_time() {
    for congestion in [Congestion::Cubic, Congestion::Bbr] {
        let settings = QuinnSettings::new(congestion, 9_000, RTT);
        let (recorder, counters, drops) = incast(&settings);
        assert!(recorder.is_done() && recorder.problems().is_empty(), "{:?}", recorder.problems());
        assert_eq!(counters[0].payload_delivered, 160 * (16 << 10));
        let retransmitted: u64 = counters.iter().map(|host| host.retransmitted).sum();
        assert!(drops > 0 && retransmitted > 0, "{drops} {counters:?}");
        let (again, same, _) = incast(&settings);
        assert_eq!(counters, same);
        let delivered = |run: &Recorder| -> Vec<_> {
            run.records().iter().map(|record| record.delivered).collect()
        };
        assert_eq!(delivered(&recorder), delivered(&again));
    }
}

#[test]
fn every_packet_is_acknowledged_if_asked_for() {
    let acks = |packets_per_ack| {
        let settings = QuinnSettings::new(Congestion::Cubic, 9_000, RTT);
        let (_, counters, _) = incast(&QuinnSettings { packets_per_ack, ..settings });
        counters[0].datagrams_out as f64 / counters[0].datagrams_in as f64
    };
    // gaps and marks are answered at once as well, and there are many
    assert!(acks(2) < 0.9, "{}", acks(2));
    assert!(acks(1) > 0.95, "{}", acks(1));
}

#[test]
fn a_small_mtu_is_refused() {
    let settings = |mtu| QuinnSettings::new(Congestion::Cubic, mtu, RTT);
    assert!(QuinnShared::new(&settings(1_228)).is_ok());
    assert!(matches!(QuinnShared::new(&settings(1_227)), Err(QuinnError::Mtu { mtu: 1_227 })));
}
