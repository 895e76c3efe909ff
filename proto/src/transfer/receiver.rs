//! The receiving side of one message: pull it, assemble records, open them, acknowledge.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

use crate::{
    crypto::OpeningKey,
    id::{Priority, Status, StreamId, TransferId},
    ranges::{ByteRange, RangeSet},
    time::Timestamp,
    transfer::{layout::Layout, record_pool::RecordPool},
    wheel::TimerToken,
    wire::content::Content,
};

/// A message that a peer announced and that is not complete.
///
/// A million of them may wait for the application: what is needed once bytes may come is apart.
#[derive(Debug)]
pub(crate) struct RecvTransfer {
    pub(crate) stream: StreamId,
    /// The sender's name for the transfer.
    pub(crate) sender: TransferId,
    pub(crate) buffer: crate::id::BufferId,
    pub(crate) layout: Layout,
    pub(crate) metadata: Bytes,
    pub(crate) details: Details,
    key: OpeningKey,
    first_record: u64,
    /// What it still needed when it was put into the order of those that want to pull; none if it
    /// is not there.
    pub(crate) listed: Option<u64>,
    pub(crate) priority: Priority,
    /// `None` until the application has said where the message goes, or some of it comes unasked.
    pub(crate) arriving: Option<Box<Arriving>>,
}

/// The bytes of a message as they come.
#[derive(Debug)]
pub(crate) struct Arriving {
    // copies, so that a packet finds all it needs in one place
    layout: Layout,
    key: OpeningKey,
    first_record: u64,
    /// `None` until the application has said where the message goes.
    pub(crate) sink: Option<Sink>,
    arrived: RangeSet,
    /// Records from here on are being assembled or not begun; all before are opened.
    assembling: VecDeque<Assembly>,
    opened: u64,
    /// End of what was pulled: nothing beyond is accepted.
    pub(crate) pulled_to: u64,
    /// Below this position every hole has been pulled again already.
    scanned_to: u64,
    /// Highest end of a slice that was not a retransmission.
    highest: u64,
    /// Ranges pulled again, oldest first.
    pub(crate) repulled: VecDeque<Repull>,
    /// Opened but not acknowledged.
    pub(crate) unacknowledged: RangeSet,
    pub(crate) ack_queued: bool,
    /// Bytes that may come before the application has said where the message goes.
    pub(crate) early: u64,
    /// Last pull, or arrival of something new.
    pub(crate) active_at: Timestamp,
    pub(crate) pull_timer: Option<TimerToken>,
    /// Start of a pulled range and when it was pulled, to measure from pull to data.
    rtt_probe: Option<(u64, Timestamp)>,
    pub(crate) corrupt: u32,
}

/// What is told of a message when it is complete.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Details {
    /// It is the request of a stream that the peer opened. `announced` says that the application
    /// knows of the stream already.
    Request { announced: bool, content: Content },
    /// It is the response to a stream opened here.
    Response { status: Status },
    /// It is one of many in its direction, the last one if `fin` is there.
    Message { index: u64, fin: Option<Status> },
}

/// Where opened records go.
#[derive(Debug)]
pub(crate) enum Sink {
    /// To their place in one piece of memory.
    Memory(BytesMut),
    /// To the application one by one, as long as it takes them.
    Records {
        /// Plaintext bytes that were handed over and not released.
        held: u64,
    },
}

/// A record that has begun to arrive.
#[derive(Debug)]
struct Assembly {
    index: u64,
    buffer: BytesMut,
    filled: u64,
}

/// A range that was pulled again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repull {
    pub(crate) range: ByteRange,
    pub(crate) at: Timestamp,
}

/// What came of a slice.
#[derive(Debug, Default)]
pub(crate) struct Arrival {
    /// Bytes that were not there before.
    pub(crate) fresh: u64,
    /// From the pull to this slice, if this was the first of a range pulled once.
    pub(crate) rtt_sample: Option<core::time::Duration>,
    /// Records that did not open; their ranges count as not arrived.
    pub(crate) corrupt: SmallVec<[ByteRange; 1]>,
    /// What came from the first time although it was pulled again.
    pub(crate) spurious: Option<ByteRange>,
}

