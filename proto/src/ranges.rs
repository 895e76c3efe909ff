//! Byte ranges and sets of them.

use smallvec::SmallVec;

/// Bytes from `start` up to, not including, `end`; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteRange {
    /// First byte.
    pub start: u64,
    /// Behind the last byte.
    pub end: u64,
}

impl ByteRange {
    /// The range, unless it is empty.
    pub const fn new(start: u64, end: u64) -> Option<Self> {
        if start < end { Some(Self { start, end }) } else { None }
    }

    /// Number of bytes, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a range is never empty")]
    pub const fn len(self) -> u64 {
        self.end - self.start
    }

    /// The bytes that both ranges have.
    pub fn intersection(self, other: Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }
}

/// A set of bytes as sorted ranges that neither overlap nor touch.
///
/// The usual set is one range that grows at its end; up to four ranges need no heap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RangeSet {
    ranges: SmallVec<[ByteRange; 4]>,
    covered: u64,
}

impl RangeSet {
    /// Whether no byte is in the set.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Bytes in the set.
    pub const fn covered(&self) -> u64 {
        self.covered
    }

    /// Number of ranges.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// The ranges, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = ByteRange> + '_ {
        self.ranges.iter().copied()
    }

    /// Adds a range; returns how many of its bytes were not in the set.
    pub fn insert(&mut self, range: ByteRange) -> u64 {
        match self.ranges.last_mut() {
            Some(last) if range.start > last.end => {}
            Some(last) if range.start >= last.start => {
                let added = range.end.saturating_sub(last.end);
                last.end = last.end.max(range.end);
                self.covered += added;
                return added;
            }
            Some(_) => return self.insert_inside(range),
            None => {}
        }
        self.ranges.push(range);
        self.covered += range.len();
        range.len()
    }

    fn insert_inside(&mut self, range: ByteRange) -> u64 {
        // those that overlap or touch become one with the new range
        let first = self.ranges.partition_point(|r| r.end < range.start);
        let last = self.ranges.partition_point(|r| r.start <= range.end);
        if first == last {
            self.ranges.insert(first, range);
            self.covered += range.len();
            return range.len();
        }
        let merged = ByteRange {
            start: range.start.min(self.ranges[first].start),
            end: range.end.max(self.ranges[last - 1].end),
        };
        let before: u64 = self.ranges[first..last].iter().map(|r| r.len()).sum();
        self.ranges[first] = merged;
        self.ranges.drain(first + 1..last);
        let added = merged.len() - before;
        self.covered += added;
        added
    }

    /// Takes a range out; returns how many of its bytes were in the set.
    pub fn remove(&mut self, range: ByteRange) -> u64 {
        let first = self.ranges.partition_point(|r| r.end <= range.start);
        let last = self.ranges.partition_point(|r| r.start < range.end);
        if first >= last {
            return 0;
        }
        let head = ByteRange::new(self.ranges[first].start, range.start);
        let tail = ByteRange::new(range.end, self.ranges[last - 1].end);
        let before: u64 = self.ranges[first..last].iter().map(|r| r.len()).sum();
        let kept: SmallVec<[ByteRange; 2]> = head.into_iter().chain(tail).collect();
        let removed = before - kept.iter().map(|r| r.len()).sum::<u64>();
        self.ranges.drain(first..last);
        self.ranges.insert_many(first, kept);
        self.covered -= removed;
        removed
    }

    /// Whether every byte of `range` is in the set.
    pub fn contains(&self, range: ByteRange) -> bool {
        let at = self.ranges.partition_point(|r| r.end < range.end);
        self.ranges.get(at).is_some_and(|r| r.start <= range.start && range.end <= r.end)
    }

    /// The parts of `within` that are not in the set, ascending.
    pub fn gaps(&self, within: ByteRange) -> impl Iterator<Item = ByteRange> + '_ {
        let first = self.ranges.partition_point(|r| r.end <= within.start);
        let mut at = within.start;
        let mut rest = self.ranges[first..].iter();
        core::iter::from_fn(move || {
            while at < within.end {
                let (gap_end, next) = match rest.next() {
                    Some(r) if r.start < within.end => (r.start, r.end),
                    _ => (within.end, within.end),
                };
                let gap = ByteRange::new(at, gap_end);
                at = next;
                if gap.is_some() {
                    return gap;
                }
            }
            None
        })
    }
}

#[cfg(test)]
mod tests;
