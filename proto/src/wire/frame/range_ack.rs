//! RANGE_ACK: the receiver has opened records, and the sender may forget them.

use super::{Encode, FrameType, List};
use crate::{
    id::TransferId,
    ranges::ByteRange,
    wire::{
        codec::{Reader, Writer},
        error::DecodeError,
        list::Item,
    },
};

/// Records have been opened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RangeAck<'a> {
    /// The sender's name for the transfer.
    pub transfer: TransferId,
    /// Whole records in sealed space; may be empty if the message is complete.
    pub ranges: List<'a, ByteRange>,
    /// The message has arrived in whole.
    pub complete: bool,
    /// How full the receiver's memory is, 0 (empty) to 31 (full).
    pub occupancy: u8,
}

const COMPLETE: u8 = 1 << 7;
const OCCUPANCY: u8 = 31;

impl Encode for RangeAck<'_> {
    const TYPE: FrameType = FrameType::RangeAck;

    fn body_len(&self) -> usize {
        1 + 8 + self.ranges.encoded_len()
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        let complete = if self.complete { COMPLETE } else { 0 };
        writer.u8(complete | self.occupancy.min(OCCUPANCY));
        writer.u64(self.transfer.0);
        self.ranges.write(writer);
    }
}

impl<'a> RangeAck<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let flags = reader.u8("range ack flags")?;
        if flags & !(COMPLETE | OCCUPANCY) != 0 {
            return Err(DecodeError::Reserved { field: "range ack flags" });
        }
        let complete = flags & COMPLETE != 0;
        let transfer = TransferId(reader.u64("transfer")?);
        let ranges: List<'a, ByteRange> = List::read(reader)?;
        if ranges.is_empty() && !complete {
            return Err(DecodeError::EmptyList { field: ByteRange::FIELD });
        }
        let occupancy = flags & OCCUPANCY;
        Ok(Self { transfer, ranges, complete, occupancy })
    }
}
