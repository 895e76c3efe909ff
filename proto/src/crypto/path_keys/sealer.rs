//! Seals what one worker sends, with a counter that only a seal can move.

use core::fmt;

use smallvec::SmallVec;
use thiserror::Error;

use super::super::{
    control_key::{ControlKey, KeyName},
    limits::KeyLimits,
    path_secret::PathSecret,
};
use crate::id::{Epoch, PacketNumber, PathId};

/// The control key that a worker seals with, the use made of it, and the next packet numbers.
pub(super) struct Sealer {
    name: KeyName,
    key: ControlKey,
    budget: KeyBudget,
    counters: Counters,
}

impl Sealer {
    pub(super) fn new(secret: &PathSecret, name: KeyName, limits: &KeyLimits) -> Self {
        Self {
            name,
            key: ControlKey::derive(secret, name),
            budget: KeyBudget::new(limits),
            counters: Counters::default(),
        }
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.name.epoch
    }

    /// Makes room for a packet of `len` bytes: under the present key, or under the next epoch's.
    ///
    /// [SEC-15] A key that is used up seals nothing more. Numbers go on across epochs, so that an
    /// acknowledgement names one packet whatever its epoch.
    pub(super) fn reserve(
        &mut self,
        secret: &PathSecret,
        limits: &KeyLimits,
        path: PathId,
        len: usize,
    ) -> Result<Reserved<'_>, SealError> {
        if let Err(KeyExhausted) = self.budget.spend(len) {
            let epoch = self.name.epoch.0.checked_add(1).ok_or(SealError::EpochsExhausted)?;
            self.name.epoch = Epoch(epoch);
            self.key = ControlKey::derive(secret, self.name);
            self.budget = KeyBudget::new(limits);
            self.budget.spend(len).map_err(|KeyExhausted| SealError::EpochsExhausted)?;
        }
        let number = self.counters.take(path).ok_or(SealError::EpochsExhausted)?;
        Ok(Reserved { key: &self.key, epoch: self.name.epoch, path, number })
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("name", &self.name).field("budget", &self.budget).finish()
    }
}

/// One nonce of one key. Sealing takes it by value: there is no second use.
pub(super) struct Reserved<'a> {
    key: &'a ControlKey,
    epoch: Epoch,
    path: PathId,
    number: PacketNumber,
}

impl Reserved<'_> {
    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(super) fn path(&self) -> PathId {
        self.path
    }

    pub(super) fn number(&self) -> PacketNumber {
        self.number
    }

    /// Seals `text` in place and writes `tag`.
    pub(super) fn seal(
        self,
        header: &[u8],
        text: &mut [u8],
        tag: &mut [u8],
    ) -> Result<PacketNumber, SealError> {
        #[cfg(test)]
        crate::crypto::testing::nonce_log::record(
            self.key.fingerprint,
            self.key.nonce_bytes(self.path, self.number),
        );
        self.key
            .seal(self.path, self.number, header, text, tag)
            .map_err(|_unspecified| SealError::Refused)?;
        Ok(self.number)
    }
}

/// What is left of a key's permitted use.
#[derive(Debug)]
struct KeyBudget {
    packets: u64,
    bytes: u64,
}

impl KeyBudget {
    fn new(limits: &KeyLimits) -> Self {
        Self { packets: limits.epoch_packets(), bytes: limits.epoch_bytes() }
    }

    /// Takes a packet of `len` bytes off. The last packet may exceed the bytes by its own length.
    fn spend(&mut self, len: usize) -> Result<(), KeyExhausted> {
        if self.packets == 0 || self.bytes == 0 {
            return Err(KeyExhausted);
        }
        self.packets -= 1;
        self.bytes = self.bytes.saturating_sub(len as u64);
        Ok(())
    }
}

/// The next packet number of each path.
///
/// [SEC-14] Taking a number is the only thing that can be done with a counter.
#[derive(Debug, Default)]
struct Counters {
    paths: SmallVec<[(PathId, u64); 1]>,
}

impl Counters {
    /// `None` once the path's numbers are used up, which the limits on keys prevent.
    fn take(&mut self, path: PathId) -> Option<PacketNumber> {
        let index = match self.paths.iter().position(|(known, _)| *known == path) {
            Some(index) => index,
            None => {
                self.paths.push((path, 0));
                self.paths.len() - 1
            }
        };
        let next = &mut self.paths[index].1;
        let number = *next;
        *next = number.checked_add(1)?;
        Some(PacketNumber(number))
    }
}

/// A control key has sealed all it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the control key is used up")]
struct KeyExhausted;

/// Why a packet was not sealed. Its memory holds nothing that may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SealError {
    /// The memory does not have the packet's length.
    #[error("the packet's memory has the wrong length")]
    Length,
    /// Every epoch of the path secret is used up: a new hello has to give a new one.
    #[error("every epoch of the path secret is used up")]
    EpochsExhausted,
    /// The AEAD refused, as it does for impossible lengths only.
    #[error("the AEAD refused to seal")]
    Refused,
}

#[cfg(test)]
mod tests;
