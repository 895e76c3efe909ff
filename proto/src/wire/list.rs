//! Lists inside frames, without memory of their own.

use core::{fmt, marker::PhantomData};

use super::{
    codec::{Reader, Writer},
    error::DecodeError,
};
use crate::ranges::ByteRange;

/// Something that frames carry several of.
pub trait Item: Copy + fmt::Debug + PartialEq {
    /// The list's name in errors.
    const FIELD: &'static str;

    /// Bytes that the item takes.
    fn encoded_len(&self) -> usize;

    /// Writes the item; there is room.
    fn write(&self, writer: &mut Writer<'_>);

    /// Reads an item.
    ///
    /// # Errors
    /// The bytes are not one.
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Whether the item may stand behind `previous`.
    ///
    /// # Errors
    /// It may not.
    fn check_order(&self, _previous: &Self) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// A list in a frame: the bytes it was decoded from, which were checked then, or the caller's own.
#[derive(Clone, Copy)]
pub enum List<'a, T> {
    /// The caller's items.
    Slice(&'a [T]),
    /// Items as they stand on the wire.
    Encoded(Encoded<'a, T>),
}

/// Items that were decoded once, so that they can be decoded again.
#[derive(Clone, Copy)]
pub struct Encoded<'a, T> {
    bytes: &'a [u8],
    count: usize,
    item: PhantomData<T>,
}

impl<'a, T: Item> List<'a, T> {
    /// A list without items.
    pub const fn empty() -> Self {
        Self::Slice(&[])
    }

    /// Number of items.
    pub const fn len(&self) -> usize {
        match self {
            Self::Slice(items) => items.len(),
            Self::Encoded(encoded) => encoded.count,
        }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = T> + use<'a, T> {
        let (slice, mut reader, mut left) = match *self {
            Self::Slice(items) => (items, Reader::new(&[]), 0),
            Self::Encoded(encoded) => (&[][..], Reader::new(encoded.bytes), encoded.count),
        };
        slice.iter().copied().chain(core::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            // each was read once when the list was decoded
            T::read(&mut reader).ok()
        }))
    }

    pub(super) fn encoded_len(&self) -> usize {
        let items: usize = self.iter().map(|item| item.encoded_len()).sum();
        super::codec::varint_len(self.len() as u64) + items
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.varint(self.len() as u64);
        for item in self.iter() {
            item.write(writer);
        }
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let count = reader.varint(T::FIELD)?;
        // every item takes a byte at least: a false count costs no more than the bytes that came
        if count > reader.rest().len() as u64 {
            return Err(DecodeError::ListTooLong { field: T::FIELD });
        }
        let bytes = reader.rest();
        let mut previous = None;
        for _ in 0..count {
            let item = T::read(reader)?;
            if let Some(previous) = &previous {
                item.check_order(previous)?;
            }
            previous = Some(item);
        }
        let bytes = &bytes[..bytes.len() - reader.rest().len()];
        Ok(Self::Encoded(Encoded { bytes, count: count as usize, item: PhantomData }))
    }
}

impl List<'_, ByteRange> {
    /// Checks that every range lies inside `size` bytes.
    ///
    /// # Errors
    /// One ends past it.
    pub fn within(&self, size: u64) -> Result<(), DecodeError> {
        // ascending, so the last one reaches furthest
        match self.iter().last() {
            Some(range) if range.end > size => Err(DecodeError::RangePastEnd),
            _ => Ok(()),
        }
    }
}

impl<T: Item> PartialEq for List<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<T: Item> fmt::Debug for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Item for ByteRange {
    const FIELD: &'static str = "ranges";

    fn encoded_len(&self) -> usize {
        super::codec::varint_len(self.start) + super::codec::varint_len(self.len())
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.varint(self.start);
        writer.varint(self.len());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let start = reader.varint(Self::FIELD)?;
        let len = reader.varint(Self::FIELD)?;
        let range = Self::new(start, start + len).ok_or(DecodeError::EmptyRange)?;
        if range.end > super::codec::MAX_VARINT {
            return Err(DecodeError::RangePastEnd);
        }
        Ok(range)
    }

    fn check_order(&self, previous: &Self) -> Result<(), DecodeError> {
        // [WIRE-4]
        if self.start > previous.end { Ok(()) } else { Err(DecodeError::RangeOrder) }
    }
}
