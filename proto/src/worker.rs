//! One turn of the loop: link in, commands in, timers, events out, link out.
//!
//! A driver owns the thread or task and the clock, and calls [`Worker::turn`] with the time. The
//! same worker runs over UDP, EFA and the simulator.

mod admission;
mod calls;
mod dependants;
mod waiting;

pub(crate) use calls::cause_of;

use core::time::Duration;

use self::calls::Calls;
use crate::{
    causality::{CausalityMap, MapId},
    endpoint::{Endpoint, TransmitQueue, Usage},
    link::Link,
    pool::{Mailbox, Pool, RingConfig},
    time::Timestamp,
};

/// Commands taken per turn at most.
const COMMAND_BATCH: usize = 512;

/// Bytes handed to the link per turn at most.
const TRANSMIT_BUDGET: usize = 256 << 10;

/// How long a shutdown waits for calls to end.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(500);

/// An endpoint on a link, with the applications' commands and the answers to them.
#[derive(Debug)]
pub struct Worker<L: Link> {
    endpoint: Endpoint,
    link: L,
    mailbox: Mailbox,
    calls: Calls,
    queue: TransmitQueue,
    shutdown_at: Option<Timestamp>,
}

/// What a turn did, and when the next is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Something was received, commanded or sent: another turn may find more at once.
    pub busy: bool,
    /// The link refused to send more for now: wait for it to become writable too.
    pub blocked: bool,
    /// The latest time for the next turn; none if only input can bring work.
    pub next: Option<Timestamp>,
    /// The pool was shut down and what was open has ended: no more turns are needed.
    pub finished: bool,
}

