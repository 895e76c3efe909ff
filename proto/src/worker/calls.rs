//! Which call of the application is which stream of the endpoint.

mod starts;

use core::net::SocketAddr;
use std::sync::Arc;

use hashbrown::HashMap;

use super::{
    admission::{Admission, Held},
    dependants::Dependants,
    waiting::Waiting,
};
use crate::{
    endpoint::{
        AddPeerError, Endpoint, Event, Message, Outcome, Payload, PeerFailure, SendError,
        StreamError,
    },
    id::{Incarnation, PeerId, Status, StreamHandle},
    pool::{Announced, CallCause, Cell, Command, Head, Mailbox, Record, Response},
    time::Timestamp,
};

/// The calls that are open, by stream, and the peers by address.
#[derive(Debug, Default)]
pub(super) struct Calls {
    cells: HashMap<StreamHandle, Arc<Cell>>,
    peers: HashMap<SocketAddr, PeerId>,
    remotes: HashMap<PeerId, (SocketAddr, Incarnation)>,
    /// The peers that have not answered yet, and who waits for their answer.
    greeting: HashMap<PeerId, Vec<Arc<Cell>>>,
    dependants: Dependants,
    waiting: Waiting,
    /// Commands to peers of which an event tells that they are gone, which was not seen yet.
    early: Vec<Command>,
    admission: Admission,
}

impl Calls {
    pub(super) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// To be called before a turn's input: see [`Admission::refresh`].
    pub(super) fn refresh(&mut self, endpoint: &mut Endpoint, mailbox: &Mailbox) {
        self.admission.refresh(endpoint, mailbox);
    }

    /// Closes every call; the peers are told that this side shuts down.
    pub(super) fn close_all(&mut self, endpoint: &mut Endpoint, now: Timestamp) {
        self.admission.clear();
        let mut open: Vec<_> = self.cells.drain().collect();
        // the table's order is not that of anything
        open.sort_unstable_by_key(|(stream, _)| *stream);
        for (stream, cell) in open {
            cell.fail(CallCause::WorkerGone);
            // a stream that has ended needs no end
            let _ended = endpoint.cancel(now, stream, Status::SHUTDOWN);
        }
    }

    /// Carries out what the application wants.
    pub(super) fn command(
        &mut self,
        endpoint: &mut Endpoint,
        mailbox: &Mailbox,
        now: Timestamp,
        command: Command,
    ) {
        let remote = match &command {
            Command::Start(start) | Command::Released { start, .. } => Some(start.remote),
            Command::Connect { cell } => Some(cell.remote()),
            _ => None,
        };
        let peer = remote.and_then(|remote| self.peers.get(&remote));
        if peer.is_some_and(|peer| endpoint.health(*peer).is_none()) {
            return self.early.push(command);
        }
        match command {
            Command::Start(start) => self.start(endpoint, mailbox, now, *start),
            Command::Released { start, behind, failed } => {
                let waited = self.dependants.release(&start.cell);
                let peer = self.peers.get(&start.remote).copied();
                if failed {
                    start.cell.fail(CallCause::DependencyFailed);
                } else if self.dependants.are_elsewhere(peer, &behind) {
                    self.start(endpoint, mailbox, now, start.again(behind));
                } else {
                    self.open(endpoint, now, *start, &behind);
                }
                self.start_all(endpoint, mailbox, now, waited);
            }
            Command::Connect { cell } => self.connect(endpoint, now, cell),
            Command::Health { cell } => {
                let peer = self.peers.get(&cell.remote());
                cell.answer_health(peer.and_then(|peer| endpoint.health(*peer)));
            }
            Command::Supply { cell, chunk } => {
                if let Some(stream) = cell.stream()
                    && let Err(error) = endpoint.supply(now, stream, chunk)
                {
                    cell.fail(CallCause::Supply(error));
                }
            }
            Command::Receive { cell, destination } => {
                if let Some(stream) = cell.stream()
                    && let Err(error) = endpoint.receive(now, stream, destination)
                {
                    cell.fail(CallCause::Stream(error));
                    // nothing more can come of the call, and the caller must not wait for it
                    if let StreamError::TooLargeForMemory { .. } = error {
                        let _closed = endpoint.cancel(now, stream, Status::TOO_LARGE);
                    }
                }
            }
            Command::Release { cell, bytes } => {
                if let Some(stream) = cell.stream() {
                    endpoint.release(now, stream, bytes);
                }
            }
            Command::Respond { cell, respond } => {
                let answered = matches!(respond.payload, Payload::Whole(_));
                if let Some(stream) = cell.stream()
                    && let Err(error) = endpoint.respond(now, stream, *respond)
                {
                    cell.fail(CallCause::Respond(error));
                    // the caller must not wait for an answer that will never come
                    let _closed = endpoint.cancel(now, stream, Status::INTERNAL);
                }
                if let Some(stream) = cell.stream()
                    && answered
                {
                    self.admission.end(endpoint, mailbox, now, stream);
                }
            }
            Command::Flush { cell } => flush(endpoint, now, &cell),
            Command::Consume { cell, messages, bytes } => {
                if let Some(stream) = cell.stream() {
                    endpoint.consume(now, stream, messages, bytes);
                }
            }
            Command::Cancel { cell, status } => {
                if let Some(stream) = cell.stream() {
                    // a stream that has ended needs no end
                    let ended = endpoint.cancel(now, stream, status);
                    if ended.is_ok() && cell.token().is_some() {
                        // the next command may be a call that depends on it
                        cell.fail(CallCause::Cancelled);
                    }
                    self.admission.end(endpoint, mailbox, now, stream);
                } else {
                    self.fail_waiting(endpoint, mailbox, now, &cell, CallCause::Cancelled);
                }
            }
        }
    }

