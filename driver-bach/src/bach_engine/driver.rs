//! A host: a worker over a socket, and the task that drives it.

use core::{net::SocketAddr, task::Waker};
use std::io;

use bach::coop::Operation;
use dcquic_proto::{
    endpoint::Endpoint,
    pool::Pool,
    time::Timestamp,
    worker::{Turn, Worker},
};

use super::Nic;
use crate::{BachLink, Clock, Settings, host::dcquic::leftovers, net::Picos};

/// No timer is set to less than this ahead.
const NEXT_INSTANT: Picos = Picos::from_nanos(1);

/// Drives a worker.
pub(super) struct Driver {
    worker: Worker<BachLink>,
    address: SocketAddr,
    nic: Nic,
    waker: Waker,
    clock: Clock,
    /// When the host does nothing: from, until.
    pauses: Vec<(Picos, Picos)>,
    /// What all drivers queue for before they take a turn, where Bach permutes that queue.
    interleaving: Option<Operation>,
}

impl Driver {
    /// Binds a socket of the current group at `address`, and puts a worker on it.
    ///
    /// # Errors
    /// The group does not have this address.
    pub(super) async fn open(
        address: SocketAddr,
        endpoint: Endpoint,
        nic: Nic,
        settings: Settings,
        (pauses, interleaving): (Vec<(Picos, Picos)>, Option<Operation>),
    ) -> io::Result<(Self, Pool)> {
        let link = BachLink::bind(address, settings).await?.with_nic(nic.clone());
        let (waker, ring) = (link.waker(), link.waker());
        let (worker, pool) = Worker::new(endpoint, link, move || ring.wake_by_ref());
        let clock = settings.clock;
        Ok((Self { worker, address, nic, waker, clock, pauses, interleaving }, pool))
    }

    /// Takes turns until the pool is shut down; what the endpoint still holds then.
    ///
    /// # Errors
    /// The socket is broken.
    pub(super) async fn run(mut self) -> io::Result<Vec<String>> {
        // A socket wakes nobody before it was asked for the first time. The endpoint is not asked
        // before something happens to it, here as in the scale engine: it would take that for the
        // moment from which it may tell its peers something.
        let mut is_due = self.worker.handle_inputs(self.clock.timestamp())?;
        self.worker.link().wait(None).await;
        let mut next = None;
        loop {
            if !core::mem::take(&mut is_due) && self.worker.may_wait() {
                self.set_alarm(next);
                self.worker.link().wait(None).await;
                self.worker.stop_waiting();
            }
            self.sit_out_pauses().await;
            if let Some(order) = &self.interleaving {
                order.acquire().await;
            }
            let turn = self.turn().await?;
            if turn.finished {
                return Ok(leftovers(self.address, &self.worker.usage()));
            }
            next = turn.next;
        }
    }

    async fn sit_out_pauses(&self) {
        let now = self.clock.now();
        let paused = |(from, until): &&(Picos, Picos)| (*from..*until).contains(&now);
        if let Some((_, until)) = self.pauses.iter().find(paused) {
            self.clock.sleep_until(*until).await;
        }
    }

    /// Takes turns until nothing is left to do at this instant.
    async fn turn(&mut self) -> io::Result<Turn> {
        let now = self.clock.timestamp();
        loop {
            self.worker.handle_inputs(now)?;
            // Those who were told something run before this task does again, and their answers go
            // out together with what the endpoint has to say. The scale engine's hosts do so too.
            bach::task::yield_now().await;
            while self.worker.handle_inputs(now)? {}
            let turn = self.worker.poll_outputs(now)?;
            if turn.finished || !self.worker.handle_inputs(now)? {
                return Ok(turn);
            }
        }
    }

    /// Sets the alarm to the next deadline. One that was set to an earlier time stays, as in the
    /// scale engine: what an endpoint paces may depend on when it is asked.
    fn set_alarm(&self, next: Option<Timestamp>) {
        if let Some(next) = next {
            let at = Picos::from(next).max(self.clock.now() + NEXT_INSTANT);
            self.nic.set_alarm(at, &self.waker);
        }
    }
}
