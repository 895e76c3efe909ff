//! What goes between the pool and its worker.

use core::{net::SocketAddr, task::Waker};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use crossbeam_queue::SegQueue;

use super::{
    Acceptor, CallCause, CallOptions, Cell, Incoming, Pool,
    doorbell::Doorbell,
    lanes::{Lanes, Place},
    rings::{RingConfig, Rings, Taker},
    sync::{AtomicBool, Ordering},
};
use crate::{
    causality::{CausalityMap, Dependency, Dependent},
    endpoint::{Destination, Offer, Payload, Respond, Stats},
    id::{Incarnation, Priority, Status, StreamHandle},
    time::Timestamp,
};

/// What the application wants of the worker.
#[derive(Debug)]
pub(crate) enum Command {
    Start(Box<Start>),
    /// What a call had to wait for is out of the way, or has failed.
    Released {
        start: Box<Start>,
        behind: Vec<Dependency>,
        failed: bool,
    },
    Connect {
        cell: Arc<Cell>,
    },
    Health {
        cell: Arc<Cell>,
    },
    Supply {
        cell: Arc<Cell>,
        chunk: Bytes,
    },
    Receive {
        cell: Arc<Cell>,
        destination: Destination,
    },
    Release {
        cell: Arc<Cell>,
        bytes: u64,
    },
    Respond {
        cell: Arc<Cell>,
        respond: Box<Respond>,
    },
    Flush {
        cell: Arc<Cell>,
    },
    Consume {
        cell: Arc<Cell>,
        messages: u64,
        bytes: u64,
    },
    Cancel {
        cell: Arc<Cell>,
        status: Status,
    },
}

/// A call to start.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) remote: SocketAddr,
    pub(crate) options: CallOptions,
    pub(crate) metadata: Bytes,
    pub(crate) payload: Payload,
    pub(crate) response: Destination,
    pub(crate) cell: Arc<Cell>,
    /// What must come first, until it was looked at.
    pub(crate) dependent: Option<Dependent>,
    /// When it is given up, once the worker has seen it.
    pub(crate) expires: Option<Timestamp>,
}

impl Start {
    /// A call that waited for others, and has to wait for more.
    pub(crate) fn again(mut self, dependencies: Vec<Dependency>) -> Self {
        let name = self.cell.guard().cloned();
        self.dependent = name.map(|name| Dependent::new(name, dependencies));
        self
    }
}

/// A call from a peer, as it was announced.
#[derive(Debug)]
pub(crate) struct Announced {
    pub(crate) remote: SocketAddr,
    pub(crate) incarnation: Incarnation,
    pub(crate) offer: Offer,
    pub(crate) body: Option<Bytes>,
}

/// The state that both ends share.
pub(crate) struct Shared {
    /// Calls to start, by priority.
    rings: Rings,
    /// Everything about calls that exist, and peers to greet: at most a few per future that the
    /// application holds, so that no bound is needed.
    follow_ups: SegQueue<Command>,
    /// Calls from peers, and those who wait for them.
    incoming: Lanes<Incoming>,
    acceptor: OnceLock<Box<dyn Acceptor>>,
    doorbell: Doorbell,
    wake: Box<dyn Fn() + Send + Sync>,
    shut_down: AtomicBool,
    /// The worker has ended: nothing will be taken from here any more.
    gone: AtomicBool,
    stats: Mutex<Stats>,
    /// The calls that have names.
    causality: CausalityMap,
}

impl core::fmt::Debug for Shared {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Shared").field("incoming", &self.incoming.len()).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn causality(&self) -> &CausalityMap {
        &self.causality
    }

    /// Hands a call to the worker; gives it back if the ring is full.
    pub(super) fn start(&self, start: Box<Start>) -> Result<(), Box<Start>> {
        let cell = Arc::clone(&start.cell);
        self.rings.push(start)?;
        self.pushed(&cell);
        Ok(())
    }

    /// Wakes `waker` when there may be room for a call again. To be followed by another try.
    pub(super) fn wait_for_room(&self, start: &Start, waker: Waker) {
        self.rings.want_room(start, waker);
    }

    /// Calls that wait for the worker, by priority.
    pub(super) fn waiting(&self) -> [usize; Priority::LEVELS] {
        self.rings.waiting()
    }

    /// Hands anything else to the worker.
    pub(crate) fn follow_up(&self, command: Command) {
        let cell = match &command {
            Command::Start(start) | Command::Released { start, .. } => &start.cell,
            Command::Connect { cell }
            | Command::Health { cell }
            | Command::Supply { cell, .. }
            | Command::Receive { cell, .. }
            | Command::Release { cell, .. }
            | Command::Respond { cell, .. }
            | Command::Flush { cell }
            | Command::Consume { cell, .. }
            | Command::Cancel { cell, .. } => cell,
        };
        let cell = Arc::clone(cell);
        self.follow_ups.push(command);
        self.pushed(&cell);
    }

    fn pushed(&self, cell: &Cell) {
        self.ring();
        // either the worker's last look at the queues finds what was pushed, or this sees its end
        if self.gone.load(Ordering::SeqCst) {
            cell.fail(CallCause::WorkerGone);
            // whoever pushes fails its own cell; nothing may stay that holds a name
            while self.follow_ups.pop().is_some() {}
        }
    }

    fn ring(&self) {
        if self.doorbell.ring() {
            (self.wake)();
        }
    }

    /// Calls from peers.
    pub(super) const fn incoming(&self) -> &Lanes<Incoming> {
        &self.incoming
    }

    /// Installs who decides on calls; false if somebody does already.
    pub(super) fn set_acceptor(&self, acceptor: Box<dyn Acceptor>) -> bool {
        self.acceptor.set(acceptor).is_ok()
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }

    pub(super) fn stats(&self) -> Stats {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn shut_down(&self) {
        self.shut_down.store(true, Ordering::SeqCst);
        self.ring();
    }
}

