//! Data keys of peers, kept expanded while they are in use.

use core::fmt;
use std::sync::Arc;

use aws_lc_rs::{aead::Aad, constant_time};
use hashbrown::HashTable;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{
    super::{
        limits::KeyLimits,
        seed::SecretRng,
        suite::{Suite, TAG_LEN},
    },
    DataKey, record_nonce,
};

/// The most recently used data keys of peers, found by their value.
///
/// The table itself holds slot numbers only, so that it leaves no key behind when it grows; keys
/// live in allocations of their own that are wiped. Hashes are keyed with secrets, so that a peer
/// cannot choose keys that collide.
pub struct OpeningKeys {
    slots: Vec<Slot>,
    index: HashTable<u32>,
    newest: u32,
    oldest: u32,
    limit: u32,
    hash_key: [u64; 4],
}

/// A key in the list from the most to the least recently used.
struct Slot {
    key: Arc<DataKey>,
    newer: u32,
    older: u32,
}

impl OpeningKeys {
    /// An empty cache of at most [`KeyLimits::opening_keys`] keys.
    pub fn new(rng: &mut SecretRng, limits: &KeyLimits) -> Self {
        let hash_key = core::array::from_fn(|_| u64::from_be_bytes(rng.array()));
        let limit = limits.opening_keys();
        Self {
            slots: Vec::new(),
            index: HashTable::new(),
            newest: NONE,
            oldest: NONE,
            limit,
            hash_key,
        }
    }

    /// The key `bytes`, expanded now or earlier.
    ///
    /// # Errors
    /// The length is that of no suite's keys.
    pub fn get(&mut self, bytes: &[u8]) -> Result<OpeningKey, DataKeyError> {
        let suite = Suite::from_key_len(bytes.len()).ok_or(DataKeyError { len: bytes.len() })?;
        let hash = hash(&self.hash_key, bytes);
        let same = |slot: &u32| is_key(&self.slots[*slot as usize], bytes);
        let slot = match self.index.find(hash, same) {
            Some(&slot) => {
                self.unlink(slot);
                slot
            }
            None => self.insert(hash, suite, bytes),
        };
        self.link_newest(slot);
        Ok(OpeningKey { key: Arc::clone(&self.slots[slot as usize].key) })
    }

    /// How many keys are kept.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether no key is kept.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Puts a new key into a slot, the least recently used one if there are no more. Not linked.
    fn insert(&mut self, hash: u64, suite: Suite, bytes: &[u8]) -> u32 {
        let mut copy = Zeroizing::new([0; 32]);
        copy[..bytes.len()].copy_from_slice(bytes);
        let key = Arc::new(DataKey::expand(suite, copy));
        let slot = if self.slots.len() < self.limit as usize {
            self.slots.push(Slot { key, newer: NONE, older: NONE });
            self.slots.len() as u32 - 1
        } else {
            let slot = self.oldest;
            self.unlink(slot);
            self.forget(slot);
            self.slots[slot as usize].key = key;
            slot
        };
        let (slots, hash_key) = (&self.slots, &self.hash_key);
        self.index.insert_unique(hash, slot, |slot| {
            super::opening::hash(hash_key, slots[*slot as usize].key.bytes())
        });
        slot
    }

    fn forget(&mut self, slot: u32) {
        let hash = hash(&self.hash_key, self.slots[slot as usize].key.bytes());
        if let Ok(entry) = self.index.find_entry(hash, |other| *other == slot) {
            entry.remove();
        }
    }

    fn unlink(&mut self, slot: u32) {
        let Slot { newer, older, .. } = self.slots[slot as usize];
        match self.slots.get_mut(newer as usize) {
            Some(neighbour) => neighbour.older = older,
            None => self.newest = older,
        }
        match self.slots.get_mut(older as usize) {
            Some(neighbour) => neighbour.newer = newer,
            None => self.oldest = newer,
        }
    }

    fn link_newest(&mut self, slot: u32) {
        let older = self.newest;
        let linked = &mut self.slots[slot as usize];
        (linked.newer, linked.older) = (NONE, older);
        match self.slots.get_mut(older as usize) {
            Some(neighbour) => neighbour.newer = slot,
            None => self.oldest = slot,
        }
        self.newest = slot;
    }
}

impl fmt::Debug for OpeningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpeningKeys")
            .field("len", &self.len())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// A peer's data key. Cheap to clone, and good for as long as it is held.
#[derive(Clone)]
pub struct OpeningKey {
    key: Arc<DataKey>,
}

impl OpeningKey {
    /// Opens record number `sequence` where it lies; the plaintext is all but the last 16 bytes.
    ///
    /// # Errors
    /// The record is not what the peer sealed; `sealed` then holds nothing of the plaintext.
    pub fn open_in_place(&self, sequence: u64, sealed: &mut [u8]) -> Result<(), NotAuthentic> {
        let opened = self.key.aead.open_in_place(record_nonce(sequence), Aad::empty(), sealed);
        opened.map(|_plaintext| ()).map_err(|_unspecified| NotAuthentic)
    }

    /// Opens record number `sequence` from `sealed`, ciphertext and tag, into `out`. One pass.
    ///
    /// # Errors
    /// The record is not what the peer sealed, or `out` is not 16 bytes shorter than `sealed`.
    /// `out` then holds nothing of the plaintext.
    pub fn open(&self, sequence: u64, sealed: &[u8], out: &mut [u8]) -> Result<(), NotAuthentic> {
        let text_len = sealed.len().checked_sub(TAG_LEN).ok_or(NotAuthentic)?;
        let (text, tag) = sealed.split_at(text_len);
        self.key
            .aead
            .open_separate_gather(record_nonce(sequence), Aad::empty(), text, tag, out)
            .map_err(|_unspecified| NotAuthentic)
    }
}

impl fmt::Debug for OpeningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpeningKey(redacted)")
    }
}

/// Something is not what the peer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not authentic")]
pub struct NotAuthentic;

/// A data key of a length that no suite has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a data key has 16 or 32 bytes, not {len}")]
pub struct DataKeyError {
    /// The length it had.
    pub len: usize,
}

fn is_key(slot: &Slot, bytes: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(slot.key.bytes(), bytes).is_ok()
}

/// Folded products of keyed halves: unpredictable without the hash key, and a few cycles long.
fn hash(hash_key: &[u64; 4], bytes: &[u8]) -> u64 {
    let mut hash = bytes.len() as u64;
    for (pair, keys) in bytes.chunks_exact(16).zip(hash_key.chunks_exact(2)) {
        let (low, high) = pair.split_at(8);
        let low = word(low) ^ keys[0];
        let high = word(high) ^ keys[1];
        let product = u128::from(low) * u128::from(high);
        hash ^= product as u64 ^ (product >> 64) as u64;
    }
    hash
}

fn word(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// No slot.
const NONE: u32 = u32::MAX;

#[cfg(test)]
mod tests;
