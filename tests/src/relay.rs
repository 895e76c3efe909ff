//! A user-space UDP relay that loses, repeats and reorders what passes through it.

use std::{
    collections::HashMap,
    io,
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use dcquic_proto::rng::Jitter;
use mio::{Events, Interest, Poll, Token};

/// What the relay does to datagrams, in per mille.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Datagrams that vanish.
    pub drop: u64,
    /// Datagrams that pass twice.
    pub duplicate: u64,
    /// Datagrams that up to eight later ones overtake, or two milliseconds.
    pub reorder: u64,
}

/// What has passed.
#[derive(Debug, Default)]
pub struct Counters {
    /// Datagrams that came.
    pub received: AtomicU64,
    /// Datagrams that were sent on, repeats included.
    pub forwarded: AtomicU64,
    /// Datagrams that vanished.
    pub dropped: AtomicU64,
    /// Datagrams that passed twice.
    pub duplicated: AtomicU64,
    /// Datagrams that were overtaken.
    pub reordered: AtomicU64,
}

/// A running relay in front of one server. Stops when dropped.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    counters: Arc<Counters>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Relay {
    /// A relay to `server`, whose faults are drawn from `seed`.
    ///
    /// # Errors
    /// A socket or a thread could not be had.
    pub fn start(server: SocketAddr, faults: Faults, seed: u64) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut front = socket()?;
        let address = front.local_addr()?;
        poll.registry().register(&mut front, Token(0), Interest::READABLE)?;
        let (counters, stop) = (Arc::<Counters>::default(), Arc::<AtomicBool>::default());
        let mut run = Run {
            poll,
            front,
            server,
            clients: Vec::new(),
            by_address: HashMap::new(),
            faults,
            rng: Jitter::new(seed),
            held: Vec::new(),
            passed: 0,
            counters: Arc::clone(&counters),
            buffer: vec![0; 1 << 16],
        };
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("relay".to_owned())
            .spawn(move || run.run(&stopped))?;
        Ok(Self { address, counters, stop, thread: Some(thread) })
    }

    /// Where clients send to instead of the server.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has passed so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // a relay that failed shows in the test that used it
            let _result = thread.join();
        }
    }
}

fn socket() -> io::Result<mio::net::UdpSocket> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None)?;
    socket.set_recv_buffer_size(4 << 20)?;
    socket.set_send_buffer_size(4 << 20)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    Ok(mio::net::UdpSocket::from_std(UdpSocket::from(socket)))
}

/// Where a datagram goes.
#[derive(Clone, Copy, Debug)]
enum Way {
    ToServer { client: usize },
    ToClient { client: usize },
}

#[derive(Debug)]
struct Held {
    after: u64,
    until: Instant,
    way: Way,
    bytes: Vec<u8>,
}

struct Run {
    poll: Poll,
    front: mio::net::UdpSocket,
    server: SocketAddr,
    /// Each client with the socket that stands for it towards the server.
    clients: Vec<(SocketAddr, mio::net::UdpSocket)>,
    by_address: HashMap<SocketAddr, usize>,
    faults: Faults,
    rng: Jitter,
    held: Vec<Held>,
    passed: u64,
    counters: Arc<Counters>,
    buffer: Vec<u8>,
}

impl Run {
    fn run(&mut self, stop: &AtomicBool) -> io::Result<()> {
        let mut events = Events::with_capacity(64);
        while !stop.load(Ordering::Relaxed) {
            self.poll.poll(&mut events, Some(Duration::from_millis(1)))?;
            let mut idle = false;
            while !idle && !stop.load(Ordering::Relaxed) {
                idle = !self.read_front()?;
                for client in 0..self.clients.len() {
                    idle &= !self.read_back(client);
                }
                self.release(Instant::now());
            }
        }
        Ok(())
    }

    fn read_front(&mut self) -> io::Result<bool> {
        let mut any = false;
        for _ in 0..64 {
            let Ok((len, from)) = self.front.recv_from(&mut self.buffer) else { break };
            any = true;
            let client = match self.by_address.get(&from) {
                Some(client) => *client,
                None => {
                    let mut back = socket()?;
                    let token = Token(self.clients.len() + 1);
                    self.poll.registry().register(&mut back, token, Interest::READABLE)?;
                    self.by_address.insert(from, self.clients.len());
                    self.clients.push((from, back));
                    self.clients.len() - 1
                }
            };
            self.pass(Way::ToServer { client }, len);
        }
        Ok(any)
    }

    fn read_back(&mut self, client: usize) -> bool {
        let mut any = false;
        for _ in 0..64 {
            let Ok((len, _)) = self.clients[client].1.recv_from(&mut self.buffer) else { break };
            any = true;
            self.pass(Way::ToClient { client }, len);
        }
        any
    }

    fn pass(&mut self, way: Way, len: usize) {
        let counters = Arc::clone(&self.counters);
        counters.received.fetch_add(1, Ordering::Relaxed);
        self.passed += 1;
        if self.rng.below(1_000) < self.faults.drop {
            counters.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if self.rng.below(1_000) < self.faults.reorder {
            counters.reordered.fetch_add(1, Ordering::Relaxed);
            let after = self.passed + 1 + self.rng.below(8);
            let until = Instant::now() + Duration::from_millis(2);
            self.held.push(Held { after, until, way, bytes: self.buffer[..len].to_vec() });
            return;
        }
        let buffer = core::mem::take(&mut self.buffer);
        self.forward(way, &buffer[..len]);
        if self.rng.below(1_000) < self.faults.duplicate {
            counters.duplicated.fetch_add(1, Ordering::Relaxed);
            self.forward(way, &buffer[..len]);
        }
        self.buffer = buffer;
    }

    /// Sends what was held back long enough.
    fn release(&mut self, now: Instant) {
        let passed = self.passed;
        let held = core::mem::take(&mut self.held);
        for held in held {
            if held.after <= passed || held.until <= now {
                self.forward(held.way, &held.bytes);
            } else {
                self.held.push(held);
            }
        }
    }

    fn forward(&self, way: Way, bytes: &[u8]) {
        let sent = match way {
            Way::ToServer { client } => self.clients[client].1.send_to(bytes, self.server),
            Way::ToClient { client } => self.front.send_to(bytes, self.clients[client].0),
        };
        // what a socket refuses is lost, as on any network
        if sent.is_ok() {
            self.counters.forwarded.fetch_add(1, Ordering::Relaxed);
        }
    }
}
