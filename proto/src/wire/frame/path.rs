//! Reserved: frames for peers that are reached over several paths.

use super::{Encode, FrameType};
use crate::{
    id::PathId,
    wire::{
        codec::{Reader, Writer, varint_len},
        error::DecodeError,
    },
};

/// Asks whether a path carries packets both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathChallenge {
    /// To be sent back on the same path.
    pub data: u64,
}

/// It does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathResponse {
    /// As it came.
    pub data: u64,
}

/// Whether the sender wants a path to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathStatus {
    /// The path.
    pub path: PathId,
    /// Grows with every change; the highest one holds.
    pub sequence: u64,
    /// Whether to use it.
    pub available: bool,
}

/// A path will not be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathAbandon {
    /// The path.
    pub path: PathId,
    /// Why.
    pub code: u64,
}

impl Encode for PathChallenge {
    const TYPE: FrameType = FrameType::PathChallenge;

    fn body_len(&self) -> usize {
        8
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        writer.u64(self.data);
    }
}

impl PathChallenge {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { data: reader.u64("data")? })
    }
}

impl Encode for PathResponse {
    const TYPE: FrameType = FrameType::PathResponse;

    fn body_len(&self) -> usize {
        8
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        writer.u64(self.data);
    }
}

impl PathResponse {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { data: reader.u64("data")? })
    }
}

impl Encode for PathStatus {
    const TYPE: FrameType = FrameType::PathStatus;

    fn body_len(&self) -> usize {
        2 + varint_len(self.sequence)
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        writer.u8(self.path.0);
        writer.varint(self.sequence);
        writer.u8(self.available.into());
    }
}

impl PathStatus {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let path = PathId(reader.u8("path")?);
        let sequence = reader.varint("sequence")?;
        let available = match reader.u8("available")? {
            0 => false,
            1 => true,
            _ => return Err(DecodeError::OutOfRange { field: "available" }),
        };
        Ok(Self { path, sequence, available })
    }
}

impl Encode for PathAbandon {
    const TYPE: FrameType = FrameType::PathAbandon;

    fn body_len(&self) -> usize {
        1 + varint_len(self.code)
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        writer.u8(self.path.0);
        writer.varint(self.code);
    }
}

impl PathAbandon {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { path: PathId(reader.u8("path")?), code: reader.varint("code")? })
    }
}
