//! What becomes of calls when they are announced: the acceptor's decisions, carried out.

use std::{collections::BTreeMap, sync::Arc};

use hashbrown::{HashMap, HashSet};

use crate::{
    endpoint::{Destination, Endpoint},
    id::{Priority, Status, StreamHandle},
    pool::{Acceptor, Announced, Announcement, Cell, Decision, Load, Mailbox},
    schedule::weights::Weights,
    time::Timestamp,
};

/// Calls from peers between their announcement and their answer, once there is an acceptor.
#[derive(Debug, Default)]
pub(super) struct Admission {
    /// Requests up to this many bytes are fetched before the application has the call; known
    /// when there is an acceptor.
    auto_receive: Option<u64>,
    /// Accepted, and neither answered nor ended.
    unanswered: HashSet<StreamHandle>,
    /// Accepted, while their requests are fetched.
    fetching: HashMap<StreamHandle, Held>,
    queue: Queue,
}

/// A call that the application does not have yet.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) stream: StreamHandle,
    pub(super) announced: Announced,
    pub(super) cell: Arc<Cell>,
}

impl Admission {
    /// Looks whether there is an acceptor by now. If so, every request is offered before it is
    /// pulled from here on.
    pub(super) fn refresh(&mut self, endpoint: &mut Endpoint, mailbox: &Mailbox) {
        if self.auto_receive.is_none() && mailbox.acceptor().is_some() {
            self.auto_receive = Some(endpoint.config().auto_receive);
            endpoint.set_auto_receive(0);
        }
    }

    /// A call is announced.
    pub(super) fn announce(
        &mut self,
        endpoint: &mut Endpoint,
        mailbox: &Mailbox,
        now: Timestamp,
        held: Held,
    ) {
        let Some(acceptor) = mailbox.acceptor() else {
            return hand_over(endpoint, mailbox, now, held);
        };
        let load = Load {
            queued: self.queue.len(),
            unanswered: self.unanswered.len(),
            receive_memory: endpoint.receive_memory(),
            receive_memory_limit: endpoint.config().receive_memory,
        };
        match acceptor.decide(&Announcement::of(&held.announced), &load) {
            Decision::Accept => self.accept(endpoint, mailbox, now, held),
            Decision::Reject(status) => reject(endpoint, now, &held, status),
            Decision::Queue if self.may_accept(acceptor) && self.queue.len() == 0 => {
                self.accept(endpoint, mailbox, now, held);
            }
            Decision::Queue => {
                if let Some(shed) = self.queue.push(held, acceptor.max_queued()) {
                    reject(endpoint, now, &shed, Status::OVERLOADED);
                }
                // the acceptor may admit more than before
                self.serve(endpoint, mailbox, now, acceptor);
            }
        }
    }

    /// A request has all arrived. Gives the body back if the call is the application's.
    pub(super) fn received(
        &mut self,
        endpoint: &mut Endpoint,
        mailbox: &Mailbox,
        now: Timestamp,
        stream: StreamHandle,
        body: Option<bytes::Bytes>,
    ) -> Result<(), Option<bytes::Bytes>> {
        let Some(mut held) = self.fetching.remove(&stream) else { return Err(body) };
        held.announced.body = body;
        hand_over(endpoint, mailbox, now, held);
        Ok(())
    }

    /// A call is answered or has ended: there may be room for a queued one.
    pub(super) fn end(
        &mut self,
        endpoint: &mut Endpoint,
        mailbox: &Mailbox,
        now: Timestamp,
        stream: StreamHandle,
    ) {
        if self.auto_receive.is_none() {
            return;
        }
        self.fetching.remove(&stream);
        self.queue.remove(stream);
        if !self.unanswered.remove(&stream) {
            return;
        }
        if let Some(acceptor) = mailbox.acceptor() {
            self.serve(endpoint, mailbox, now, acceptor);
        }
    }