impl RecvTransfer {
    /// A message as its notify announces it.
    #[expect(clippy::too_many_arguments, reason = "each is one field of the notify")]
    pub(crate) fn new(
        stream: StreamId,
        sender: TransferId,
        buffer: crate::id::BufferId,
        layout: Layout,
        metadata: Bytes,
        details: Details,
        priority: Priority,
        key: OpeningKey,
        first_record: u64,
    ) -> Self {
        Self {
            stream,
            sender,
            buffer,
            layout,
            metadata,
            details,
            key,
            first_record,
            listed: None,
            priority,
            arriving: None,
        }
    }

    /// Makes ready for bytes to come.
    pub(crate) fn begin(&mut self, now: Timestamp) -> &mut Arriving {
        let (layout, key, first_record) = (self.layout, &self.key, self.first_record);
        self.arriving
            .get_or_insert_with(|| Box::new(Arriving::new(layout, key.clone(), first_record, now)))
    }

    /// Bytes pulled but not arrived.
    pub(crate) fn outstanding(&self) -> u64 {
        self.arriving.as_ref().map_or(0, |arriving| arriving.outstanding())
    }

    /// Bytes that were not pulled yet.
    pub(crate) fn unpulled(&self) -> u64 {
        self.layout.sealed_len() - self.arriving.as_ref().map_or(0, |arriving| arriving.pulled_to)
    }

    /// Bytes that may come before the application has said where the message goes.
    pub(crate) fn early(&self) -> u64 {
        self.arriving.as_ref().map_or(0, |arriving| arriving.early)
    }

    /// What has come and is to come, if anything is.
    pub(crate) fn arriving(&mut self) -> Option<&mut Arriving> {
        self.arriving.as_deref_mut()
    }

    /// Where the message goes, if the application has said so.
    pub(crate) fn sink(&mut self) -> Option<&mut Sink> {
        self.arriving.as_mut()?.sink.as_mut()
    }

    /// Notes that the sender sends all of it unasked.
    pub(crate) fn expect_all(&mut self, now: Timestamp) -> &mut Arriving {
        let end = self.layout.sealed_len();
        let arriving = self.begin(now);
        arriving.pulled_to = end;
        arriving.active_at = now;
        arriving
    }

    /// How much more may be pulled now, given a window of unreleased records.
    pub(crate) fn pullable(&self, record_window: u64) -> u64 {
        let Some(arriving) = &self.arriving else { return 0 };
        let rest = self.unpulled();
        match &arriving.sink {
            None => 0,
            Some(Sink::Memory(_)) => rest,
            Some(Sink::Records { held }) => {
                rest.min(record_window.saturating_sub(held + arriving.outstanding()))
            }
        }
    }
}

impl Arriving {
    fn new(layout: Layout, key: OpeningKey, first_record: u64, now: Timestamp) -> Self {
        Self {
            layout,
            key,
            first_record,
            sink: None,
            arrived: RangeSet::default(),
            assembling: VecDeque::new(),
            opened: 0,
            pulled_to: 0,
            scanned_to: 0,
            highest: 0,
            repulled: VecDeque::new(),
            unacknowledged: RangeSet::default(),
            ack_queued: false,
            early: 0,
            active_at: now,
            pull_timer: None,
            rtt_probe: None,
            corrupt: 0,
        }
    }

    /// Bytes pulled but not arrived.
    pub(crate) fn outstanding(&self) -> u64 {
        self.pulled_to - self.arrived.covered()
    }