impl<L: Link> Worker<L> {
    /// A worker, and the pool that commands it.
    ///
    /// `wake` is called from any thread when there is a command for a worker that said it would
    /// wait (see [`Self::may_wait`]).
    pub fn new(
        endpoint: Endpoint,
        link: L,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> (Self, Pool) {
        Self::with_rings(endpoint, link, RingConfig::default(), wake)
    }

    /// As [`Self::new`], with rings of other depths between the pool and the worker.
    pub fn with_rings(
        endpoint: Endpoint,
        link: L,
        rings: RingConfig,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> (Self, Pool) {
        let (mailbox, pool) = crate::pool::connect(causality_map(&endpoint), rings, wake);
        let worker = Self {
            endpoint,
            link,
            mailbox,
            calls: Calls::default(),
            queue: TransmitQueue::new(),
            shutdown_at: None,
        };
        (worker, pool)
    }

    /// The link, to register it for readiness.
    pub fn link(&mut self) -> &mut L {
        &mut self.link
    }

    /// What the endpoint holds.
    pub fn usage(&self) -> Usage {
        self.endpoint.usage()
    }

    /// One turn: [`Self::handle_inputs`], then [`Self::poll_outputs`].
    ///
    /// # Errors
    /// The link is broken. The worker is then of no more use; dropping it ends every call.
    pub fn turn(&mut self, now: Timestamp) -> Result<Turn, L::Error> {
        let busy = self.handle_inputs(now)?;
        let turn = self.poll_outputs(now)?;
        Ok(Turn { busy: busy || turn.busy, ..turn })
    }

    /// The first half of a turn: takes what the link, the application and the clock have, and tells
    /// the application what happened. Bounded work: a batch of each kind. Returns whether there
    /// was any.
    ///
    /// A driver that shares its thread with the application may let that answer before it calls
    /// [`Self::poll_outputs`]: the answers then travel with the acknowledgements.
    ///
    /// # Errors
    /// As of [`Self::turn`].
    pub fn handle_inputs(&mut self, now: Timestamp) -> Result<bool, L::Error> {
        self.calls.refresh(&mut self.endpoint, &self.mailbox);
        let mut busy = self.receive(now)?;
        // a call may depend on one that has just ended: commands have to find it so
        self.mailbox.publish(self.endpoint.stats());
        busy |= self.dispatch(now);
        busy |= self.command(now);
        if self.endpoint.poll_timeout().is_some_and(|wake| wake.at <= now) {
            self.endpoint.handle_timeout(now);
            busy = true;
        }
        if self.shutdown_at.is_some_and(|at| now >= at) {
            // the peers learn of the end now instead of by silence
            self.calls.close_all(&mut self.endpoint, now);
        }
        // before anybody can see what they count: those who were waiting, or the peer
        self.mailbox.publish(self.endpoint.stats());
        busy |= self.dispatch(now);
        Ok(busy)
    }

    /// The second half of a turn: sends what is to be sent, as far as the link takes it.
    ///
    /// # Errors
    /// As of [`Self::turn`].
    pub fn poll_outputs(&mut self, now: Timestamp) -> Result<Turn, L::Error> {
        let mut busy = false;
        let blocked = self.transmit(now, &mut busy)?;
        let finished = self.is_finished(now);
        let wake = self.endpoint.poll_timeout().map(|wake| wake.at);
        let mut next = wake.into_iter().chain(self.calls.next_expiry()).min();
        if let Some(at) = self.shutdown_at {
            next = Some(next.map_or(at, |next| next.min(at)));
        }
        Ok(Turn { busy, blocked, next, finished })
    }

    /// Says that no turn will come before an input or a timer, and that commands have to wake the
    /// worker from here on. False if there is a command already: then a turn is due at once.
    pub fn may_wait(&self) -> bool {
        if !self.mailbox.park() {
            return false;
        }
        // a shutdown that came since the last turn found nobody to wake
        let unnoticed = self.shutdown_at.is_none() && self.mailbox.is_shut_down();
        if unnoticed {
            self.mailbox.unpark();
        }
        !unnoticed
    }

    /// Says that turns come again by themselves.
    pub fn stop_waiting(&self) {
        self.mailbox.unpark();
    }

    fn receive(&mut self, now: Timestamp) -> Result<bool, L::Error> {
        let endpoint = &mut self.endpoint;
        // one batch only: what it allows to be pulled is asked for before the next one is read, so
        // that sender and receiver work at the same time
        let count =
            self.link.receive(&mut |info, data| endpoint.handle_datagram(now, info, data))?;
        let mut busy = count > 0;
        while let Some(remote) = self.link.poll_unreachable() {
            endpoint.handle_unreachable(now, remote);
            busy = true;
        }
        Ok(busy)
    }

    fn command(&mut self, now: Timestamp) -> bool {
        let mut busy = false;
        for _ in 0..COMMAND_BATCH {
            let Some(command) = self.mailbox.next(now) else { break };
            self.calls.command(&mut self.endpoint, &self.mailbox, now, command);
            busy = true;
        }
        self.calls.expire(&mut self.endpoint, &self.mailbox, now);
        self.mailbox.end_turn(now);
        if self.mailbox.is_shut_down() && self.shutdown_at.is_none() {
            self.shutdown_at = Some(now + SHUTDOWN_GRACE);
            busy = true;
        }
        busy
    }

    fn dispatch(&mut self, now: Timestamp) -> bool {
        let mut busy = false;
        loop {
            while let Some(event) = self.endpoint.poll_event() {
                self.calls.event(&mut self.endpoint, &self.mailbox, now, event);
                busy = true;
            }
            if !self.calls.command_early(&mut self.endpoint, &self.mailbox, now) {
                return busy;
            }
        }
    }

    /// Sends what may be sent; true if the link refused some of it for now.
    fn transmit(&mut self, now: Timestamp, busy: &mut bool) -> Result<bool, L::Error> {
        let mut budget = TRANSMIT_BUDGET;
        loop {
            let room = self.link.room();
            if room == 0 {
                return Ok(true);
            }
            let batch = budget.min(1 << 17).min(room);
            let more = self.endpoint.poll_transmit(now, &mut self.queue, batch);
            let waiting = self.queue.bytes();
            if waiting > 0 {
                *busy = true;
                self.mailbox.publish(self.endpoint.stats());
                if !self.link.transmit(&mut self.queue)? {
                    // the rest waits in the queue, and nothing is added before it is gone
                    return Ok(true);
                }
            }
            budget = budget.saturating_sub(waiting);
            if !more || budget == 0 {
                return Ok(false);
            }
        }
    }

    fn is_finished(&self, now: Timestamp) -> bool {
        self.shutdown_at.is_some_and(|at| now >= at || self.calls.is_empty())
    }
}

/// A map for the names of an endpoint's calls: other processes have other ones.
fn causality_map(endpoint: &Endpoint) -> CausalityMap {
    let mut id = [0; 8];
    id.copy_from_slice(&endpoint.incarnation().0[..8]);
    CausalityMap::sized(MapId(u64::from_be_bytes(id)), endpoint.config().causality)
}
