//! How long keys are used, and how much an opener remembers.

use core::time::Duration;

use thiserror::Error;

/// [SEC-16] Bounds on the use of keys and on the memory of openers; always within what is safe.
///
/// RFC 9001, section 6.6 and appendix B.1, allows 2^23 AES-GCM packets of up to 2^16 bytes under
/// one key (2^35 blocks) and 2^52 failed openings. NIST SP 800-38D, section 8, allows 2^32
/// invocations with distinct 96-bit nonces. draft-irtf-cfrg-aead-limits bounds the distinguishing
/// advantage by (blocks + packets)^2 / 2^129. The defaults, 2^22 packets or 2^36 bytes (2^32
/// blocks), keep that below 2^-64; no setter accepts more than RFC 9001 allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyLimits {
    epoch_packets: u64,
    epoch_bytes: u64,
    epoch_forgeries: u64,
    keep_previous: Duration,
    replay_window: u32,
    paths: u16,
    remote_workers: u16,
    data_key_records: u64,
    opening_keys: u32,
}

impl KeyLimits {
    /// The most packets that one control key may seal, and the most records per data key.
    pub const MAX_SEALS: u64 = 1 << 23;
    /// The most bytes that one control key may seal.
    pub const MAX_BYTES: u64 = 1 << 39;
    /// The most packets that one control key may fail to open.
    pub const MAX_FORGERIES: u64 = 1 << 52;
    /// The most packet numbers that a replay window may cover.
    pub const MAX_REPLAY_WINDOW: u32 = 1 << 16;

    /// Packets that one control key seals before the next epoch begins.
    ///
    /// # Errors
    /// Zero, or above [`Self::MAX_SEALS`].
    pub fn with_epoch_packets(mut self, packets: u64) -> Result<Self, KeyLimitsError> {
        self.epoch_packets = within(packets, 1, Self::MAX_SEALS, KeyLimitsError::EpochPackets)?;
        Ok(self)
    }

    /// Bytes, headers included, that one control key seals before the next epoch begins.
    ///
    /// # Errors
    /// Zero, or above [`Self::MAX_BYTES`].
    pub fn with_epoch_bytes(mut self, bytes: u64) -> Result<Self, KeyLimitsError> {
        self.epoch_bytes = within(bytes, 1, Self::MAX_BYTES, KeyLimitsError::EpochBytes)?;
        Ok(self)
    }

    /// Packets that may fail to open under one control key before it opens no more.
    ///
    /// # Errors
    /// Zero, or above [`Self::MAX_FORGERIES`].
    pub fn with_epoch_forgeries(mut self, packets: u64) -> Result<Self, KeyLimitsError> {
        let error = KeyLimitsError::EpochForgeries;
        self.epoch_forgeries = within(packets, 1, Self::MAX_FORGERIES, error)?;
        Ok(self)
    }

    /// How long the previous epoch's key still opens late packets once the next is in use.
    #[must_use]
    pub fn with_keep_previous(mut self, span: Duration) -> Self {
        self.keep_previous = span;
        self
    }

    /// Packet numbers that a replay window covers, per worker, epoch and path.
    ///
    /// # Errors
    /// Not a power of two from 64 to [`Self::MAX_REPLAY_WINDOW`].
    pub fn with_replay_window(mut self, numbers: u32) -> Result<Self, KeyLimitsError> {
        let range = 64..=Self::MAX_REPLAY_WINDOW;
        if !range.contains(&numbers) || !numbers.is_power_of_two() {
            return Err(KeyLimitsError::ReplayWindow);
        }
        self.replay_window = numbers;
        Ok(self)
    }

    /// Paths that a peer's packets may name: ids from 0 to one less than this.
    ///
    /// # Errors
    /// Zero, or above 256.
    pub fn with_paths(mut self, paths: u16) -> Result<Self, KeyLimitsError> {
        self.paths = within(paths, 1, 256, KeyLimitsError::Paths)?;
        Ok(self)
    }

    /// Workers that a peer's packets may name: ids from 0 to one less than this.
    ///
    /// # Errors
    /// Zero, or above 256.
    pub fn with_remote_workers(mut self, workers: u16) -> Result<Self, KeyLimitsError> {
        self.remote_workers = within(workers, 1, 256, KeyLimitsError::RemoteWorkers)?;
        Ok(self)
    }

