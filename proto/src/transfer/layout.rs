//! How a message is cut into records, and where each lies in sealed space (spec chapter 4).

use crate::ranges::ByteRange;

/// The records of one message.
///
/// A message of `size` bytes is cut into records of `2^log2` bytes, the last one shorter; each is
/// sealed to its length plus a tag, and the sealed records are concatenated. Positions in that
/// concatenation are what PULL_REQUEST, DATA and RANGE_ACK speak of: *sealed space*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    size: u64,
    log2: u8,
}

impl Layout {
    /// Bytes that sealing adds to a record.
    pub const TAG: usize = 16;
    /// The smallest record: 2^10 bytes.
    pub const MIN_LOG2: u8 = 10;
    /// The largest record: 2^16 bytes.
    pub const MAX_LOG2: u8 = 16;
    /// The longest message: sealed positions must fit 62 bits.
    pub const MAX_SIZE: u64 = 1 << 60;

    /// The layout of a message of `size` bytes in records of `2^log2` bytes; `None` if either is
    /// out of range.
    pub const fn new(size: u64, log2: u8) -> Option<Self> {
        if log2 < Self::MIN_LOG2 || log2 > Self::MAX_LOG2 || size > Self::MAX_SIZE {
            return None;
        }
        Some(Self { size, log2 })
    }

    /// The record size for a message: the largest that it fills, up to `2^max_log2`.
    pub const fn choose(size: u64, max_log2: u8) -> Option<Self> {
        let mut log2 = Self::MIN_LOG2;
        while log2 < max_log2 && 1 << log2 < size {
            log2 += 1;
        }
        Self::new(size, log2)
    }

    /// Length of the message in bytes.
    pub const fn size(self) -> u64 {
        self.size
    }

    /// Binary logarithm of the record size.
    pub const fn log2(self) -> u8 {
        self.log2
    }

    /// Number of records.
    pub const fn records(self) -> u64 {
        self.size.div_ceil(1 << self.log2)
    }

    /// Length of all sealed records.
    pub const fn sealed_len(self) -> u64 {
        self.size + self.records() * Self::TAG as u64
    }

    /// Length of every sealed record but the last.
    pub const fn max_sealed_record(self) -> u64 {
        (1 << self.log2) + Self::TAG as u64
    }

    /// The record that holds a position of sealed space.
    pub const fn record_at(self, position: u64) -> u64 {
        position / self.max_sealed_record()
    }

    /// Where a record lies in sealed space.
    pub fn record_range(self, index: u64) -> Option<ByteRange> {
        let start = index.checked_mul(self.max_sealed_record())?;
        ByteRange::new(start, self.sealed_len().min(start + self.max_sealed_record()))
    }

    /// Where a record lies in the message.
    pub fn plain_range(self, index: u64) -> Option<ByteRange> {
        let start = index.checked_mul(1 << self.log2)?;
        ByteRange::new(start, self.size.min(start + (1 << self.log2)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_tile_both_spaces() {
        for size in [1, 1_023, 1_024, 1_025, 10_000, 65_536, 65_537, 1 << 20] {
            for log2 in 10..=16 {
                let layout = Layout::new(size, log2).unwrap();
                let (mut plain, mut sealed) = (0, 0);
                for index in 0..layout.records() {
                    let p = layout.plain_range(index).unwrap();
                    let s = layout.record_range(index).unwrap();
                    assert_eq!((p.start, s.start), (plain, sealed));
                    assert_eq!(s.len(), p.len() + 16);
                    assert_eq!(layout.record_at(s.start), index);
                    assert_eq!(layout.record_at(s.end - 1), index);
                    (plain, sealed) = (p.end, s.end);
                }
                assert_eq!((plain, sealed), (size, layout.sealed_len()));
                assert_eq!(layout.record_range(layout.records()), None);
                assert_eq!(layout.plain_range(layout.records()), None);
            }
        }
    }

    #[test]
    fn the_largest_record_that_fits_is_chosen() {
        assert_eq!(Layout::choose(1, 16).map(Layout::log2), Some(10));
        assert_eq!(Layout::choose(1_025, 16).map(Layout::log2), Some(11));
        assert_eq!(Layout::choose(1 << 30, 16).map(Layout::log2), Some(16));
        assert_eq!(Layout::choose(1 << 30, 14).map(Layout::log2), Some(14));
    }

    #[test]
    fn out_of_range_is_refused() {
        assert_eq!(Layout::new(1, 9), None);
        assert_eq!(Layout::new(1, 17), None);
        assert_eq!(Layout::new(Layout::MAX_SIZE + 1, 16), None);
        assert_eq!(Layout::new(1, 10).unwrap().record_range(u64::MAX), None);
    }
}