/// The worker's end.
#[derive(Debug)]
pub(crate) struct Mailbox {
    shared: Arc<Shared>,
    taker: Taker,
}

/// A mailbox and its pool.
pub(crate) fn connect(
    causality: CausalityMap,
    rings: RingConfig,
    wake: impl Fn() + Send + Sync + 'static,
) -> (Mailbox, Pool) {
    let shared = Arc::new(Shared {
        rings: Rings::new(rings),
        follow_ups: SegQueue::new(),
        incoming: Lanes::new(),
        acceptor: OnceLock::new(),
        doorbell: Doorbell::new(),
        wake: Box::new(wake),
        shut_down: AtomicBool::new(false),
        gone: AtomicBool::new(false),
        stats: Mutex::default(),
        causality,
    });
    (Mailbox { shared: Arc::clone(&shared), taker: Taker::default() }, Pool { shared })
}

impl Mailbox {
    /// What the pool and the worker share.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The next command: what concerns open calls first, then calls by priority.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<Command> {
        if let Some(command) = self.shared.follow_ups.pop() {
            return Some(command);
        }
        self.taker.next(&self.shared.rings, now).map(Command::Start)
    }

    /// A turn has taken the commands that it takes: wakes those who found a ring full that now has
    /// room.
    pub(crate) fn end_turn(&mut self, now: Timestamp) {
        self.taker.end_turn(&self.shared.rings, now);
    }

    /// Offers a call to whoever accepts; false if too many wait already.
    pub(crate) fn offer(
        &self,
        stream: StreamHandle,
        announced: Announced,
        cell: Arc<Cell>,
    ) -> bool {
        let Offer { priority, token, ref after, .. } = announced.offer;
        let place = Place { level: priority, name: token.map(|_| stream), after: after.clone() };
        let incoming = Incoming::new(announced, cell, Arc::clone(&self.shared));
        match self.shared.incoming.push(place, incoming) {
            Ok(()) => true,
            Err(incoming) => {
                incoming.withdraw();
                false
            }
        }
    }

    /// Who decides on calls, if somebody was installed.
    pub(crate) fn acceptor(&self) -> Option<&dyn Acceptor> {
        self.shared.acceptor.get().map(Box::as_ref)
    }

    /// See [`Worker::may_wait`](crate::worker::Worker::may_wait).
    pub(crate) fn park(&self) -> bool {
        self.shared.doorbell.park();
        let idle = self.shared.follow_ups.is_empty() && self.shared.rings.is_empty();
        if !idle {
            self.unpark();
        }
        idle
    }

    pub(crate) fn unpark(&self) {
        self.shared.doorbell.unpark();
    }

    pub(crate) fn is_shut_down(&self) -> bool {
        self.shared.shut_down.load(Ordering::SeqCst)
    }

    pub(crate) fn publish(&self, stats: &Stats) {
        let mut published = self.shared.stats.lock().unwrap_or_else(PoisonError::into_inner);
        published.clone_from(stats);
        published.ring_waits = self.taker.waits();
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.shared.gone.store(true, Ordering::SeqCst);
        while let Some(command) = self.next(Timestamp::ZERO) {
            match command {
                Command::Start(start) | Command::Released { start, .. } => {
                    start.cell.fail(CallCause::WorkerGone);
                }
                Command::Connect { cell } | Command::Health { cell } => {
                    cell.fail(CallCause::WorkerGone);
                }
                _ => {}
            }
        }
        // calls that nobody accepted end here; those that wait learn that none will come
        while self.shared.incoming.pop().is_some() {}
        self.shared.rings.wake_all();
        self.shared.incoming.wake_all();
    }
}
