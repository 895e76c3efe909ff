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

    /// Like [`Self::insert`], for ranges that a peer chose: never leaves more than `max_ranges`.
    ///
    /// Every range costs memory, and time in later operations. A peer that asks for every other
    /// byte of a large message would otherwise decide how much of both is spent on it.
    ///
    /// # Errors
    /// [`TooManyRanges`] if the range neither overlaps nor touches one in the set and there are
    /// `max_ranges` already; the set is as it was.
    pub fn insert_bounded(
        &mut self,
        range: ByteRange,
        max_ranges: usize,
    ) -> Result<u64, TooManyRanges> {
        if self.ranges.len() >= max_ranges {
            let near = self.ranges.partition_point(|r| r.end < range.start);
            if self.ranges.get(near).is_none_or(|r| r.start > range.end) {
                return Err(TooManyRanges { max_ranges });
            }
        }
        Ok(self.insert(range))
    }

    /// Takes a range out; returns how many of its bytes were in the set.
    ///
    /// Cutting bytes off one end of a range moves no other range.
    pub fn remove(&mut self, range: ByteRange) -> u64 {
        let mut first = self.ranges.partition_point(|r| r.end <= range.start);
        let mut last = self.ranges.partition_point(|r| r.start < range.end);
        if first >= last {
            return 0;
        }
        let (head, tail) = (self.ranges[first], self.ranges[last - 1]);
        let keeps_head = head.start < range.start;
        let keeps_tail = range.end < tail.end;
        let mut removed = 0;
        if keeps_head && keeps_tail && last - first == 1 {
            self.ranges[first].end = range.start;
            self.ranges.insert(first + 1, ByteRange { start: range.end, end: tail.end });
            self.covered -= range.len();
            return range.len();
        }
        if keeps_head {
            self.ranges[first].end = range.start;
            removed += head.end - range.start;
            first += 1;
        }
        if keeps_tail {
            self.ranges[last - 1].start = range.end;
            removed += range.end - tail.start;
            last -= 1;
        }
        if first < last {
            removed += self.ranges[first..last].iter().map(|r| r.len()).sum::<u64>();
            self.ranges.drain(first..last);
        }
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

/// A set has as many separate ranges as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {max_ranges} separate ranges")]
pub struct TooManyRanges {
    /// The limit.
    pub max_ranges: usize,
}

#[cfg(test)]
mod tests;
