//! The directions of a stream that carry many messages: credit for what leaves, order for what
//! comes (spec 5.3).

use std::collections::BTreeMap;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::{id::Status, slots::SlotRef, wheel::TimerToken};

/// Both directions; one is absent if the pattern allows it a single message.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    pub(crate) outbound: Option<Outbound>,
    pub(crate) inbound: Option<Inbound>,
}

/// Messages and bytes that may be announced, counted from the stream's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

/// The messages that this side sends.
#[derive(Debug)]
pub(crate) struct Outbound {
    sent: Limits,
    limit: Limits,
    /// What the peer has not acknowledged.
    active: SmallVec<[SlotRef; 4]>,
    /// The last message was queued.
    pub(crate) finished: bool,
    /// The application was told to wait.
    pub(crate) blocked: bool,
    /// Asks the peer for the credit in force while the application waits.
    pub(crate) blocked_timer: Option<TimerToken>,
    /// Times in a row that it was asked.
    pub(crate) asked: u32,
}

impl Outbound {
    /// A direction with the credit of the peer's hello.
    pub(crate) fn new(limit: Limits) -> Self {
        Self {
            sent: Limits { messages: 0, bytes: 0 },
            limit,
            active: SmallVec::new(),
            finished: false,
            blocked: false,
            blocked_timer: None,
            asked: 0,
        }
    }

    /// Whether one more message may be announced, of whatever size [STRM-4].
    pub(crate) fn has_credit(&self) -> bool {
        self.sent.messages < self.limit.messages && self.sent.bytes < self.limit.bytes
    }

    /// The index of the next message.
    pub(crate) fn next_index(&self) -> u64 {
        self.sent.messages
    }

    /// Notes that the next message, of `size` bytes, travels in `slot`.
    pub(crate) fn on_queued(&mut self, size: u64, slot: SlotRef, fin: bool) {
        self.sent.messages += 1;
        self.sent.bytes = self.sent.bytes.saturating_add(size);
        self.active.push(slot);
        self.finished |= fin;
    }

    /// The peer has the message in `slot`.
    pub(crate) fn on_delivered(&mut self, slot: SlotRef) {
        self.active.retain(|active| *active != slot);
    }

    /// Whether the peer has every message up to the last.
    pub(crate) fn is_done(&self) -> bool {
        self.finished && self.active.is_empty()
    }

    /// The transfers that are under way.
    pub(crate) fn active(&self) -> &[SlotRef] {
        &self.active
    }

    /// The peer allows more; a lower count is an old one. True if there is credit now.
    pub(crate) fn on_credit(&mut self, limit: Limits) -> bool {
        self.limit.messages = self.limit.messages.max(limit.messages);
        self.limit.bytes = self.limit.bytes.max(limit.bytes);
        self.has_credit()
    }
}

/// A message that is complete.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) metadata: Bytes,
    /// None if it was headers alone.
    pub(crate) body: Option<Bytes>,
    pub(crate) fin: Option<Status>,
}

/// Why a message cannot belong to the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misplaced {
    /// Its index was used, or lies behind the last message.
    Index,
    /// It was announced without credit.
    Credit,
}

/// The messages that the peer sends.
#[derive(Debug)]
pub(crate) struct Inbound {
    /// The next message to hand over.
    next: u64,
    /// Complete, with one before it missing.
    early: BTreeMap<u64, Message>,
    /// Being pulled.
    receiving: SmallVec<[(u64, SlotRef); 4]>,
    /// Index of the last message.
    last: Option<u64>,
    /// All that was announced, and the longest of them.
    announced_bytes: u64,
    longest: u64,
    /// What the application has taken.
    consumed: Limits,
    /// What the peer was told it may announce.
    limit: Limits,
    window: Limits,
    /// Bytes that are complete and that the application has not taken.
    pub(crate) held: u64,
    /// The frame that grants more waits for a packet.
    pub(crate) credit_queued: bool,
}

