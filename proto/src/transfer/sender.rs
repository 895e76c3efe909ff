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
    pub(crate) sent_at: Timestamp,
    /// The receiver has it.
    pub(crate) accepted: bool,
    /// Payload bytes that were sent unasked and count against the grant until it is accepted.
    pub(crate) unscheduled: u64,
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
    /// What was left to send when it was put into the order of those that have data to send; none
    /// if it is not there.
    pub(crate) listed: Option<u64>,
    /// Last time a pull or acknowledgement came, or data was sent.
    pub(crate) active_at: Timestamp,
    pub(crate) quiet_timer: Option<TimerToken>,
    /// Times in a row that the receiver was asked what became of the transfer.
    pub(crate) asked: u32,
}

/// The bytes of a message as they leave.
#[derive(Debug)]
struct Leaving {
    source: Source,
    /// Sealed records from `sealed_base` on; `None` where acknowledged.
    sealed: VecDeque<Option<Bytes>>,
    sealed_base: u64,
    /// Asked for and not sent since.
    wanted: RangeSet,
    /// Ever handed to the link.
    sent: RangeSet,
}

/// Plaintext that was handed over and is not sealed yet.
#[derive(Debug)]
struct Source {
    chunks: VecDeque<Bytes>,
    /// Message offset of the first byte of `chunks`.
    start: u64,
    /// Message offset behind the last byte of `chunks`.
    end: u64,
}

/// What sealing records takes.
pub(crate) struct SealMemory<'a> {
    pub(crate) records: &'a mut RecordPool,
    /// Bytes of sealed records that wait for acknowledgement, of all transfers.
    pub(crate) used: &'a mut u64,
    /// The most that they may be.
    pub(crate) limit: u64,
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
            listed: None,
            active_at: now,
            quiet_timer: None,
            asked: 0,
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
        let Some(leaving) = &mut self.leaving else { return 0 };
        leaving.wanted = RangeSet::default();
        core::mem::take(&mut leaving.sent).covered()
    }

    /// How long nothing may be heard of the transfer before the receiver is asked: soon if only its
    /// last acknowledgement can be missing, rarely if it is the receiver's turn to pull.
    pub(crate) fn quiet_span(&self, timeout: Duration, longest: Duration) -> Duration {
        let base = if self.unsent() == 0 { timeout } else { longest.max(timeout) };
        base.saturating_mul(4 << self.asked.min(8))
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

impl Leaving {
    fn new(source: Source) -> Self {
        Self {
            source,
            sealed: VecDeque::new(),
            sealed_base: 0,
            wanted: RangeSet::default(),
            sent: RangeSet::default(),
        }
    }

    fn pull(&mut self, layout: Layout, range: ByteRange, again: bool) -> u64 {
        let base = layout.record_range(self.sealed_base).map_or(u64::MAX, |r| r.start);
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

    fn next_slice(
        &mut self,
        layout: Layout,
        key: &SealingKey,
        max: usize,
        mut memory: SealMemory<'_>,
    ) -> Option<Slice> {
        loop {
            let first = self.wanted.iter().next()?;
            let index = layout.record_at(first.start);
            if index < self.sealed_base {
                let end = layout.record_range(self.sealed_base).map_or(u64::MAX, |r| r.start);
                self.wanted.remove(ByteRange::new(first.start, first.end.min(end))?);
                continue;
            }
            if !self.seal_up_to(layout, key, index, &mut memory) {
                return None;
            }
            let record_range = layout.record_range(index)?;
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
                if self.seal_up_to(layout, key, index + 1, &mut memory)
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

    fn acknowledge(&mut self, layout: Layout, range: ByteRange, send_memory: &mut u64) {
        let mut index = layout.record_at(range.start).max(self.sealed_base);
        if layout.record_range(index).is_some_and(|record| record.start < range.start) {
            index += 1;
        }
        while let Some(record) = layout.record_range(index)
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

    fn seal_up_to(
        &mut self,
        layout: Layout,
        key: &SealingKey,
        index: u64,
        memory: &mut SealMemory<'_>,
    ) -> bool {
        while self.sealed_base + (self.sealed.len() as u64) <= index {
            let next = self.sealed_base + self.sealed.len() as u64;
            let ahead = self.sealed.len() as u64 * layout.max_sealed_record();
            let Some(range) = layout.plain_range(next) else { return false };
            if ahead >= MAX_SEALED_AHEAD
                || *memory.used >= memory.limit
                || self.source.end < range.end
            {
                return false;
            }
            let len = (range.end - range.start) as usize;
            let mut buffer = memory.records.take(len + Layout::TAG);
            let plaintext = self.source.take(len);
            buffer.resize(len + Layout::TAG, 0);
            if key.seal(next, &plaintext, &mut buffer).is_err() {
                debug_assert!(false, "the key was allocated for this layout");
                return false;
            }
            let sealed = buffer.split().freeze();
            memory.records.give_back(buffer, len + Layout::TAG);
            *memory.used += sealed.len() as u64;
            self.sealed.push_back(Some(sealed));
        }
        true
    }
}

impl Source {
    fn new(payload: Payload) -> Self {
        match payload {
            Payload::Whole(bytes) => {
                Self { start: 0, end: bytes.len() as u64, chunks: VecDeque::from([bytes]) }
            }
            Payload::Supplied { .. } => Self { start: 0, end: 0, chunks: VecDeque::new() },
        }
    }

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
