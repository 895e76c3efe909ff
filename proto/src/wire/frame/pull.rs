//! PULL_REQUEST and CANCEL_PULL: the receiver asks for bytes, or no longer wants them.

use super::{Encode, FrameType, List};
use crate::{
    id::{BufferId, PathId, TransferId},
    ranges::ByteRange,
    wire::{
        codec::{Reader, Writer, varint_len},
        error::DecodeError,
        list::Item,
    },
};

/// The receiver asks for ranges of a sealed message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PullRequest<'a> {
    /// The sender's name for the transfer.
    pub transfer: TransferId,
    /// The receiver's name for it, which data packets carry: a pull needs no other frame to be
    /// understood, so that the loss of the accept does not matter.
    pub receiver: TransferId,
    /// The sender's registered memory, as its notify named it.
    pub buffer: BufferId,
    /// What to send: positions in sealed space, so that a repeated pull asks for nothing more.
    pub ranges: List<'a, ByteRange>,
    /// How fast, in bytes per second; 0 leaves it to the sender.
    pub rate: u64,
    /// How long the request holds, in microseconds; 0 is until it is cancelled.
    pub lifetime_us: u64,
    /// Send even what was sent before.
    pub retransmission: bool,
    /// The path to send it on, if that matters.
    pub path: Option<PathId>,
}

const RETRANSMISSION: u8 = 1 << 0;
const PATH: u8 = 1 << 1;
const FLAGS: u8 = RETRANSMISSION | PATH;

impl Encode for PullRequest<'_> {
    const TYPE: FrameType = FrameType::PullRequest;

    fn body_len(&self) -> usize {
        1 + 8
            + 8
            + varint_len(self.buffer.0)
            + varint_len(self.rate)
            + varint_len(self.lifetime_us)
            + usize::from(self.path.is_some())
            + self.ranges.encoded_len()
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        let retransmission = if self.retransmission { RETRANSMISSION } else { 0 };
        writer.u8(retransmission | if self.path.is_some() { PATH } else { 0 });
        writer.u64(self.transfer.0);
        writer.u64(self.receiver.0);
        writer.varint(self.buffer.0);
        writer.varint(self.rate);
        writer.varint(self.lifetime_us);
        if let Some(path) = self.path {
            writer.u8(path.0);
        }
        self.ranges.write(writer);
    }
}

impl<'a> PullRequest<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let flags = reader.u8("pull flags")?;
        if flags & !FLAGS != 0 {
            return Err(DecodeError::Reserved { field: "pull flags" });
        }
        let transfer = TransferId(reader.u64("transfer")?);
        let receiver = TransferId(reader.u64("receiver's transfer")?);
        let buffer = BufferId(reader.varint("buffer")?);
        let rate = reader.varint("rate")?;
        let lifetime_us = reader.varint("lifetime")?;
        let path = if flags & PATH != 0 { Some(PathId(reader.u8("path")?)) } else { None };
        let ranges = some_ranges(reader)?;
        let retransmission = flags & RETRANSMISSION != 0;
        Ok(Self { transfer, receiver, buffer, ranges, rate, lifetime_us, retransmission, path })
    }
}

/// The receiver no longer wants ranges; those already on their way arrive all the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CancelPull<'a> {
    /// The sender's name for the transfer.
    pub transfer: TransferId,
    /// What not to send.
    pub ranges: List<'a, ByteRange>,
}

impl Encode for CancelPull<'_> {
    const TYPE: FrameType = FrameType::CancelPull;

    fn body_len(&self) -> usize {
        8 + self.ranges.encoded_len()
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        writer.u64(self.transfer.0);
        self.ranges.write(writer);
    }
}

impl<'a> CancelPull<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let transfer = TransferId(reader.u64("transfer")?);
        Ok(Self { transfer, ranges: some_ranges(reader)? })
    }
}

fn some_ranges<'a>(reader: &mut Reader<'a>) -> Result<List<'a, ByteRange>, DecodeError> {
    let ranges = List::read(reader)?;
    if ranges.is_empty() {
        return Err(DecodeError::EmptyList { field: ByteRange::FIELD });
    }
    Ok(ranges)
}
