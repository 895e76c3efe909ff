//! ARRIVAL_REPORT: what has arrived of all that the peer sent, for its congestion control.

use super::{Encode, FrameType};
use crate::{
    id::PacketNumber,
    wire::{
        codec::{Reader, Writer, varint_len},
        error::DecodeError,
    },
};

/// Data has arrived. Every number is a running count, so that whatever is lost is repaired by the
/// next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrivalReport {
    /// Payload bytes of data packets that have arrived, again and again included.
    pub arrived_bytes: u64,
    /// Packets that arrived marked as having met congestion.
    pub ce_count: u64,
    /// The highest packet number that has arrived.
    pub largest: PacketNumber,
}

impl Encode for ArrivalReport {
    const TYPE: FrameType = FrameType::ArrivalReport;

    fn body_len(&self) -> usize {
        varint_len(self.arrived_bytes) + varint_len(self.ce_count) + varint_len(self.largest.0)
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        writer.varint(self.arrived_bytes);
        writer.varint(self.ce_count);
        writer.varint(self.largest.0);
    }
}

impl ArrivalReport {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            arrived_bytes: reader.varint("arrived bytes")?,
            ce_count: reader.varint("ce count")?,
            largest: PacketNumber(reader.varint("largest")?),
        })
    }
}
