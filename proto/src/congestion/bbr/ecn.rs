//! Marks, counted in rounds (Google's BBRv3; the draft leaves them out).

use crate::congestion::dctcp::MarkedShare;

/// A round with marks cuts the short-term volume by alpha over this.
const FACTOR_DIVISOR: u64 = 3;

/// So many rounds in a row with half of their packets marked end Startup.
const FULL_ROUNDS: u32 = 2;

/// The marks of the last round, and their average.
#[derive(Clone, Debug, Default)]
pub(super) struct EcnRounds {
    share: MarkedShare,
    marked_now: u64,
    was_marked: bool,
    was_half_marked: bool,
    half_marked_rounds: u32,
}

impl EcnRounds {
    /// Counts packets.
    pub(super) fn add(&mut self, arrived: u64, marked: u64) {
        self.share.add(arrived, marked);
        self.marked_now = self.marked_now.saturating_add(marked);
    }

    /// Packets marked in this round so far.
    pub(super) fn marked_now(&self) -> u64 {
        self.marked_now
    }

    /// A round is over.
    pub(super) fn end_round(&mut self) {
        self.was_marked = self.share.is_marked();
        self.was_half_marked = self.share.is_half_marked();
        self.half_marked_rounds =
            if self.was_half_marked { self.half_marked_rounds.saturating_add(1) } else { 0 };
        self.share.end_round();
        self.marked_now = 0;
    }

    /// Whether the last round had marks.
    pub(super) fn was_marked(&self) -> bool {
        self.was_marked
    }

    /// Whether half of the last round was marked, or more.
    pub(super) fn was_half_marked(&self) -> bool {
        self.was_half_marked
    }

    /// Whether marks say that the pipe is full.
    pub(super) fn is_full(&self) -> bool {
        self.half_marked_rounds >= FULL_ROUNDS
    }

    /// What marks leave of a volume.
    pub(super) fn reduce(&self, volume: u64) -> u64 {
        self.share.reduce(volume, FACTOR_DIVISOR)
    }
}
