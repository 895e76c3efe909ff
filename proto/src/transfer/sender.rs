//! The sending side of one message: notify it, seal what is pulled, free what is acknowledged.

use core::time::Duration;
use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::{
    crypto::SealingKey,
    endpoint::Payload,
    id::{Pattern, Priority, Status, StreamId, TransferId},
    ranges::{ByteRange, RangeSet},
    slots::SlotRef,
    time::Timestamp,
    transfer::{layout::Layout, record_pool::RecordPool},
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
#[derive(Debug)]
pub(crate) struct PulledBody {
    pub(crate) layout: Layout,
    pub(crate) key: SealingKey,
    /// The receiver's name for the transfer, once it accepted.
    pub(crate) receiver: Option<TransferId>,
    source: Source,
    /// Sealed records from `sealed_base` on; `None` where acknowledged.
    sealed: VecDeque<Option<Bytes>>,
    sealed_base: u64,
    /// Asked for and not sent since.
    wanted: RangeSet,
    /// Ever handed to the link.
    sent: RangeSet,
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

/// Plaintext that was handed over and is not sealed yet.
#[derive(Debug, Default)]
struct Source {
    chunks: VecDeque<Bytes>,
    /// Message offset of the first byte of `chunks`.
    start: u64,
    /// Message offset behind the last byte of `chunks`.
    end: u64,
    /// How far the application was asked to supply; `u64::MAX` if it gave the message whole.
    wanted_up_to: u64,
}

/// A slice to send, at most two pieces of sealed records.
#[derive(Debug)]
pub(crate) struct Slice {
    pub(crate) range: ByteRange,
    pub(crate) retransmission: bool,
    pub(crate) first: Bytes,
    pub(crate) second: Option<Bytes>,
}

/// Records sealed but not acknowledged, per transfer, at most: about four times the largest
/// useful credit per peer. A receiver that pulls without ever acknowledging waits here.
const MAX_SEALED_AHEAD: u64 = 8 << 20;

/// Ranges wanted of one transfer at most: a peer that asks for every other byte costs no more.
const MAX_WANTED: usize = 1_024;

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
        let source = match payload {
            Payload::Whole(bytes) => Source {
                start: 0,
                end: bytes.len() as u64,
                wanted_up_to: u64::MAX,
                chunks: VecDeque::from([bytes]),
            },
            Payload::Supplied { .. } => Source::default(),
        };
        Self {
            layout,
            key,
            receiver: None,
            source,
            sealed: VecDeque::new(),
            sealed_base: 0,
            wanted: RangeSet::default(),
            sent: RangeSet::default(),
            unscheduled: false,
            unpushed: false,
            listed: None,
            active_at: now,
            quiet_timer: None,
            asked: 0,
            ignored: Ignored::default(),
        }
    }

    /// Takes the next piece of plaintext.
    ///
    /// # Errors
    /// The number of bytes that go past the end of the message.
    pub(crate) fn supply(&mut self, chunk: Bytes) -> Result<(), u64> {
        let end = self.source.end + chunk.len() as u64;
        if end > self.layout.size() {
            return Err(end - self.layout.size());
        }
        self.source.end = end;
        if !chunk.is_empty() {
            self.source.chunks.push_back(chunk);
        }
        Ok(())
    }

    /// Whether the application hands the message over in pieces and has not finished.
    pub(crate) fn wants_supply(&self) -> bool {
        self.source.wanted_up_to != u64::MAX && self.source.end < self.layout.size()
    }

    /// If the application should supply further than it was told so far: up to where.
    pub(crate) fn supply_request(&mut self, ahead: u64) -> Option<u64> {
        if self.source.wanted_up_to == u64::MAX {
            return None;
        }
        let up_to = (self.source.start + ahead).min(self.layout.size());
        // asking for a trickle would wake the application for every packet
        if up_to < self.source.wanted_up_to + ahead / 4 && up_to != self.layout.size() {
            return None;
        }
        if up_to == self.source.wanted_up_to {
            return None;
        }
        self.source.wanted_up_to = up_to;
        Some(up_to)
    }

    /// Notes that the receiver asks for `range`; with `again`, even if it was sent before. Returns
    /// how much of what it asks for again was sent.
    pub(crate) fn pull(&mut self, range: ByteRange, again: bool) -> u64 {
        self.unpushed = false;
        let base = self.layout.record_range(self.sealed_base).map_or(u64::MAX, |r| r.start);
        let Some(range) = ByteRange::new(range.start.max(base), range.end) else { return 0 };
        // what a receiver of this protocol asks for merges into a few ranges; beyond the bound it
        // is told nothing, and asks again when what it has asked for has come
        if again {
            let never_sent: u64 = self.sent.gaps(range).map(ByteRange::len).sum();
            let _asked_again_later = self.wanted.insert_bounded(range, MAX_WANTED);
            return range.len() - never_sent;
        } else {
            for gap in self.sent.gaps(range) {
                let _asked_again_later = self.wanted.insert_bounded(gap, MAX_WANTED);
            }
        }
        0
    }

    /// Sends all of it without being asked.
    pub(crate) fn push(&mut self) {
        self.unscheduled = true;
        if let Some(whole) = ByteRange::new(0, self.layout.sealed_len()) {
            self.wanted.insert(whole);
        }
    }

    /// What was sent unasked may never have reached anybody who knew what it was: waits to be
    /// asked. Returns how many bytes were sent.
    pub(crate) fn unpush(&mut self) -> u64 {
        let sent = self.sent.covered();
        self.unscheduled = false;
        self.unpushed = true;
        self.wanted = RangeSet::default();
        self.sent = RangeSet::default();
        sent
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
        self.layout.sealed_len() - self.sent.covered()
    }

    /// Forgets that the receiver asked for `range`.
    pub(crate) fn cancel(&mut self, range: ByteRange) {
        self.wanted.remove(range);
    }

    /// Whether anything asked for was not sent.
    pub(crate) fn has_wanted(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// The bytes that were asked for and not sent.
    pub(crate) fn backlog(&self) -> u64 {
        self.wanted.covered()
    }

    /// Takes up to `max` of the wanted bytes, lowest first, sealing records as needed.
    ///
    /// `None` if nothing is wanted, or what is wanted was not supplied or may not be sealed yet.
    pub(crate) fn next_slice(
        &mut self,
        max: usize,
        records: &mut RecordPool,
        send_memory: &mut u64,
        memory_limit: u64,
    ) -> Option<Slice> {
        loop {
            let first = self.wanted.iter().next()?;
            let index = self.layout.record_at(first.start);
            if index < self.sealed_base {
                let end = self.layout.record_range(self.sealed_base).map_or(u64::MAX, |r| r.start);
                self.wanted.remove(ByteRange::new(first.start, first.end.min(end))?);
                continue;
            }
            if !self.seal_up_to(index, records, send_memory, memory_limit) {
                return None;
            }
            let record_range = self.layout.record_range(index)?;
            let Some(record) = &self.sealed[(index - self.sealed_base) as usize] else {
                // acknowledged meanwhile
                self.wanted.remove(ByteRange::new(first.start, first.end.min(record_range.end))?);
                continue;
            };
            let mut end = first.end.min(first.start + max as u64);
            let split = end.min(record_range.end);
            let offset = (first.start - record_range.start) as usize;
            let head = record.slice(offset..offset + (split - first.start) as usize);
            let mut second = None;
            if end > split {
                if self.seal_up_to(index + 1, records, send_memory, memory_limit)
                    && let Some(next) = &self.sealed[(index + 1 - self.sealed_base) as usize]
                {
                    let len = ((end - split) as usize).min(next.len());
                    second = Some(next.slice(..len));
                    end = split + len as u64;
                } else {
                    end = split;
                }
            }
            let range = ByteRange::new(first.start, end)?;
            self.wanted.remove(range);
            let fresh = self.sent.insert(range);
            let retransmission = fresh < range.len();
            return Some(Slice { range, retransmission, first: head, second });
        }
    }

    /// Notes that the receiver has opened every record in `range`.
    pub(crate) fn acknowledge(&mut self, range: ByteRange, send_memory: &mut u64) {
        let mut index = self.layout.record_at(range.start).max(self.sealed_base);
        if self.layout.record_range(index).is_some_and(|record| record.start < range.start) {
            index += 1;
        }
        while let Some(record) = self.layout.record_range(index)
            && record.end <= range.end
        {
            let Some(sealed) = self.sealed.get_mut((index - self.sealed_base) as usize) else {
                break;
            };
            if let Some(bytes) = sealed.take() {
                *send_memory -= bytes.len() as u64;
            }
            index += 1;
        }
        while let Some(None) = self.sealed.front() {
            self.sealed.pop_front();
            self.sealed_base += 1;
        }
    }

    /// Gives up what is held, for the shared account.
    pub(crate) fn release_memory(&mut self, send_memory: &mut u64) {
        for record in self.sealed.drain(..).flatten() {
            *send_memory -= record.len() as u64;
        }
    }

    fn seal_up_to(
        &mut self,
        index: u64,
        records: &mut RecordPool,
        send_memory: &mut u64,
        memory_limit: u64,
    ) -> bool {
        while self.sealed_base + (self.sealed.len() as u64) <= index {
            let next = self.sealed_base + self.sealed.len() as u64;
            let ahead = self.sealed.len() as u64 * self.layout.max_sealed_record();
            let Some(range) = self.layout.plain_range(next) else { return false };
            if ahead >= MAX_SEALED_AHEAD
                || *send_memory >= memory_limit
                || self.source.end < range.end
            {
                return false;
            }
            let len = (range.end - range.start) as usize;
            let mut buffer = records.take(len + Layout::TAG);
            let plaintext = self.source.take(len);
            buffer.resize(len + Layout::TAG, 0);
            if self.key.seal(next, &plaintext, &mut buffer).is_err() {
                debug_assert!(false, "the key was allocated for this layout");
                return false;
            }
            let sealed = buffer.split().freeze();
            records.give_back(buffer, len + Layout::TAG);
            *send_memory += sealed.len() as u64;
            self.sealed.push_back(Some(sealed));
        }
        true
    }
}

impl Source {
    /// The next `len` bytes, which must be there: a slice of the chunk that holds them all, or a
    /// copy where chunks meet.
    fn take(&mut self, len: usize) -> Bytes {
        self.start += len as u64;
        if let Some(chunk) = self.chunks.front_mut()
            && chunk.len() > len
        {
            return chunk.split_to(len);
        }
        if self.chunks.front().is_some_and(|chunk| chunk.len() == len) {
            return self.chunks.pop_front().unwrap_or_default();
        }
        let mut joined = BytesMut::with_capacity(len);
        while joined.len() < len
            && let Some(chunk) = self.chunks.front_mut()
        {
            let part = chunk.split_to(chunk.len().min(len - joined.len()));
            joined.extend_from_slice(&part);
            if chunk.is_empty() {
                self.chunks.pop_front();
            }
        }
        debug_assert_eq!(joined.len(), len, "the caller checked that enough is there");
        joined.freeze()
    }
}

/// An entry of the list of notifies that wait for an accept, in the order they were sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unaccepted {
    pub(crate) transfer: SlotRef,
    /// [`NotifyState::packet`] when the entry was made: a later repeat makes it stale.
    pub(crate) packet: u64,
}
