//! The sending side of one message: notify it, seal what is pulled, free what is acknowledged.

use core::time::Duration;

use bytes::Bytes;

use crate::{
    crypto::SealingKey,
    endpoint::Payload,
    id::{Pattern, Priority, Status, StreamId, TransferId},
    ranges::{ByteRange, RangeSet},
    slots::SlotRef,
    time::Timestamp,
    transfer::{
        layout::Layout,
        leaving::{Leaving, SealMemory, Slice, Source},
    },
    wheel::TimerToken,
    wire::content::Content,
};

/// A message on its way to a peer.
#[derive(Debug)]
pub(crate) struct SendTransfer {
    pub(crate) stream: StreamId,
    pub(crate) pattern: Pattern,
    pub(crate) priority: Priority,
    pub(crate) metadata: Bytes,
    /// If it is the last message of its direction: the status that this ends with.
    pub(crate) fin: Option<Status>,
    /// Position among the messages of its direction.
    pub(crate) index: u64,
    pub(crate) content: Content,
    pub(crate) size: u64,
    pub(crate) body: SendBody,
    pub(crate) notify: NotifyState,
}

/// How the payload travels; decided when the first notify is written.
#[derive(Debug)]
pub(crate) enum SendBody {
    /// Not decided: the peer's limits may not be known yet.
    Undecided(Payload),
    /// Inside the notify.
    Inline(Bytes),
    /// Pulled by the receiver.
    Pulled(Box<PulledBody>),
}

/// What happened to the notify.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NotifyState {
    /// Waits in the peer's notify queue.
    pub(crate) queued: bool,
    /// Times it was sent.
    pub(crate) sent: u32,
    /// Number of the packet that carried it last.
    pub(crate) packet: u64,
    /// When it was sent last; before that, when it was queued.
    pub(crate) sent_at: Timestamp,
    /// The receiver has it.
    pub(crate) accepted: bool,
    /// Payload bytes that were sent unasked and count against the grant until it is accepted.
    pub(crate) unscheduled: u64,
    /// Repeats that were not accepted.
    pub(crate) ignored: Ignored,
}

/// Repeats in a row that a peer left unanswered, though it was heard.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ignored {
    count: u32,
    since: Timestamp,
}

impl Ignored {
    /// Counts one more; true if it is time to give up [XFER-6].
    pub(crate) fn again(&mut self, now: Timestamp, most: u32, least: Duration) -> bool {
        if self.count == 0 {
            self.since = now;
        }
        self.count += 1;
        self.count > most && now.saturating_since(self.since) >= least
    }
}

/// A payload that the receiver pulls, in sealed space.
///
/// A million of them may wait to be pulled: what is needed once bytes leave is apart.
#[derive(Debug)]
pub(crate) struct PulledBody {
    pub(crate) layout: Layout,
    pub(crate) key: SealingKey,
    /// The receiver's name for the transfer, once it accepted.
    pub(crate) receiver: Option<TransferId>,
    /// What the application gave; from `leaving` on, that has it.
    payload: Payload,
    /// How far the application was asked to supply; `u64::MAX` if it gave the message whole.
    wanted_up_to: u64,
    /// From when bytes are asked for, supplied, or sent without being asked.
    leaving: Option<Box<Leaving>>,
    /// All of it is sent without being asked: no pull of it came yet.
    pub(crate) unscheduled: bool,
    /// All of it was sent without being asked, which counts as not sent now: it may have arrived.
    unpushed: bool,
    /// What was left to send when it was put into the order of those that have data to send; none
    /// if it is not there.
    pub(crate) listed: Option<u64>,
    /// Last time a pull or acknowledgement came, or data was sent.
    pub(crate) active_at: Timestamp,
    pub(crate) quiet_timer: Option<TimerToken>,
    /// Times in a row that the receiver was asked what became of the transfer.
    pub(crate) asked: u32,
    /// Data sent again of which nothing was acknowledged.
    pub(crate) ignored: Ignored,
}

impl SendTransfer {
    /// Queues a message; nothing is sent before its notify is.
    pub(crate) fn new(
        stream: StreamId,
        pattern: Pattern,
        priority: Priority,
        metadata: Bytes,
        fin: Option<Status>,
        payload: Payload,
    ) -> Self {
        let size = payload.size();
        let body = SendBody::Undecided(payload);
        let notify = NotifyState::default();
        let (index, content) = (0, Content::default());
        Self { stream, pattern, priority, metadata, fin, index, content, size, body, notify }
    }

    /// The pulled body, if that is how the payload travels.
    pub(crate) fn pulled(&mut self) -> Option<&mut PulledBody> {
        match &mut self.body {
            SendBody::Pulled(body) => Some(body),
            _ => None,
        }
    }
}

impl PulledBody {
    /// Prepares a payload for being pulled.
    pub(crate) fn new(layout: Layout, key: SealingKey, payload: Payload, now: Timestamp) -> Self {
        let wanted_up_to = match &payload {
            Payload::Whole(_) => u64::MAX,
            Payload::Supplied { .. } => 0,
        };
        Self {
            layout,
            key,
            receiver: None,
            payload,
            wanted_up_to,
            leaving: None,
            unscheduled: false,
            unpushed: false,
            listed: None,
            active_at: now,
            quiet_timer: None,
            asked: 0,
            ignored: Ignored::default(),
        }
    }

