//! The network model under Bach's sockets.

use core::{fmt, net::SocketAddr, task::Waker};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
};

use bach::{
    environment::net::ip::{Packet, Segments, header, transport},
    sync::channel::{Receiver, Sender},
};
use dcquic_proto::link::Ecn;

use super::send_buffer::SendBuffer;
use crate::{
    Clock,
    event_queue::EventQueue,
    host::dcquic::is_control,
    net::{Arrival, Frame, Network, NicId, Picos, Step},
    scale::NIC_LIMIT,
    signal::Signal,
};

/// Is told of every frame that a host hands to its NIC, and when.
type SendObserver = Box<dyn FnMut(Picos, &Frame)>;

/// What happens in the network at a time.
enum Event {
    /// A frame gets further.
    Step(Step),
    /// A NIC has room again.
    Room(NicId),
    /// A host's alarm goes off, if it is still set to this time.
    Alarm(NicId),
    /// Faults begin or end.
    Faults,
}

/// A network, and the sockets that hang on it. Cloning it gives another handle.
///
/// One task carries out everything that happens in the network, in order of time and of insertion
/// among equals, exactly as a plain event loop would. Each socket has a task that moves its send
/// buffer into the NIC.
#[derive(Clone)]
pub(super) struct Wire {
    inner: Rc<Inner>,
}

struct Inner {
    clock: Clock,
    state: RefCell<State>,
    /// Raised when something is to happen earlier than what the network's task waits for.
    changed: Arc<Signal>,
}

struct State {
    network: Network,
    events: EventQueue<Event>,
    /// The next event that the network's task waits for.
    awaited: Picos,
    sockets: BTreeMap<SocketAddr, Sender<Packet>>,
    nics: Vec<NicState>,
    /// NICs whose links wait for room since the network's task last ran.
    full: Vec<NicId>,
    frames: u64,
    observer: Option<SendObserver>,
}

#[derive(Default)]
struct NicState {
    buffers: Vec<Arc<Mutex<SendBuffer>>>,
    /// Who waits for room.
    waiting: Option<Waker>,
    /// The host asks for room and bounds itself what the NIC holds.
    is_asked: bool,
    /// When the host's alarm goes off, and whom it wakes.
    alarm: Option<(Picos, Waker)>,
}

impl Wire {
    pub(super) fn new(network: Network, clock: Clock) -> Self {
        let nics = (0..network.nics()).map(|_| NicState::default()).collect();
        let state = State {
            network,
            events: EventQueue::default(),
            awaited: Picos::MAX,
            sockets: BTreeMap::new(),
            nics,
            full: Vec::new(),
            frames: 0,
            observer: None,
        };
        let changed = Arc::new(Signal::new());
        Self { inner: Rc::new(Inner { clock, state: RefCell::new(state), changed }) }
    }

    pub(super) fn clock(&self) -> Clock {
        self.inner.clock
    }

    /// Looks at the network.
    pub(super) fn with<T>(&self, look: impl FnOnce(&Network) -> T) -> T {
        look(&self.inner.state.borrow().network)
    }

    /// Has every frame observed that a host hands to its NIC.
    pub(super) fn observe(&self, observer: SendObserver) {
        self.inner.state.borrow_mut().observer = Some(observer);
    }

    /// Events inserted so far.
    pub(super) fn events(&self) -> u64 {
        self.inner.state.borrow().events.inserted()
    }

    /// Gives the network back, if this is the last handle.
    pub(super) fn into_network(self) -> Option<Network> {
        Rc::into_inner(self.inner).map(|inner| inner.state.into_inner().network)
    }

    /// Adds a socket to a NIC. The first one starts the network's task, and its scheduled faults.
    pub(super) fn attach(
        &self,
        nic: NicId,
        address: SocketAddr,
        buffer: Arc<Mutex<SendBuffer>>,
        receiver: Sender<Packet>,
    ) {
        let state = &mut *self.inner.state.borrow_mut();
        if state.sockets.is_empty() {
            if let Some(at) = state.network.next_fault() {
                state.events.insert(at, Event::Faults);
            }
            bach::task::spawn_named(self.clone().carry(), "network");
        }
        state.sockets.insert(address, receiver);
        state.nics[nic.0 as usize].buffers.push(buffer);
    }

    /// Wire bytes that a NIC would take now for its host. If there are none, `waker` is woken when
    /// the NIC has drained to half of what it holds.
    pub(super) fn room(&self, nic: NicId, waker: &Waker) -> u64 {
        let now = self.inner.clock.now();
        let state = &mut *self.inner.state.borrow_mut();
        let NicState { buffers, waiting, is_asked, .. } = &mut state.nics[nic.0 as usize];
        *is_asked = true;
        let on_the_way: u64 = buffers
            .iter()
            .map(|buffer| buffer.lock().unwrap_or_else(PoisonError::into_inner).bytes())
            .sum();
        let backlog = state.network.nic_backlog(now, nic) + on_the_way;
        if backlog < NIC_LIMIT {
            return NIC_LIMIT - backlog;
        }
        if waiting.is_none() {
            // When that will be is known once the NIC has taken what is on the way.
            state.full.push(nic);
            self.inner.changed.raise();
        }
        *waiting = Some(waker.clone());
        0
    }