    /// Every call is being closed: none is served any more.
    pub(super) fn clear(&mut self) {
        self.unanswered.clear();
        self.fetching.clear();
        self.queue = Queue::default();
    }

    /// Hands queued calls over while few enough are unanswered.
    fn serve(
        &mut self,
        endpoint: &mut Endpoint,
        mailbox: &Mailbox,
        now: Timestamp,
        acceptor: &dyn Acceptor,
    ) {
        while self.may_accept(acceptor)
            && let Some(held) = self.queue.pop()
        {
            self.accept(endpoint, mailbox, now, held);
        }
    }

    fn may_accept(&self, acceptor: &dyn Acceptor) -> bool {
        self.unanswered.len() < acceptor.max_unanswered().max(1)
    }

    /// Hands a call to the application, a small one with its request.
    fn accept(&mut self, endpoint: &mut Endpoint, mailbox: &Mailbox, now: Timestamp, held: Held) {
        let stream = held.stream;
        self.unanswered.insert(stream);
        let Announced { offer, body, .. } = &held.announced;
        let small = body.is_none()
            && !offer.pattern.has_many_requests()
            && self.auto_receive.is_some_and(|limit| offer.size <= limit);
        // one that finds no memory is fetched when the application asks for it
        if small && endpoint.receive(now, stream, Destination::Memory).is_ok() {
            self.fetching.insert(stream, held);
        } else {
            hand_over(endpoint, mailbox, now, held);
        }
    }
}

/// Hands a call to the application, or closes it if too many wait there.
fn hand_over(endpoint: &mut Endpoint, mailbox: &Mailbox, now: Timestamp, held: Held) {
    let Held { stream, announced, cell } = held;
    if !mailbox.offer(stream, announced, cell) {
        // a stream that has ended needs no end
        let _ended = endpoint.cancel(now, stream, Status::OVERLOADED);
    }
}

/// Closes a call that the application never sees.
fn reject(endpoint: &mut Endpoint, now: Timestamp, held: &Held, status: Status) {
    held.cell.abandon();
    // a stream that has ended needs no end
    let _ended = endpoint.cancel(now, held.stream, status);
}

/// Queued calls: in the order of their arrival within a priority, priorities by turns.
#[derive(Debug, Default)]
struct Queue {
    levels: [BTreeMap<u64, Held>; Priority::LEVELS],
    places: HashMap<StreamHandle, (usize, u64)>,
    arrivals: u64,
    weights: Weights,
}

impl Queue {
    fn len(&self) -> usize {
        self.places.len()
    }

    /// Adds a call. Gives back the one that there is no room for: the latest of the least urgent.
    fn push(&mut self, held: Held, limit: usize) -> Option<Held> {
        let level = usize::from(held.announced.offer.priority.level());
        let mut shed = None;
        if self.len() >= limit {
            let Some(last) = (level + 1..Priority::LEVELS)
                .rev()
                .find_map(|level| self.levels[level].pop_last().map(|(_, held)| held))
            else {
                return Some(held);
            };
            self.places.remove(&last.stream);
            self.update(usize::from(last.announced.offer.priority.level()));
            shed = Some(last);
        }
        self.arrivals += 1;
        self.places.insert(held.stream, (level, self.arrivals));
        self.levels[level].insert(self.arrivals, held);
        self.weights.enter(level);
        shed
    }

    fn pop(&mut self) -> Option<Held> {
        let level = self.weights.first(self.weights.ready())?;
        let (_, held) = self.levels[level].pop_first()?;
        self.weights.charge(level, 1);
        self.update(level);
        self.places.remove(&held.stream);
        Some(held)
    }

    fn remove(&mut self, stream: StreamHandle) {
        if let Some((level, arrival)) = self.places.remove(&stream) {
            self.levels[level].remove(&arrival);
            self.update(level);
        }
    }

    fn update(&mut self, level: usize) {
        if self.levels[level].is_empty() {
            self.weights.leave(level);
        }
    }
}

#[cfg(test)]
mod tests;