    /// Makes ready for bytes to leave.
    fn begin(&mut self) -> &mut Leaving {
        let payload = &mut self.payload;
        self.leaving
            .get_or_insert_with(|| Box::new(Leaving::new(Source::new(core::mem::take(payload)))))
    }

    /// Takes the next piece of plaintext.
    ///
    /// # Errors
    /// The number of bytes that go past the end of the message.
    pub(crate) fn supply(&mut self, chunk: Bytes) -> Result<(), u64> {
        let size = self.layout.size();
        let source = &mut self.begin().source;
        let end = source.end + chunk.len() as u64;
        if end > size {
            return Err(end - size);
        }
        source.end = end;
        if !chunk.is_empty() {
            source.chunks.push_back(chunk);
        }
        Ok(())
    }

    /// Whether the application hands the message over in pieces and has not finished.
    pub(crate) fn wants_supply(&self) -> bool {
        let end = self.leaving.as_ref().map_or(0, |leaving| leaving.source.end);
        self.wanted_up_to != u64::MAX && end < self.layout.size()
    }

    /// If the application should supply further than it was told so far: up to where.
    pub(crate) fn supply_request(&mut self, ahead: u64) -> Option<u64> {
        if self.wanted_up_to == u64::MAX {
            return None;
        }
        let start = self.leaving.as_ref().map_or(0, |leaving| leaving.source.start);
        let up_to = (start + ahead).min(self.layout.size());
        // asking for a trickle would wake the application for every packet
        if up_to < self.wanted_up_to + ahead / 4 && up_to != self.layout.size() {
            return None;
        }
        if up_to == self.wanted_up_to {
            return None;
        }
        self.wanted_up_to = up_to;
        Some(up_to)
    }

    /// Notes that the receiver asks for `range`; with `again`, even if it was sent before. Returns
    /// how much of what it asks for again was sent.
    pub(crate) fn pull(&mut self, range: ByteRange, again: bool) -> u64 {
        self.unpushed = false;
        let layout = self.layout;
        self.begin().pull(layout, range, again)
    }

    /// Sends all of it without being asked.
    pub(crate) fn push(&mut self) {
        self.unscheduled = true;
        if let Some(whole) = ByteRange::new(0, self.layout.sealed_len()) {
            self.begin().wanted.insert(whole);
        }
    }

    /// What was sent unasked may never have reached anybody who knew what it was: waits to be
    /// asked. Returns how many bytes were sent.
    pub(crate) fn unpush(&mut self) -> u64 {
        self.unscheduled = false;
        self.unpushed = true;
        let Some(leaving) = &mut self.leaving else { return 0 };
        leaving.wanted = RangeSet::default();
        core::mem::take(&mut leaving.sent).covered()
    }

    /// How long nothing may be heard of the transfer before the receiver is asked: soon if only its
    /// last acknowledgement can be missing, rarely if it is the receiver's turn to pull.
    pub(crate) fn quiet_span(&self, timeout: Duration, longest: Duration) -> Duration {
        if self.unsent() > 0 && !self.unpushed {
            return longest.max(timeout).saturating_mul(4 << self.asked.min(8));
        }
        timeout.saturating_mul(4 << self.asked.min(8)).min(longest.saturating_mul(16))
    }

    /// Bytes that were never sent.
    pub(crate) fn unsent(&self) -> u64 {
        let sent = self.leaving.as_ref().map_or(0, |leaving| leaving.sent.covered());
        self.layout.sealed_len() - sent
    }

    /// Forgets that the receiver asked for `range`.
    pub(crate) fn cancel(&mut self, range: ByteRange) {
        if let Some(leaving) = &mut self.leaving {
            leaving.wanted.remove(range);
        }
    }

    /// Whether anything asked for was not sent.
    pub(crate) fn has_wanted(&self) -> bool {
        self.backlog() > 0
    }

    /// The bytes that were asked for and not sent.
    pub(crate) fn backlog(&self) -> u64 {
        self.leaving.as_ref().map_or(0, |leaving| leaving.wanted.covered())
    }

    /// Takes up to `max` of the wanted bytes, lowest first, sealing records as needed.
    ///
    /// `None` if nothing is wanted, or what is wanted was not supplied or may not be sealed yet.
    pub(crate) fn next_slice(&mut self, max: usize, memory: SealMemory<'_>) -> Option<Slice> {
        self.leaving.as_mut()?.next_slice(self.layout, &self.key, max, memory)
    }

    /// Notes that the receiver has opened every record in `range`.
    pub(crate) fn acknowledge(&mut self, range: ByteRange, send_memory: &mut u64) {
        if let Some(leaving) = &mut self.leaving {
            leaving.acknowledge(self.layout, range, send_memory);
        }
    }

    /// Gives up what is held, for the shared account.
    pub(crate) fn release_memory(&mut self, send_memory: &mut u64) {
        let Some(leaving) = &mut self.leaving else { return };
        for record in leaving.sealed.drain(..).flatten() {
            *send_memory -= record.len() as u64;
        }
    }
}

/// An entry of the list of notifies that wait for an accept, in the order they were sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unaccepted {
    pub(crate) transfer: SlotRef,
    /// [`NotifyState::packet`] when the entry was made: a later repeat makes it stale.
    pub(crate) packet: u64,
}
