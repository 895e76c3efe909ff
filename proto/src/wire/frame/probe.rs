//! PROBE, PROBE_RESPONSE and PADDING: is the peer there, and how large may a packet be.

use super::{Encode, FrameType};
use crate::wire::{
    codec::{Reader, Writer, varint_len},
    error::DecodeError,
};

/// Zero bytes that make a packet longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Padding {
    /// How many, besides type and length.
    pub len: usize,
}

impl Encode for Padding {
    const TYPE: FrameType = FrameType::Padding;

    fn body_len(&self) -> usize {
        self.len
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        (0..self.len).for_each(|_| writer.u8(0));
    }
}

impl Padding {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let len = reader.rest().len();
        if reader.bytes(len, "padding")?.iter().any(|byte| *byte != 0) {
            return Err(DecodeError::Reserved { field: "padding" });
        }
        Ok(Self { len })
    }
}

/// Asks for a sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// To be sent back.
    pub nonce: u64,
}

/// The sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeResponse {
    /// As it came.
    pub nonce: u64,
    /// How long the probe waited for its response, in microseconds.
    pub delay_us: u64,
}

impl Encode for Probe {
    const TYPE: FrameType = FrameType::Probe;

    fn body_len(&self) -> usize {
        8
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        writer.u64(self.nonce);
    }
}

impl Probe {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { nonce: reader.u64("nonce")? })
    }
}

impl Encode for ProbeResponse {
    const TYPE: FrameType = FrameType::ProbeResponse;

    fn body_len(&self) -> usize {
        8 + varint_len(self.delay_us)
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        writer.u64(self.nonce);
        writer.varint(self.delay_us);
    }
}

impl ProbeResponse {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { nonce: reader.u64("nonce")?, delay_us: reader.varint("delay")? })
    }
}
