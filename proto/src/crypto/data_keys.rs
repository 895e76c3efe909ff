//! Keys for payload: drawn at random by the sender, and carried in sealed frames.

use core::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{
    limits::KeyLimits,
    seed::SecretRng,
    suite::{NONCE_LEN, Suite, TAG_LEN},
};

pub use opening::{DataKeyError, NotAuthentic, OpeningKey, OpeningKeys};

mod opening;

/// Hands out data keys, and ranges of record numbers that no one else gets.
///
/// [SEC-26] Whoever gets a key can read and forge all that is sealed under it, so there is one of
/// these for each peer, or for each set of receivers that get the same messages.
pub struct DataKeys {
    rng: SecretRng,
    suite: Suite,
    limit: u64,
    /// Drawn when it is first needed: most peers are sent nothing that needs one.
    current: Option<Arc<DataKey>>,
    next_record: u64,
}

impl DataKeys {
    /// Keys that `rng` gives; it is for this alone.
    pub fn new(rng: SecretRng, suite: Suite, limits: &KeyLimits) -> Self {
        Self { rng, suite, limit: limits.data_key_records(), current: None, next_record: 0 }
    }

    /// Numbers for `records` records, under the present key or, once that is used up, a new one.
    ///
    /// [SEC-27] No record number of a key is given out twice.
    ///
    /// # Errors
    /// More records than one key may seal.
    pub fn allocate(&mut self, records: u64) -> Result<SealingKey, AllocateError> {
        if records > self.limit {
            return Err(AllocateError { records, limit: self.limit });
        }
        if records > self.limit - self.next_record {
            self.current = None;
            self.next_record = 0;
        }
        let (rng, suite) = (&mut self.rng, self.suite);
        let key = self.current.get_or_insert_with(|| Arc::new(DataKey::draw(rng, suite)));
        let first_record = self.next_record;
        self.next_record += records;
        Ok(SealingKey { key: Arc::clone(key), first_record, records })
    }
}

impl fmt::Debug for DataKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKeys")
            .field("suite", &self.suite)
            .field("limit", &self.limit)
            .field("next_record", &self.next_record)
            .finish_non_exhaustive()
    }
}

/// A message needs more records than one data key may seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{records} records do not fit one data key, which seals {limit}")]
pub struct AllocateError {
    /// The records asked for.
    pub records: u64,
    /// The records that one key may seal.
    pub limit: u64,
}

/// A data key with the record numbers of one message. Cheap to clone.
#[derive(Clone)]
pub struct SealingKey {
    key: Arc<DataKey>,
    first_record: u64,
    records: u64,
}

impl SealingKey {
    /// The key itself, for the sealed frame that carries it to the receiver.
    pub fn key_bytes(&self) -> &[u8] {
        self.key.bytes()
    }

    /// The number of the message's record 0.
    pub fn first_record(&self) -> u64 {
        self.first_record
    }

    /// How many records the message has.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Seals record `index` of the message into `out`: ciphertext, then the tag. One pass.
    ///
    /// A record may be sealed again, for instance to send it again, but only with the plaintext it
    /// had: two plaintexts under one number would undo the encryption of both ([SEC-28]).
    ///
    /// # Errors
    /// The index is past the message's records, or `out` is not 16 bytes longer than `plaintext`.
    pub fn seal(
        &self,
        index: u64,
        plaintext: &[u8],
        out: &mut [u8],
    ) -> Result<(), SealRecordError> {
        if index >= self.records {
            return Err(SealRecordError::Index);
        }
        if out.len() != plaintext.len() + TAG_LEN {
            return Err(SealRecordError::Length);
        }
        let nonce = record_nonce(self.first_record + index);
        let (text, tag) = out.split_at_mut(plaintext.len());
        self.key
            .aead
            .seal_out_of_place_scatter(nonce, Aad::empty(), plaintext, text, &[], tag)
            .map_err(|_unspecified| SealRecordError::Refused)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKey")
            .field("first_record", &self.first_record)
            .field("records", &self.records)
            .finish_non_exhaustive()
    }
}

/// Why a record was not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SealRecordError {
    /// The message has no such record.
    #[error("the record is not one of the message's")]
    Index,
    /// The output does not have the sealed record's length.
    #[error("the output has the wrong length for the record")]
    Length,
    /// The AEAD refused, as it does for impossible lengths only.
    #[error("the AEAD refused to seal")]
    Refused,
}

/// A data key, expanded and as bytes.
struct DataKey {
    aead: LessSafeKey,
    bytes: Zeroizing<[u8; 32]>,
    len: usize,
}

impl DataKey {
    fn draw(rng: &mut SecretRng, suite: Suite) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill(&mut bytes[..suite.key_len()]);
        Self::expand(suite, bytes)
    }

    fn expand(suite: Suite, bytes: Zeroizing<[u8; 32]>) -> Self {
        let len = suite.key_len();
        Self { aead: suite.expand_key(&bytes[..len]), bytes, len }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// [SEC-27] The record number, big-endian, in the last 8 of 12 bytes.
fn record_nonce(record: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[NONCE_LEN - 8..].copy_from_slice(&record.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests;
