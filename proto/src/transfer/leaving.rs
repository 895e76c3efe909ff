//! What a message that is being pulled has at its sender: plaintext, sealed records, and the ranges
//! that were asked for.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::{
    crypto::SealingKey,
    endpoint::Payload,
    ranges::{ByteRange, RangeSet},
    transfer::{layout::Layout, record_pool::RecordPool},
};

/// Records sealed but not acknowledged, per transfer, at most: about four times the largest
/// useful credit per peer. A receiver that pulls without ever acknowledging waits here.
const MAX_SEALED_AHEAD: u64 = 8 << 20;

/// Ranges wanted of one transfer at most: a peer that asks for every other byte costs no more.
const MAX_WANTED: usize = 1_024;

/// The bytes of a message as they leave.
#[derive(Debug)]
pub(super) struct Leaving {
    pub(super) source: Source,
    /// Sealed records from `sealed_base` on; `None` where acknowledged.
    pub(super) sealed: VecDeque<Option<Bytes>>,
    pub(super) sealed_base: u64,
    /// Asked for and not sent since.
    pub(super) wanted: RangeSet,
    /// Ever handed to the link.
    pub(super) sent: RangeSet,
}

/// Plaintext that was handed over and is not sealed yet.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) chunks: VecDeque<Bytes>,
    /// Message offset of the first byte of `chunks`.
    pub(super) start: u64,
    /// Message offset behind the last byte of `chunks`.
    pub(super) end: u64,
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

impl Leaving {
    pub(super) fn new(source: Source) -> Self {
        Self {
            source,
            sealed: VecDeque::new(),
            sealed_base: 0,
            wanted: RangeSet::default(),
            sent: RangeSet::default(),
        }
    }

    pub(super) fn pull(&mut self, layout: Layout, range: ByteRange, again: bool) -> u64 {
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

    pub(super) fn next_slice(
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

    pub(super) fn acknowledge(&mut self, layout: Layout, range: ByteRange, send_memory: &mut u64) {
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

    pub(super) fn seal_up_to(
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
    pub(super) fn new(payload: Payload) -> Self {
        match payload {
            Payload::Whole(bytes) => {
                Self { start: 0, end: bytes.len() as u64, chunks: VecDeque::from([bytes]) }
            }
            Payload::Supplied { .. } => Self { start: 0, end: 0, chunks: VecDeque::new() },
        }
    }

    /// The next `len` bytes, which must be there: a slice of the chunk that holds them all, or a
    /// copy where chunks meet.
    pub(super) fn take(&mut self, len: usize) -> Bytes {
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