    /// Where the records end that are open from the first on without a hole. Acknowledged again
    /// with every acknowledgement, so that a lost one costs nothing.
    pub(crate) fn opened_to(&self) -> u64 {
        let end = self.layout.sealed_len();
        let hole = ByteRange::new(0, end).and_then(|whole| self.arrived.gaps(whole).next());
        match hole {
            Some(hole) => {
                let record = self.layout.record_range(self.layout.record_at(hole.start));
                record.map_or(0, |record| record.start)
            }
            None => end,
        }
    }

    /// Whether every record is open.
    pub(crate) fn is_complete(&self) -> bool {
        self.opened == self.layout.records()
    }

    /// Extends what is pulled by `len` bytes and returns the range to ask for.
    pub(crate) fn pull(&mut self, now: Timestamp, len: u64) -> Option<ByteRange> {
        let range = ByteRange::new(self.pulled_to, self.pulled_to + len)?;
        self.pulled_to = range.end;
        self.active_at = now;
        if self.rtt_probe.is_none() {
            self.rtt_probe = Some((range.start, now));
        }
        Some(range)
    }

    /// Takes a slice that lies inside what was pulled.
    pub(crate) fn arrive(
        &mut self,
        now: Timestamp,
        position: u64,
        payload: &[u8],
        retransmission: bool,
        pool: &mut RecordPool,
        mut opened: impl FnMut(u64, Bytes),
    ) -> Arrival {
        let mut arrival = Arrival::default();
        let end = position + payload.len() as u64;
        if !retransmission {
            self.highest = self.highest.max(end);
            arrival.spurious = self.spurious(position, end);
            if let Some((start, at)) = self.rtt_probe
                && end > start
            {
                self.rtt_probe = None;
                if position <= start {
                    arrival.rtt_sample = Some(now.saturating_since(at));
                }
            }
        }
        let mut at = position;
        while at < end {
            let index = self.layout.record_at(at);
            let Some(record) = self.layout.record_range(index) else { break };
            let piece_end = end.min(record.end);
            let piece = &payload[(at - position) as usize..(piece_end - position) as usize];
            let Some(range) = ByteRange::new(at, piece_end) else { break };
            let fresh = self.arrived.insert(range);
            if fresh > 0 {
                arrival.fresh += fresh;
                self.place(index, record, (at - record.start) as usize, piece, fresh, pool);
                if !self.open_if_full(index, record, pool, &mut opened) {
                    arrival.corrupt.push(record);
                }
            }
            at = piece_end;
        }
        if arrival.fresh > 0 {
            self.active_at = now;
        }
        arrival
    }

    /// What of a slice that is not a retransmission was pulled again and has not arrived.
    fn spurious(&self, position: u64, end: u64) -> Option<ByteRange> {
        let slice = ByteRange::new(position, end)?;
        let again = self.repulled.iter().find_map(|repull| repull.range.intersection(slice))?;
        self.arrived.gaps(again).next()
    }

    /// Opens the records that were complete before there was a place for them; the ranges of those
    /// that are corrupt.
    pub(crate) fn open_early(
        &mut self,
        pool: &mut RecordPool,
        mut opened: impl FnMut(u64, Bytes),
    ) -> SmallVec<[ByteRange; 1]> {
        let begun: SmallVec<[u64; 8]> = self.assembling.iter().map(|a| a.index).collect();
        let mut corrupt = SmallVec::new();
        for index in begun {
            if let Some(record) = self.layout.record_range(index)
                && !self.open_if_full(index, record, pool, &mut opened)
            {
                corrupt.push(record);
            }
        }
        corrupt
    }

    /// Copies a piece to its place in its record.
    fn place(
        &mut self,
        index: u64,
        record: ByteRange,
        offset: usize,
        piece: &[u8],
        fresh: u64,
        pool: &mut RecordPool,
    ) {
        let slot = match self.assembling.iter().rposition(|a| a.index <= index) {
            Some(slot) if self.assembling[slot].index == index => slot,
            slot => {
                let slot = slot.map_or(0, |before| before + 1);
                let buffer = pool.take(record.len() as usize);
                self.assembling.insert(slot, Assembly { index, buffer, filled: 0 });
                slot
            }
        };
        let assembly = &mut self.assembling[slot];
        assembly.filled += fresh;
        let buffer = &mut assembly.buffer;
        // the usual slice continues where the last one ended: nothing is zeroed first
        if buffer.len() == offset {
            buffer.extend_from_slice(piece);
            return;
        }
        let end = offset + piece.len();
        if buffer.len() < end {
            buffer.resize(end, 0);
        }
        buffer[offset..end].copy_from_slice(piece);
    }