    /// Sets the alarm of the host at a NIC, unless it is set to an earlier time.
    pub(super) fn set_alarm(&self, nic: NicId, at: Picos, waker: &Waker) {
        let state = &mut *self.inner.state.borrow_mut();
        let alarm = &mut state.nics[nic.0 as usize].alarm;
        if alarm.as_ref().is_none_or(|(set, _)| at < *set) {
            *alarm = Some((at, waker.clone()));
            state.events.insert(at, Event::Alarm(nic));
            if at < state.awaited {
                self.inner.changed.raise();
            }
        }
    }

    /// Moves what a socket sends into its NIC, while that has room.
    pub(super) async fn serve(self, nic: NicId, mut socket: Receiver<Segments>) {
        while let Ok(segments) = socket.recv().await {
            self.enter(nic, segments);
            if socket.is_empty()
                && let Some(at) = self.full_until(nic)
            {
                self.inner.clock.sleep_until(at).await;
            }
        }
    }

    /// Puts a transmission into a NIC, divided into frames.
    fn enter(&self, nic: NicId, segments: Segments) {
        let now = self.inner.clock.now();
        let state = &mut *self.inner.state.borrow_mut();
        for packet in segments {
            let payload = packet.transport.payload().to_vec();
            let frame = Frame {
                id: state.frames,
                from: packet.source(),
                to: packet.destination(),
                ecn: Ecn::from_bits(packet.header.ecn()),
                control: is_control(&payload),
                payload,
            };
            state.frames += 1;
            if let Some(observer) = &mut state.observer {
                observer(now, &frame);
            }
            let State { network, events, .. } = state;
            network.send(now, nic, frame, &mut |step| events.insert(step.at, Event::Step(step)));
        }
        if state.events.next_at().is_some_and(|at| at < state.awaited) {
            self.inner.changed.raise();
        }
    }

    /// When a full NIC will have drained to half, if it is for us to wait for that.
    fn full_until(&self, nic: NicId) -> Option<Picos> {
        let state = self.inner.state.borrow();
        if state.nics[nic.0 as usize].is_asked {
            return None;
        }
        let full = state.network.nic_backlog(self.inner.clock.now(), nic) >= NIC_LIMIT;
        full.then(|| state.network.nic_drained_to(nic, NIC_LIMIT / 2))
    }

    /// The network's task.
    async fn carry(self) {
        let clock = self.inner.clock;
        loop {
            for (mut socket, packet) in self.carry_out(clock.now()) {
                // The queue has no limit, and a socket that is closed misses nothing.
                let _unsent = socket.push_nowait(packet).await;
            }
            let next = self.await_next();
            self.inner.changed.wait_until(clock, next).await;
        }
    }

    /// Notes what the task will wait for, and when that is.
    fn await_next(&self) -> Option<Picos> {
        let mut state = self.inner.state.borrow_mut();
        let next = state.events.next_at();
        state.awaited = next.unwrap_or(Picos::MAX);
        next
    }

    /// Carries out everything that is due; what arrived, and for which socket.
    fn carry_out(&self, now: Picos) -> Vec<(Sender<Packet>, Packet)> {
        let mut arrived = Vec::new();
        let State { network, events, sockets, nics, full, .. } =
            &mut *self.inner.state.borrow_mut();
        for nic in full.drain(..) {
            let at = network.nic_drained_to(nic, NIC_LIMIT / 2);
            events.insert(at.max(now), Event::Room(nic));
        }
        while events.next_at().is_some_and(|at| at <= now)
            && let Some((at, event)) = events.pop()
        {
            match event {
                Event::Step(step) => {
                    let arrival =
                        network.step(step, &mut |step| events.insert(step.at, Event::Step(step)));
                    if let Some(Arrival { frame, .. }) = arrival
                        && let Some(socket) = sockets.get(&frame.to)
                        && let Some(packet) = packet_of(frame)
                    {
                        arrived.push((socket.clone(), packet));
                    }
                }
                Event::Room(nic) => {
                    if let Some(waker) = nics[nic.0 as usize].waiting.take() {
                        waker.wake();
                    }
                }
                Event::Alarm(nic) => {
                    let alarm = &mut nics[nic.0 as usize].alarm;
                    if let Some((_, waker)) = alarm.take_if(|(set, _)| *set == at) {
                        waker.wake();
                    }
                }
                Event::Faults => {
                    network.apply_faults(at);
                    if let Some(at) = network.next_fault() {
                        events.insert(at, Event::Faults);
                    }
                }
            }
        }
        arrived
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("clock", &self.inner.clock).finish_non_exhaustive()
    }
}

/// A frame as Bach has it. The network model has no other addresses than those of IPv4.
fn packet_of(frame: Frame) -> Option<Packet> {
    let (SocketAddr::V4(from), SocketAddr::V4(to)) = (frame.from, frame.to) else { return None };
    let (source, destination) = (*from.ip(), *to.ip());
    let header = header::V4 { source, destination, ecn: frame.ecn.bits(), ..Default::default() };
    let (source, destination) = (from.port(), to.port());
    let payload = frame.payload.into();
    let transport = transport::Udp { source, destination, payload, checksum: 0 };
    Some(Packet { header: header.into(), transport: transport.into(), is_duplicate: false })
}
