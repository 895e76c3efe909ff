//! Which packet numbers were seen: a sliding window over the newest of them.

use thiserror::Error;

use crate::id::PacketNumber;

/// [SEC-20] Remembers the newest packet numbers of one key and path.
///
/// The window is a ring of bits; number `n` has bit `n mod size`. The ring is as long as the
/// numbers so far need, so that a peer that says little takes little. Asking and recording are
/// separate steps, because a number counts as seen only once its packet has proved authentic.
pub struct ReplayWindow {
    words: Vec<u64>,
    /// Numbers that the window covers, once the ring has its full length.
    size: u64,
    /// One more than the highest number recorded; zero while nothing is.
    end: u64,
}

impl ReplayWindow {
    /// A window over the `size` newest numbers.
    ///
    /// # Panics
    /// If `size` is not a power of two of at least 64.
    pub fn new(size: u32) -> Self {
        assert!(size.is_power_of_two() && size >= 64, "replay window of {size} numbers");
        Self { words: Vec::new(), size: u64::from(size), end: 0 }
    }

    /// Whether `number` may still be accepted. Changes nothing.
    ///
    /// # Errors
    /// It was recorded before, is too old for the window to know, or is no number a sender uses.
    pub fn check(&self, number: PacketNumber) -> Result<(), ReplayError> {
        let number = number.0;
        if number > MAX_PACKET_NUMBER {
            return Err(ReplayError::OutOfRange);
        }
        if number >= self.end {
            return Ok(());
        }
        if self.end - number > self.size {
            return Err(ReplayError::TooOld);
        }
        if self.words[self.word(number)] & bit(number) != 0 {
            return Err(ReplayError::Replayed);
        }
        Ok(())
    }

    /// Records `number` as seen.
    ///
    /// # Errors
    /// As [`Self::check`]; nothing is recorded then.
    pub fn record(&mut self, number: PacketNumber) -> Result<(), ReplayError> {
        self.check(number)?;
        let number = number.0;
        if number >= self.end {
            self.slide_to(number);
        }
        let word = self.word(number);
        self.words[word] |= bit(number);
        Ok(())
    }

    /// Makes `newest` the highest number, and forgets those that leave the window.
    fn slide_to(&mut self, newest: u64) {
        let forgets_all = newest - self.end >= self.size;
        self.reach(newest);
        if forgets_all {
            self.words.fill(0);
        } else {
            let mut number = self.end;
            while number <= newest {
                // Up to the end of this word, or to the newest number inside of it.
                let last = (number | 63).min(newest);
                let ones = last - number + 1;
                let mask = (u64::MAX >> (64 - ones)) << (number % 64);
                let word = self.word(number);
                self.words[word] &= !mask;
                number = last + 1;
            }
        }
        self.end = newest + 1;
    }

    /// Lengthens the ring for a number, if it may be longer. Until then it has not come round, so
    /// that every bit stays where it is.
    fn reach(&mut self, number: u64) {
        let (has, most) = (self.words.len() as u64, self.size / 64);
        if has < most && number / 64 >= has {
            let words = (number / 64 + 1).next_power_of_two().min(most);
            self.words.resize(words as usize, 0);
        }
    }

    fn word(&self, number: u64) -> usize {
        (number / 64) as usize & (self.words.len() - 1)
    }
}

impl core::fmt::Debug for ReplayWindow {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ReplayWindow").field("size", &self.size).field("end", &self.end).finish()
    }
}

/// Why a packet number is not acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReplayError {
    /// A packet of this number was accepted before.
    #[error("packet number was seen before")]
    Replayed,
    /// The number is older than the window reaches.
    #[error("packet number is older than the replay window")]
    TooOld,
    /// No sender counts this far: acknowledgements could not name the number.
    #[error("packet number is above 2^62 - 1")]
    OutOfRange,
}

/// The highest packet number: the highest that a varint holds.
const MAX_PACKET_NUMBER: u64 = (1 << 62) - 1;

const fn bit(number: u64) -> u64 {
    1 << (number % 64)
}

#[cfg(test)]
mod tests;
