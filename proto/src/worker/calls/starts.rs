//! From a command to a stream: calls start, wait for others, for their turn, or come to nothing.

use core::time::Duration;

use super::{Calls, flush};
use crate::{
    causality::{Dependency, Token},
    endpoint::{Endpoint, Open, StartError},
    id::{PeerId, Status, StreamHandle},
    pool::{CallCause, CallOptions, Cell, Command, Mailbox, Start},
    time::Timestamp,
    worker::dependants::Next,
};

impl Calls {
    /// Starts a call, or lets it wait for those that it depends on.
    pub(super) fn start(
        &mut self,
        endpoint: &mut Endpoint,
        mailbox: &Mailbox,
        now: Timestamp,
        start: Start,
    ) {
        if start.dependent.is_none() || !start.cell.is_wanted() {
            return self.open(endpoint, now, start, &[]);
        }
        let peer = match self.peer(endpoint, now, start.remote) {
            Ok(peer) => peer,
            Err(error) => return start.cell.fail(CallCause::AddPeer(error)),
        };
        match self.dependants.hold(mailbox.shared(), now, peer, start) {
            Next::Go(start, behind) => self.open(endpoint, now, start, &behind),
            Next::Waits => {}
            Next::Failed(start) => start.cell.fail(CallCause::DependencyFailed),
        }
    }

    pub(super) fn start_all(
        &mut self,
        endpoint: &mut Endpoint,
        mailbox: &Mailbox,
        now: Timestamp,
        starts: Vec<Start>,
    ) {
        for start in starts {
            self.start(endpoint, mailbox, now, start);
        }
    }

    /// Sends a call, behind others of its peer, or lets it wait until the peer allows a stream.
    pub(super) fn open(
        &mut self,
        endpoint: &mut Endpoint,
        now: Timestamp,
        mut start: Start,
        behind: &[Dependency],
    ) {
        if !start.cell.is_wanted() {
            return start.cell.fail(CallCause::Cancelled);
        }
        let peer = match self.peer(endpoint, now, start.remote) {
            Ok(peer) => peer,
            Err(error) => return start.cell.fail(CallCause::AddPeer(error)),
        };
        if !self.waiting.is_behind(peer) && endpoint.has_stream_room(peer) {
            return self.send(endpoint, now, peer, start, behind);
        }
        if start.expires.is_none() {
            start.expires = start.options.deadline.map(|span| now + span);
        }
        self.dependants.watch(&start);
        let limit = endpoint.config().max_waiting_calls;
        if let Err(start) = self.waiting.push(peer, start, behind.to_vec(), limit) {
            let limit = endpoint.config().max_streams;
            start.cell.fail(CallCause::Start(StartError::TooManyStreams { limit }));
        }
    }

    /// Sends the calls that wait for a peer, as far as it allows.
    pub(super) fn resume(&mut self, endpoint: &mut Endpoint, now: Timestamp, peer: PeerId) {
        while self.waiting.is_behind(peer) && endpoint.has_stream_room(peer) {
            let Some((start, behind)) = self.waiting.pop(peer) else { return };
            if start.cell.is_wanted() {
                self.send(endpoint, now, peer, start, &behind);
            } else {
                start.cell.fail(CallCause::Cancelled);
            }
        }
    }

    pub(super) fn send(
        &mut self,
        endpoint: &mut Endpoint,
        now: Timestamp,
        peer: PeerId,
        start: Start,
        behind: &[Dependency],
    ) {
        let Some(after) = self.dependants.behind(peer, behind) else {
            return start.cell.fail(CallCause::DependencyFailed);
        };
        if after.iter().any(|after| !endpoint.is_open(after.stream)) {
            // an event tells how it has ended, which was not seen yet
            let (start, behind) = (Box::new(start), behind.to_vec());
            return self.early.push(Command::Released { start, behind, failed: false });
        }
        let Start { options, metadata, payload, response, cell, expires, .. } = start;
        let CallOptions { pattern, priority, deadline, headers, .. } = options;
        let deadline = expires.or_else(|| deadline.map(|span: Duration| now + span));
        let token = cell.token().map(Token::to_wire);
        let open = Open {
            pattern,
            priority,
            metadata,
            headers,
            payload,
            response,
            token,
            after,
            deadline,
        };
        match endpoint.open(now, peer, open) {
            Ok(stream) => {
                cell.set_stream(stream);
                flush(endpoint, now, &cell);
                self.dependants.on_open(&cell, stream, behind);
                self.cells.insert(stream, cell);
            }
            Err(error) => cell.fail(CallCause::Start(error)),
        }
    }

    /// Gives up a call that was not sent; those that were to go with it are looked at anew.
    pub(super) fn fail_waiting(
        &mut self,
        endpoint: &mut Endpoint,
        mailbox: &Mailbox,
        now: Timestamp,
        cell: &Cell,
        cause: CallCause,
    ) {
        cell.fail(cause);
        let waited = self.dependants.release(cell);
        self.start_all(endpoint, mailbox, now, waited);
    }

    /// Gives up the calls whose deadline has passed while they waited for others.
    pub(in crate::worker) fn expire(
        &mut self,
        endpoint: &mut Endpoint,
        mailbox: &Mailbox,
        now: Timestamp,
    ) {
        while let Some(cell) = self.dependants.expire(now) {
            self.fail_waiting(endpoint, mailbox, now, &cell, CallCause::Deadline);
        }
    }

    /// When [`Self::expire`] has something to do.
    pub(in crate::worker) fn next_expiry(&self) -> Option<Timestamp> {
        self.dependants.next_expiry()
    }

    /// A call has ended. Those behind it that must not go on without it fail too.
    pub(super) fn close(&mut self, endpoint: &mut Endpoint, now: Timestamp, stream: StreamHandle) {
        let Some(cell) = self.cells.remove(&stream) else { return };
        for follower in self.dependants.on_closed(&cell) {
            follower.cell.fail(CallCause::DependencyFailed);
            // its end brings the end of those behind it
            let _ended = endpoint.cancel(now, follower.stream, Status::DEPENDENCY);
        }
        self.resume(endpoint, now, stream.peer);
    }
}