    /// Opens a record when all of it is there; false if it is corrupt [XFER-4].
    fn open_if_full(
        &mut self,
        index: u64,
        record: ByteRange,
        pool: &mut RecordPool,
        opened: &mut impl FnMut(u64, Bytes),
    ) -> bool {
        if self.sink.is_none() {
            // it stays assembled until there is a place for it
            return true;
        }
        let Some(slot) = self.assembling.iter().position(|a| a.index == index) else { return true };
        if self.assembling[slot].filled < record.len() {
            return true;
        }
        let (Some(mut assembly), Some(plain)) =
            (self.assembling.remove(slot), self.layout.plain_range(index))
        else {
            return true;
        };
        let sequence = self.first_record + index;
        let result = match &mut self.sink {
            Some(Sink::Memory(memory)) => {
                let out = &mut memory[plain.start as usize..plain.end as usize];
                let result = self.key.open(sequence, &assembly.buffer, out);
                assembly.buffer.clear();
                result
            }
            Some(Sink::Records { held }) => {
                let result = self.key.open_in_place(sequence, &mut assembly.buffer);
                if result.is_ok() {
                    let data = assembly.buffer.split_to(plain.len() as usize).freeze();
                    assembly.buffer.clear();
                    *held += plain.len();
                    opened(plain.start, data);
                }
                result
            }
            None => return true,
        };
        pool.give_back(assembly.buffer, record.len() as usize);
        if result.is_err() {
            self.arrived.remove(record);
            self.corrupt += 1;
            return false;
        }
        self.opened += 1;
        // [XFER-5]
        self.unacknowledged.insert(record);
        true
    }

    /// Holes that later arrivals have left behind by more than `distance` bytes and that were not
    /// pulled again yet.
    pub(crate) fn lost(&mut self, distance: u64) -> Vec<ByteRange> {
        let limit = self.highest.saturating_sub(distance).min(self.pulled_to);
        self.holes_up_to(limit)
    }

    /// Every hole that was not pulled again yet, the tail included.
    pub(crate) fn missing(&mut self) -> Vec<ByteRange> {
        self.holes_up_to(self.pulled_to)
    }

    fn holes_up_to(&mut self, limit: u64) -> Vec<ByteRange> {
        if limit <= self.scanned_to {
            return Vec::new();
        }
        // an empty Vec does not allocate: without loss this path is free of the heap
        let holes = ByteRange::new(self.scanned_to, limit)
            .map_or_else(Vec::new, |within| self.arrived.gaps(within).collect());
        self.scanned_to = limit;
        holes
    }

    /// The parts of a range that have not arrived.
    pub(crate) fn holes_in(&self, range: ByteRange) -> Vec<ByteRange> {
        self.arrived.gaps(range).collect()
    }

    /// Notes that ranges are pulled again now.
    pub(crate) fn repull(&mut self, now: Timestamp, ranges: &[ByteRange]) {
        self.repulled.extend(ranges.iter().map(|&range| Repull { range, at: now }));
        // a sample from pull to data would be ambiguous now (Karn)
        self.rtt_probe = None;
        self.active_at = now;
    }

    /// Gives the assembly buffers back.
    pub(crate) fn release_buffers(&mut self, pool: &mut RecordPool) {
        for assembly in self.assembling.drain(..) {
            if let Some(record) = self.layout.record_range(assembly.index) {
                pool.give_back(assembly.buffer, record.len() as usize);
            }
        }
    }
}
