//! One connection, and the messages on it.

use core::net::SocketAddr;
use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use quinn_proto::{Connection, Dir, Event, ReadError, StreamEvent, StreamId, WriteError};

use super::message::{Incoming, Outgoing};
use crate::host::{Notice, Order};

/// A connection with a peer.
pub(super) struct Session {
    pub(super) quic: Connection,
    pub(super) peer: SocketAddr,
    /// When the connection wants to be called; kept in step with the host's timers.
    pub(super) deadline: Option<Instant>,
    /// Whether it is in the host's queue of those that may have something to send.
    pub(super) queued: bool,
    established: bool,
    lost: bool,
    /// Payload bytes handed over by the streams.
    pub(super) delivered: u64,
    /// Messages that have no stream yet: the handshake goes on, or the peer allows no more.
    waiting: VecDeque<Order>,
    outgoing: BTreeMap<StreamId, Outgoing>,
    incoming: BTreeMap<StreamId, Incoming>,
}

impl Session {
    pub(super) fn new(quic: Connection, peer: SocketAddr) -> Self {
        Self {
            quic,
            peer,
            deadline: None,
            queued: false,
            established: false,
            lost: false,
            delivered: 0,
            waiting: VecDeque::new(),
            outgoing: BTreeMap::new(),
            incoming: BTreeMap::new(),
        }
    }

    /// Whether messages can still be sent here, now or after the handshake.
    pub(super) fn is_usable(&self) -> bool {
        !self.lost
    }

    /// Messages that are not through yet, in both directions.
    pub(super) fn unfinished(&self) -> (usize, usize) {
        (self.waiting.len() + self.outgoing.len(), self.incoming.len())
    }

    /// Sends a message, at once if the peer allows another stream.
    pub(super) fn start(&mut self, order: Order, notices: &mut VecDeque<Notice>) {
        self.waiting.push_back(order);
        self.open_streams(notices);
    }

    /// Takes the messages that have not begun, for a better connection with the same peer.
    pub(super) fn take_waiting(&mut self) -> VecDeque<Order> {
        std::mem::take(&mut self.waiting)
    }

    /// Reacts to what quinn reports.
    pub(super) fn on_event(&mut self, event: Event, notices: &mut VecDeque<Notice>) {
        match event {
            Event::Connected => {
                self.established = true;
                notices.push_back(Notice::Connected { peer: self.peer });
                self.open_streams(notices);
            }
            Event::ConnectionLost { reason } => self.on_lost(&reason.to_string(), notices),
            Event::Stream(event) => self.on_stream_event(event, notices),
            Event::HandshakeDataReady | Event::DatagramReceived | Event::DatagramsUnblocked => {}
        }
    }

    fn on_stream_event(&mut self, event: StreamEvent, notices: &mut VecDeque<Notice>) {
        match event {
            StreamEvent::Opened { .. } => {
                while let Some(id) = self.quic.streams().accept(Dir::Uni) {
                    self.incoming.insert(id, Incoming::default());
                    self.read(id, notices);
                }
            }
            StreamEvent::Readable { id } => self.read(id, notices),
            StreamEvent::Writable { id } => self.write(id, notices),
            StreamEvent::Available { .. } => self.open_streams(notices),
            StreamEvent::Finished { id } => {
                if let Some(message) = self.outgoing.remove(&id) {
                    notices.push_back(Notice::Finished { transfer: message.transfer });
                }
            }
            StreamEvent::Stopped { id, error_code } => {
                self.fail(id, &format!("the receiver stopped it: {error_code}"), notices);
            }
        }
    }

    /// Gives streams to the messages that wait for one.
    fn open_streams(&mut self, notices: &mut VecDeque<Notice>) {
        while self.established && !self.waiting.is_empty() {
            let Some(id) = self.quic.streams().open(Dir::Uni) else { return };
            let Some(order) = self.waiting.pop_front() else { return };
            // quinn serves the largest number first; the stream was opened just now, so it exists
            let _ = self.quic.send_stream(id).set_priority(-i32::from(order.priority));
            self.outgoing.insert(id, Outgoing::new(order.transfer, order.size));
            self.write(id, notices);
        }
    }

    /// Writes as much of a message as its stream takes.
    fn write(&mut self, id: StreamId, notices: &mut VecDeque<Notice>) {
        let Some(message) = self.outgoing.get_mut(&id) else { return };
        let mut stream = self.quic.send_stream(id);
        while let Some(bytes) = message.next() {
            match stream.write_chunks(&mut [bytes]) {
                Ok(written) => message.wrote(written.bytes),
                Err(WriteError::Blocked) => return,
                Err(error) => return self.fail(id, &error.to_string(), notices),
            }
        }
        if let Err(error) = stream.finish() {
            self.fail(id, &error.to_string(), notices);
        }
    }

    /// Reads what a stream has, and says so when a message is complete.
    fn read(&mut self, id: StreamId, notices: &mut VecDeque<Notice>) {
        let Some(message) = self.incoming.get_mut(&id) else { return };
        let mut stream = self.quic.recv_stream(id);
        let Ok(mut chunks) = stream.read(true) else { return };
        let ended = loop {
            match chunks.next(usize::MAX) {
                Ok(Some(chunk)) => self.delivered += message.take(&chunk.bytes),
                Ok(None) => break true,
                Err(ReadError::Blocked) => break false,
                // its sender says that it failed
                Err(ReadError::Reset(_)) => break true,
            }
        };
        // whether there is credit to send is asked anyway: the session is polled after each event
        let _ = chunks.finalize();
        if !ended {
            return;
        }
        let Some(message) = self.incoming.remove(&id) else { return };
        let Some(transfer) = message.transfer() else { return };
        notices.push_back(if message.is_whole() {
            Notice::Delivered { transfer }
        } else {
            let cause = "what arrived is not what was sent".to_owned();
            Notice::Failed { transfer, cause }
        });
    }

    fn fail(&mut self, id: StreamId, cause: &str, notices: &mut VecDeque<Notice>) {
        if let Some(message) = self.outgoing.remove(&id) {
            let transfer = message.transfer;
            notices.push_back(Notice::Failed { transfer, cause: cause.to_owned() });
        }
    }

    fn on_lost(&mut self, cause: &str, notices: &mut VecDeque<Notice>) {
        self.lost = true;
        let begun = std::mem::take(&mut self.outgoing).into_values().map(|m| m.transfer);
        let waiting = std::mem::take(&mut self.waiting).into_iter().map(|order| order.transfer);
        notices.extend(
            begun.chain(waiting).map(|transfer| Notice::Failed { transfer, cause: cause.into() }),
        );
        self.incoming.clear();
        notices.push_back(Notice::PeerFailed { peer: self.peer });
    }
}