    /// Carries out what waited for events, once all of them were told; whether there was any.
    pub(super) fn command_early(
        &mut self,
        endpoint: &mut Endpoint,
        mailbox: &Mailbox,
        now: Timestamp,
    ) -> bool {
        let early = core::mem::take(&mut self.early);
        let any = !early.is_empty();
        early.into_iter().for_each(|command| self.command(endpoint, mailbox, now, command));
        any
    }

    /// The peer at an address, which is greeted if it is not known.
    fn peer(
        &mut self,
        endpoint: &mut Endpoint,
        now: Timestamp,
        remote: SocketAddr,
    ) -> Result<PeerId, AddPeerError> {
        if let Some(peer) = self.peers.get(&remote) {
            return Ok(*peer);
        }
        let peer = endpoint.add_peer(now, remote)?;
        self.peers.insert(remote, peer);
        self.remotes.insert(peer, (remote, Incarnation::default()));
        self.greeting.insert(peer, Vec::new());
        Ok(peer)
    }

    fn connect(&mut self, endpoint: &mut Endpoint, now: Timestamp, cell: Arc<Cell>) {
        match self.peer(endpoint, now, cell.remote()) {
            Ok(peer) => match self.greeting.get_mut(&peer) {
                Some(waiting) => waiting.push(cell),
                None => match endpoint.ask_for(now, peer) {
                    Ok(()) => cell.close(Outcome::Complete),
                    Err(error) => cell.fail(CallCause::Start(error)),
                },
            },
            Err(error) => cell.fail(CallCause::AddPeer(error)),
        }
    }

    /// Tells those who wait for a peer's answer what came of it.
    fn greeted(&mut self, peer: PeerId, outcome: Outcome) {
        for cell in self.greeting.remove(&peer).into_iter().flatten() {
            cell.close(outcome);
        }
    }

