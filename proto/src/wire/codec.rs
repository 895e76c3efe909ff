//! A bounds-checked cursor over bytes, to read and to write.
//!
//! Integers are big-endian. A *varint* is that of RFC 9000 §16, in its shortest form only
//! ([WIRE-2]): the two high bits of the first byte give the length, 1, 2, 4 or 8 bytes.

use super::error::DecodeError;

/// The largest varint.
pub const MAX_VARINT: u64 = (1 << 62) - 1;

/// The caller's memory has no room for what was to be written; nothing was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the buffer has no room for this frame")]
pub struct BufferFull;

/// Bytes that a varint takes.
pub const fn varint_len(value: u64) -> usize {
    if value < 1 << 6 {
        1
    } else if value < 1 << 14 {
        2
    } else if value < 1 << 30 {
        4
    } else {
        8
    }
}

/// Reads from the front of a slice.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader of all of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What was not read.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything was read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// There are fewer.
    #[inline]
    pub fn bytes(&mut self, len: usize, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or(truncated(field))?;
        self.rest = rest;
        Ok(head)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// There are fewer.
    #[inline]
    pub fn array<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<&'a [u8; N], DecodeError> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(truncated(field))?;
        self.rest = rest;
        Ok(head)
    }

    /// One byte.
    ///
    /// # Errors
    /// There is none.
    #[inline]
    pub fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(field).map(|bytes| bytes[0])
    }

    /// Two bytes.
    ///
    /// # Errors
    /// There are fewer.
    #[inline]
    pub fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.array(field).map(|bytes| u16::from_be_bytes(*bytes))
    }

    /// Eight bytes.
    ///
    /// # Errors
    /// There are fewer.
    #[inline]
    pub fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.array(field).map(|bytes| u64::from_be_bytes(*bytes))
    }

    /// A varint.
    ///
    /// # Errors
    /// It is cut off, or longer than it need be.
    #[inline]
    pub fn varint(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        let first = *self.rest.first().ok_or(truncated(field))?;
        let len = 1 << (first >> 6);
        let mut value = u64::from(first & 0x3f);
        if len > 1 {
            let bytes = self.rest.get(1..len).ok_or(truncated(field))?;
            for byte in bytes {
                value = value << 8 | u64::from(*byte);
            }
            if varint_len(value) != len {
                return Err(DecodeError::NonMinimal { field });
            }
        }
        self.rest = &self.rest[len..];
        Ok(value)
    }

    /// A varint and as many bytes as it says.
    ///
    /// # Errors
    /// They are cut off.
    #[inline]
    pub fn counted(&mut self, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let len = self.varint(field)?;
        if len > self.rest.len() as u64 {
            return Err(truncated(field));
        }
        self.bytes(len as usize, field)
    }

    /// Nothing may follow.
    ///
    /// # Errors
    /// Something does.
    #[inline]
    pub fn finish(self, field: &'static str) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::TrailingBytes { field }) }
    }
}

const fn truncated(field: &'static str) -> DecodeError {
    DecodeError::Truncated { field }
}

/// Writes to the front of a slice.
#[derive(Debug)]
pub struct Writer<'a> {
    buffer: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    /// A writer over all of `buffer`.
    pub const fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, len: 0 }
    }

    /// Bytes written.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Room left, in bytes.
    pub const fn remaining(&self) -> usize {
        self.buffer.len() - self.len
    }

    /// Appends bytes. Frames check for room before they write; without it nothing is written.
    #[inline]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        let Some(room) = self.buffer.get_mut(self.len..end) else {
            debug_assert!(false, "room was checked");
            return;
        };
        room.copy_from_slice(bytes);
        self.len = end;
    }

    #[inline]
    pub(crate) fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    #[inline]
    pub(crate) fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    #[inline]
    pub(crate) fn u64(&mut self, value: u64) {
        self.bytes(&value.to_be_bytes());
    }

    /// Appends a varint; a value that has no encoding becomes the largest that has [WIRE-2].
    #[inline]
    pub(crate) fn varint(&mut self, value: u64) {
        let value = value.min(MAX_VARINT);
        match varint_len(value) {
            1 => self.u8(value as u8),
            2 => self.u16(value as u16 | 0x4000),
            4 => self.bytes(&(value as u32 | 0x8000_0000).to_be_bytes()),
            _ => self.u64(value | 0xc000_0000_0000_0000),
        }
    }

    /// Appends a length and the bytes themselves.
    #[inline]
    pub(crate) fn counted(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.bytes(bytes);
    }
}

/// Bytes that [`Writer::counted`] takes.
pub(crate) const fn counted_len(bytes: &[u8]) -> usize {
    varint_len(bytes.len() as u64) + bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_of_rfc_9000() {
        // the examples of RFC 9000 §A.1
        for (bytes, value) in [
            (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c][..], 151_288_809_941_952_652),
            (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
            (&[0x7b, 0xbd], 15_293),
            (&[0x25], 37),
        ] {
            assert_eq!(Reader::new(bytes).varint("x"), Ok(value));
            let mut buffer = [0; 8];
            let mut writer = Writer::new(&mut buffer);
            writer.varint(value);
            assert_eq!(writer.len(), bytes.len());
            assert_eq!(&buffer[..bytes.len()], bytes);
        }
        // [WIRE-2] the same 37 in two bytes
        let error = DecodeError::NonMinimal { field: "x" };
        assert_eq!(Reader::new(&[0x40, 0x25]).varint("x"), Err(error));
    }

    #[test]
    fn limits_round_trip_and_every_cut_fails() {
        for value in [0, 63, 64, 16_383, 16_384, (1 << 30) - 1, 1 << 30, MAX_VARINT] {
            let mut buffer = [0; 8];
            let mut writer = Writer::new(&mut buffer);
            writer.varint(value);
            let len = writer.len();
            assert_eq!(Reader::new(&buffer[..len]).varint("x"), Ok(value));
            for cut in 0..len {
                assert_eq!(Reader::new(&buffer[..cut]).varint("x"), Err(truncated("x")));
            }
        }
        let mut buffer = [0; 8];
        Writer::new(&mut buffer).varint(u64::MAX);
        assert_eq!(Reader::new(&buffer).varint("x"), Ok(MAX_VARINT));
    }
}