    /// Records that one data key seals before a new one is drawn.
    ///
    /// # Errors
    /// Zero, or above [`Self::MAX_SEALS`].
    pub fn with_data_key_records(mut self, records: u64) -> Result<Self, KeyLimitsError> {
        let error = KeyLimitsError::DataKeyRecords;
        self.data_key_records = within(records, 1, Self::MAX_SEALS, error)?;
        Ok(self)
    }

    /// Data keys of peers that are kept expanded.
    ///
    /// # Errors
    /// Zero, or above 2^20.
    pub fn with_opening_keys(mut self, keys: u32) -> Result<Self, KeyLimitsError> {
        self.opening_keys = within(keys, 1, 1 << 20, KeyLimitsError::OpeningKeys)?;
        Ok(self)
    }

    /// See [`Self::with_epoch_packets`].
    pub const fn epoch_packets(&self) -> u64 {
        self.epoch_packets
    }

    /// See [`Self::with_epoch_bytes`].
    pub const fn epoch_bytes(&self) -> u64 {
        self.epoch_bytes
    }

    /// See [`Self::with_epoch_forgeries`].
    pub const fn epoch_forgeries(&self) -> u64 {
        self.epoch_forgeries
    }

    /// See [`Self::with_keep_previous`].
    pub const fn keep_previous(&self) -> Duration {
        self.keep_previous
    }

    /// See [`Self::with_replay_window`].
    pub const fn replay_window(&self) -> u32 {
        self.replay_window
    }

    /// See [`Self::with_paths`].
    pub const fn paths(&self) -> u16 {
        self.paths
    }

    /// See [`Self::with_remote_workers`].
    pub const fn remote_workers(&self) -> u16 {
        self.remote_workers
    }

    /// See [`Self::with_data_key_records`].
    pub const fn data_key_records(&self) -> u64 {
        self.data_key_records
    }

    /// See [`Self::with_opening_keys`].
    pub const fn opening_keys(&self) -> u32 {
        self.opening_keys
    }
}

impl Default for KeyLimits {
    fn default() -> Self {
        Self {
            epoch_packets: 1 << 22,
            epoch_bytes: 1 << 36,
            epoch_forgeries: 1 << 36,
            // Many round trips of any datacenter; a packet later than this was long re-sent.
            keep_previous: Duration::from_secs(3),
            replay_window: 4096,
            paths: 1,
            remote_workers: 16,
            // At 64 KiB a record this is 2^36 bytes, as for control keys.
            data_key_records: 1 << 20,
            opening_keys: 1024,
        }
    }
}

/// Which limit is out of its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyLimitsError {
    /// See [`KeyLimits::with_epoch_packets`].
    #[error("a control key seals 1 to 2^23 packets")]
    EpochPackets,
    /// See [`KeyLimits::with_epoch_bytes`].
    #[error("a control key seals 1 to 2^39 bytes")]
    EpochBytes,
    /// See [`KeyLimits::with_epoch_forgeries`].
    #[error("a control key may fail to open 1 to 2^52 packets")]
    EpochForgeries,
    /// See [`KeyLimits::with_replay_window`].
    #[error("a replay window covers a power of two from 64 to 65536 packet numbers")]
    ReplayWindow,
    /// See [`KeyLimits::with_paths`].
    #[error("a peer has 1 to 256 paths")]
    Paths,
    /// See [`KeyLimits::with_remote_workers`].
    #[error("a peer has 1 to 256 workers")]
    RemoteWorkers,
    /// See [`KeyLimits::with_data_key_records`].
    #[error("a data key seals 1 to 2^23 records")]
    DataKeyRecords,
    /// See [`KeyLimits::with_opening_keys`].
    #[error("1 to 2^20 opening keys are kept")]
    OpeningKeys,
}

fn within<T: PartialOrd>(
    value: T,
    least: T,
    most: T,
    error: KeyLimitsError,
) -> Result<T, KeyLimitsError> {
    if value < least || value > most { Err(error) } else { Ok(value) }
}

#[cfg(test)]
mod tests;