impl Inbound {
    /// A direction that allows `window` more than what the application has taken; the peer knows
    /// of `initial` from the hello.
    pub(crate) fn new(initial: Limits, window: Limits) -> Self {
        Self {
            next: 0,
            early: BTreeMap::new(),
            receiving: SmallVec::new(),
            last: None,
            announced_bytes: 0,
            longest: 0,
            consumed: Limits { messages: 0, bytes: 0 },
            limit: initial,
            window,
            held: 0,
            credit_queued: false,
        }
    }

    /// Whether a message with this index may come.
    ///
    /// Announcements may overtake each other, so that the longest message may have been the last
    /// one for which there was credit: it is left out of the sum [STRM-4].
    pub(crate) fn announce(&mut self, index: u64, size: u64, fin: bool) -> Result<(), Misplaced> {
        let known = index < self.next
            || self.early.contains_key(&index)
            || self.receiving.iter().any(|(other, _)| *other == index);
        let after_last = match self.last {
            Some(last) => fin || index > last,
            None => fin && self.highest().is_some_and(|highest| highest > index),
        };
        if known || after_last {
            return Err(Misplaced::Index);
        }
        let bytes = self.announced_bytes.saturating_add(size);
        let longest = self.longest.max(size);
        if index >= self.limit.messages || bytes - longest >= self.limit.bytes {
            return Err(Misplaced::Credit);
        }
        (self.announced_bytes, self.longest) = (bytes, longest);
        if fin {
            self.last = Some(index);
        }
        Ok(())
    }

    fn highest(&self) -> Option<u64> {
        let early = self.early.last_key_value().map(|(index, _)| *index);
        let receiving = self.receiving.iter().map(|(index, _)| *index).max();
        early.max(receiving).max(self.next.checked_sub(1))
    }

    /// Notes that a message is being pulled.
    pub(crate) fn on_pulled(&mut self, index: u64, slot: SlotRef) {
        self.receiving.push((index, slot));
    }

    /// The transfers that are under way.
    pub(crate) fn receiving(&self) -> impl Iterator<Item = SlotRef> {
        self.receiving.iter().map(|(_, slot)| *slot)
    }

    /// A message is complete.
    pub(crate) fn on_complete(&mut self, index: u64, message: Message) {
        self.receiving.retain(|(other, _)| *other != index);
        self.held += message.body.as_ref().map_or(0, |body| body.len() as u64);
        self.early.insert(index, message);
    }

    /// The message that opened the stream is not one of the application's.
    pub(crate) fn skip_opening(&mut self) {
        self.next = 1;
        self.consumed.messages = 1;
    }

    /// The next message in order, if it is there.
    pub(crate) fn poll_message(&mut self) -> Option<Message> {
        let message = self.early.remove(&self.next)?;
        self.next += 1;
        Some(message)
    }

    /// The application has taken messages. Returns the bytes that are no longer held.
    pub(crate) fn consume(&mut self, messages: u64, bytes: u64) -> u64 {
        let messages = messages.min(self.next - self.consumed.messages);
        let bytes = bytes.min(self.held);
        self.consumed.messages += messages;
        self.consumed.bytes += bytes;
        self.held -= bytes;
        bytes
    }

    /// What the peer may announce now.
    pub(crate) fn credit(&self) -> Limits {
        let messages = self.consumed.messages + self.window.messages;
        let bytes = self.consumed.bytes + self.window.bytes;
        Limits { messages: messages.max(self.limit.messages), bytes: bytes.max(self.limit.bytes) }
    }

    /// Whether the peer should be told of its credit: half a window is more than it knows of.
    pub(crate) fn credit_due(&self) -> bool {
        let credit = self.credit();
        self.last.is_none()
            && (credit.messages - self.limit.messages >= self.window.messages.div_ceil(2)
                || credit.bytes - self.limit.bytes >= self.window.bytes.div_ceil(2))
    }

    /// The peer is being told.
    pub(crate) fn on_credit_told(&mut self) -> Limits {
        self.limit = self.credit();
        self.credit_queued = false;
        self.limit
    }
}

#[cfg(test)]
mod tests;
