//! A worker thread over a UDP socket, and the pool that commands it.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use dcquic_proto::{
    config::Config,
    crypto::{Psk, Seed},
    endpoint::{Endpoint, NewEndpointError},
    link::Link,
    pool::Pool,
    worker::Worker,
};
use mio::{Events, Interest, Poll, Token, Waker};

use crate::{
    clock::Clock,
    link::{LinkConfig, LinkError, UdpLink},
};

/// What a worker does when there is nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollMode {
    /// Looks again at once: the lowest latency, for the price of a core.
    Busy,
    /// Looks again for a while, then waits for the system.
    Adaptive {
        /// For how long.
        spin: Duration,
    },
    /// Waits for the system at once.
    Park,
}

impl Default for PollMode {
    fn default() -> Self {
        // about what it costs to wake an idle core
        Self::Adaptive { spin: Duration::from_micros(50) }
    }
}

/// How a runtime is set up.
#[derive(Debug)]
pub struct RuntimeConfig {
    /// Where to open the socket; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The protocol's configuration. Datagram size and pull credit are lowered to what the socket
    /// can take.
    pub proto: Config,
    /// The key that both sides hold.
    pub psk: Psk,
    /// What the worker does when there is nothing to do.
    pub poll: PollMode,
    /// How the socket is set up.
    pub link: LinkConfig,
}

impl RuntimeConfig {
    /// The usual set-up at `listen`.
    pub fn new(listen: SocketAddr, proto: Config, psk: Psk) -> Self {
        let (poll, link) = (PollMode::default(), LinkConfig::default());
        Self { listen, proto, psk, poll, link }
    }
}

/// A runtime that could not be started, or whose worker failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// The socket could not be opened, or failed.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The configuration cannot work.
    #[error(transparent)]
    Endpoint(#[from] NewEndpointError),
    /// The system gave no randomness.
    #[error("the system gives no randomness: {0}")]
    Randomness(getrandom::Error),
    /// The system gave no poller or thread.
    #[error("the system refuses a poller or thread: {0}")]
    System(#[from] io::Error),
    /// The worker's thread panicked.
    #[error("the worker's thread panicked")]
    Panicked,
}

/// A running worker. Dropping it ends the worker, after a moment for open calls.
#[derive(Debug)]
pub struct Runtime {
    pool: Pool,
    local: SocketAddr,
    thread: Option<JoinHandle<()>>,
    failure: Arc<Mutex<Option<RuntimeError>>>,
}

const SOCKET: Token = Token(0);
const WAKE: Token = Token(1);

impl Runtime {
    /// Opens a socket and starts a worker thread over it.
    ///
    /// # Errors
    /// Something it needs could not be had; nothing is left behind.
    pub fn start(config: RuntimeConfig) -> Result<Self, RuntimeError> {
        let link_config = LinkConfig {
            max_datagram: config.link.max_datagram.min(usize::from(config.proto.max_datagram)),
            ..config.link
        };
        let mut link = UdpLink::bind(config.listen, &link_config)?;
        let local = link.local_address();
        let proto = fit(config.proto, &link);
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(RuntimeError::Randomness)?;
        let clock = Clock::new();
        let endpoint = Endpoint::new(proto, config.psk, Seed::from_bytes(seed), clock.now())?;
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        poll.registry().register(link.source(), SOCKET, Interest::READABLE)?;
        // a wake-up that fails would hang a caller; the system refuses it only when it is out of
        // resources for good, and then the next timer still comes
        let (worker, pool) = Worker::new(endpoint, link, move || drop(waker.wake()));
        let failure = Arc::new(Mutex::new(None));
        let events = Events::with_capacity(8);
        let mut driver = Driver { worker, poll, events, clock, mode: config.poll, writable: false };
        let report = Arc::clone(&failure);
        let thread = std::thread::Builder::new().name(format!("dcquic-{}", local.port())).spawn(
            move || {
                if let Err(error) = driver.run() {
                    *report.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
            },
        )?;
        Ok(Self { pool, local, thread: Some(thread), failure })
    }

    /// The pool of this worker.
    pub fn pool(&self) -> Pool {
        self.pool.clone()
    }

    /// Where the socket is bound.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Ends the worker, after a moment for open calls.
    ///
    /// # Errors
    /// What the worker failed of, now or earlier.
    pub fn stop(mut self) -> Result<(), RuntimeError> {
        self.join()
    }

    fn join(&mut self) -> Result<(), RuntimeError> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        self.pool.shutdown();
        if thread.join().is_err() {
            return Err(RuntimeError::Panicked);
        }
        match self.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // whoever wants to know calls `stop`
        let _failure = self.join();
    }
}

/// Lowers what the socket cannot take: more credit than its receive buffer holds would be loss.
fn fit(config: Config, link: &UdpLink) -> Config {
    let capabilities = link.capabilities();
    let max_datagram = capabilities.max_datagram.min(usize::from(config.max_datagram)) as u16;
    // half for the data that was pulled; the rest for control and for the kernel's bookkeeping
    let credit = (capabilities.receive_buffer as u64 / 2).max(64 << 10);
    let pull_credit = config.pull_credit.min(credit);
    Config {
        max_datagram,
        max_segments: config.max_segments.min(capabilities.max_segments),
        pull_credit,
        pull_credit_per_peer: config.pull_credit_per_peer.min(pull_credit),
        pull_quantum: config.pull_quantum.min(pull_credit / 2),
        unscheduled_budget: config.unscheduled_budget.min(credit / 2),
        ..config
    }
}

/// What runs on the thread.
struct Driver {
    worker: Worker<UdpLink>,
    poll: Poll,
    events: Events,
    clock: Clock,
    mode: PollMode,
    /// Registered for writability too.
    writable: bool,
}

impl Driver {
    fn run(&mut self) -> Result<(), RuntimeError> {
        let mut idle_since: Option<Instant> = None;
        loop {
            let turn = self.worker.turn(self.clock.now())?;
            if turn.finished {
                return Ok(());
            }
            if turn.busy && !turn.blocked {
                idle_since = None;
                continue;
            }
            self.watch_writable(turn.blocked)?;
            let since = *idle_since.get_or_insert_with(Instant::now);
            let spin = match self.mode {
                PollMode::Busy => true,
                PollMode::Adaptive { spin } => since.elapsed() < spin,
                PollMode::Park => false,
            };
            if spin {
                // somebody may want this core for the very work that is waited for
                std::thread::yield_now();
                continue;
            }
            if self.worker.may_wait() {
                let now = self.clock.now();
                let timeout = turn.next.map(|at| at.saturating_since(now));
                let polled = self.poll.poll(&mut self.events, timeout);
                self.worker.stop_waiting();
                match polled {
                    Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                        return Err(error.into());
                    }
                    _ => {}
                }
            }
            idle_since = None;
        }
    }

    /// Asks to be told when the socket takes more, only while that matters.
    fn watch_writable(&mut self, wanted: bool) -> io::Result<()> {
        if wanted == self.writable {
            return Ok(());
        }
        self.writable = wanted;
        let interest =
            if wanted { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        self.poll.registry().reregister(self.worker.link().source(), SOCKET, interest)
    }
}