    /// Tells the application what happened.
    pub(super) fn event(
        &mut self,
        endpoint: &mut Endpoint,
        mailbox: &Mailbox,
        now: Timestamp,
        event: Event,
    ) {
        match event {
            Event::PeerConnected { peer, remote, incarnation } => {
                // a peer that greeted us is called over its session; the latest one is alive
                self.peers.insert(remote, peer);
                self.remotes.insert(peer, (remote, incarnation));
                self.greeted(peer, Outcome::Complete);
            }
            // what was open with the peer has events of its own, and what is new is refused by the
            // endpoint
            Event::PeerHealth { peer, .. } => self.resume(endpoint, now, peer),
            Event::PeerFailed { peer, remote, cause } => {
                self.peer_failed(endpoint, now, peer, remote, cause);
            }
            Event::Opened { stream, offer, body } => {
                let Some(&(remote, incarnation)) = self.remotes.get(&stream.peer) else { return };
                let cell = Arc::new(Cell::for_incoming(remote, stream));
                self.cells.insert(stream, Arc::clone(&cell));
                let announced = Announced { remote, incarnation, offer, body };
                let held = Held { stream, announced, cell };
                self.admission.announce(endpoint, mailbox, now, held);
            }
            Event::Response { stream, status, metadata, size, body } => {
                let Some(cell) = self.cells.get(&stream) else { return };
                match body {
                    Some(body) => cell.respond(Response { status, metadata, body }),
                    None => cell.begin(Head { status, metadata, size }),
                }
            }
            Event::Sent { stream } => {
                if let Some(token) = self.cells.get(&stream).and_then(|cell| cell.guard()) {
                    token.report_sent();
                }
            }
            Event::Message { stream, metadata, body, fin } => {
                if let Some(cell) = self.cells.get(&stream) {
                    cell.push_message(Message { metadata, body, fin });
                }
            }
            Event::Writable { stream } => {
                if let Some(cell) = self.cells.get(&stream) {
                    flush(endpoint, now, cell);
                }
            }
            Event::Record { stream, offset, data } => {
                self.record(endpoint, now, stream, Record { offset, data });
            }
            Event::Received { stream, body } => {
                let ours = self.admission.received(endpoint, mailbox, now, stream, body);
                if let (Err(body), Some(cell)) = (ours, self.cells.get(&stream)) {
                    cell.received(body);
                }
            }
            Event::SupplyWanted { stream, up_to } => {
                if let Some(cell) = self.cells.get(&stream) {
                    cell.open_window(up_to);
                }
            }
            Event::Closed { stream, outcome } => {
                if let Some(cell) = self.cells.get(&stream) {
                    cell.close(outcome);
                }
                self.close(endpoint, now, stream);
                self.admission.end(endpoint, mailbox, now, stream);
            }
        }
    }

    fn peer_failed(
        &mut self,
        endpoint: &mut Endpoint,
        now: Timestamp,
        peer: PeerId,
        remote: SocketAddr,
        cause: PeerFailure,
    ) {
        self.remotes.remove(&peer);
        self.greeted(peer, Outcome::PeerFailed(cause));
        if self.peers.get(&remote) == Some(&peer) {
            self.peers.remove(&remote);
        }
        // whoever waited for a stream goes to who is there now, if anybody
        while let Some((start, behind)) = self.waiting.pop(peer) {
            self.open(endpoint, now, start, &behind);
        }
    }

    fn record(
        &mut self,
        endpoint: &mut Endpoint,
        now: Timestamp,
        stream: StreamHandle,
        record: Record,
    ) {
        let len = record.data.len() as u64;
        let taken = self.cells.get(&stream).is_some_and(|cell| cell.push(record));
        if !taken {
            // nobody will read it: the window must not stay shut
            endpoint.release(now, stream, len);
        }
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        let greeting = self.greeting.drain().flat_map(|(_, waiting)| waiting);
        for cell in self.cells.drain().map(|(_, cell)| cell).chain(greeting) {
            cell.fail(CallCause::WorkerGone);
        }
        self.dependants.fail_all(CallCause::WorkerGone);
        for start in self.waiting.drain() {
            start.cell.fail(CallCause::WorkerGone);
        }
    }
}

/// Sends what waits in a call, as far as the peer takes it. What it does not take waits for
/// [`Event::Writable`]; before the call has a stream, for its start.
fn flush(endpoint: &mut Endpoint, now: Timestamp, cell: &Cell) {
    let Some(stream) = cell.stream() else { return };
    while let Some(message) = cell.next_to_send() {
        match endpoint.send(now, stream, message) {
            Ok(()) => cell.on_sent(),
            Err(SendError::Blocked) => return,
            // how the stream has ended is what the caller is told
            Err(SendError::Stream(StreamError::UnknownStream)) => return,
            Err(error) => {
                cell.fail(CallCause::Send(error));
                // the peer must not wait for a message that never comes
                let _closed = endpoint.cancel(now, stream, Status::INTERNAL);
                return;
            }
        }
    }
}

/// How a stream's end looks to the one who called or answered.
pub(crate) fn cause_of(outcome: Outcome) -> Option<CallCause> {
    match outcome {
        Outcome::Complete => None,
        Outcome::ClosedByPeer(Status::DEPENDENCY) => Some(CallCause::DependencyFailed),
        Outcome::ClosedByPeer(status) => Some(CallCause::ClosedByPeer(status)),
        Outcome::Cancelled => Some(CallCause::Cancelled),
        Outcome::Deadline => Some(CallCause::Deadline),
        Outcome::Refused(status) => Some(CallCause::Refused(status)),
        Outcome::PeerFailed(failure) => Some(CallCause::PeerFailed(failure)),
        Outcome::Unanswered => Some(CallCause::Unanswered),
    }
}
