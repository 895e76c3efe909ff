//! The growable array of slots.
//!
//! Memory comes in chunks, each as long as all before it together, that stay where they are: a
//! lookup is an index computation and two loads, and no one waits for growth but those who need the
//! new chunk. Free slots wait in a queue, so that there are never more slots than there were tokens
//! at once.

use crossbeam_queue::SegQueue;

use super::{
    config::CausalityConfig,
    sync::{AtomicU32, AtomicU64, OnceLock, Ordering},
    token::{Name, SLOT_LIMIT},
    word::{Phase, Word},
};

/// As many as the smallest first chunk needs to reach the limit.
const CHUNKS: usize = SLOT_LIMIT.ilog2() as usize + 1;

/// See the module.
#[derive(Debug)]
pub(super) struct Slots {
    chunks: [OnceLock<Box<[AtomicU64]>>; CHUNKS],
    /// Binary logarithm of the first chunk's length.
    first_log2: u32,
    max: u32,
    /// Slots that were ever used.
    used: AtomicU32,
    free: SegQueue<u32>,
}

/// A name that no slot has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// It was never given.
    Unknown,
    /// The slot has gone on.
    Ended,
}

/// What became of a word that was to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Update {
    /// It was changed, by this call.
    Changed { before: Word, after: Word },
    /// There was nothing to change.
    Kept(Word),
}

impl Slots {
    pub(super) fn new(config: CausalityConfig) -> Self {
        let slots = Self {
            chunks: core::array::from_fn(|_| OnceLock::new()),
            first_log2: config.initial.next_power_of_two().ilog2(),
            max: config.max,
            used: AtomicU32::new(0),
            free: SegQueue::new(),
        };
        slots.make(0);
        slots
    }

    /// Index of a slot's chunk.
    fn chunk_of(&self, slot: u32) -> usize {
        match slot >> self.first_log2 {
            0 => 0,
            above => above.ilog2() as usize + 1,
        }
    }

    /// The slots of a chunk.
    fn range(&self, chunk: usize) -> core::ops::Range<u32> {
        let end = (1 << self.first_log2) << chunk;
        let start = if chunk == 0 { 0 } else { end / 2 };
        start..end.min(self.max)
    }

    fn make(&self, chunk: usize) -> &[AtomicU64] {
        let make = || self.range(chunk).map(|_| AtomicU64::new(Word::UNUSED.0)).collect();
        self.chunks[chunk].get_or_init(make)
    }

    fn get(&self, slot: u32) -> Option<&AtomicU64> {
        let chunk = self.chunk_of(slot);
        let words = self.chunks.get(chunk)?.get()?;
        words.get((slot - self.range(chunk).start) as usize)
    }

    /// Names a transfer, with one holder; `None` at the limit. [CAUS-8]
    pub(super) fn allocate(&self) -> Option<Name> {
        let slot = self.free.pop().or_else(|| self.grow())?;
        let word = self.get(slot)?;
        // a free slot is only ever changed by the one who took it
        let free = Word(word.fetch_add(Word::ALLOCATE, Ordering::AcqRel));
        debug_assert_eq!(free.phase(), Phase::Free, "slot {slot}");
        Some(Name::new(slot, free.generation()))
    }

    /// A slot that was never used.
    fn grow(&self) -> Option<u32> {
        let next = |used| if used < self.max { Some(used + 1) } else { None };
        // the count hands numbers out and publishes nothing
        let slot = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
        self.make(self.chunk_of(slot));
        Some(slot)
    }

    fn check(word: Word, name: Name) -> Result<Word, Miss> {
        match word.generation().cmp(&name.generation()) {
            core::cmp::Ordering::Equal if word.phase() != Phase::Free => Ok(word),
            core::cmp::Ordering::Greater => Err(Miss::Ended),
            _ => Err(Miss::Unknown),
        }
    }

    /// The word of a name.
    pub(super) fn load(&self, name: Name) -> Result<Word, Miss> {
        let word = self.get(name.slot()).ok_or(Miss::Unknown)?;
        Self::check(Word(word.load(Ordering::Acquire)), name)
    }

    /// Changes the word of a name, if `change` gives another. A slot that it frees can be used
    /// again at once. [CAUS-6]
    pub(super) fn update(
        &self,
        name: Name,
        change: impl Fn(Word) -> Option<Word>,
    ) -> Result<Update, Miss> {
        let word = self.get(name.slot()).ok_or(Miss::Unknown)?;
        let mut before = word.load(Ordering::Acquire);
        loop {
            let current = Self::check(Word(before), name)?;
            let Some(after) = change(current) else { return Ok(Update::Kept(current)) };
            let exchanged =
                word.compare_exchange_weak(before, after.0, Ordering::AcqRel, Ordering::Acquire);
            match exchanged {
                Ok(_) => {
                    if after.phase() == Phase::Free && !after.is_retired() {
                        self.free.push(name.slot());
                    }
                    return Ok(Update::Changed { before: current, after });
                }
                Err(actual) => before = actual,
            }
        }
    }

    /// Slots that there is memory for.
    pub(super) fn capacity(&self) -> usize {
        self.chunks.iter().filter_map(OnceLock::get).map(|chunk| chunk.len()).sum()
    }

    /// Slots that are not free; not exact while others change the map.
    pub(super) fn live(&self) -> usize {
        (self.used.load(Ordering::Relaxed) as usize).saturating_sub(self.free.len())
    }

    pub(super) fn max(&self) -> u32 {
        self.max
    }
}

#[cfg(test)]
mod tests;
