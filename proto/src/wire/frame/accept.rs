//! TRANSFER_ACCEPT: the receiver has notifies, and how many more it takes.

use super::{Encode, FrameType, List};
use crate::{
    id::{PacketNumber, TransferId},
    wire::{
        codec::{Reader, Writer, varint_len},
        error::DecodeError,
        list::Item,
    },
};

/// Notifies have arrived.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TransferAccept<'a> {
    /// The transfers; none if only the credit is news.
    pub accepted: List<'a, Accepted>,
    /// Notifies that the receiver takes from the beginning on: a running count, never a difference.
    pub notify_credit: u64,
    /// Payload that may be on its way unasked and not be accepted yet, in bytes.
    pub unscheduled_bytes: u64,
    /// The highest packet number that has arrived.
    pub largest: PacketNumber,
    /// How long the oldest of the notifies waited for this frame, in microseconds.
    pub delay_us: u64,
}

/// One transfer of a [`TransferAccept`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The sender's name for the transfer.
    pub sender: TransferId,
    /// The receiver's name for it; none if the message has arrived in whole.
    pub receiver: Option<TransferId>,
}

impl Encode for TransferAccept<'_> {
    const TYPE: FrameType = FrameType::TransferAccept;

    fn body_len(&self) -> usize {
        varint_len(self.notify_credit)
            + varint_len(self.unscheduled_bytes)
            + varint_len(self.largest.0)
            + varint_len(self.delay_us)
            + self.accepted.encoded_len()
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        writer.varint(self.notify_credit);
        writer.varint(self.unscheduled_bytes);
        writer.varint(self.largest.0);
        writer.varint(self.delay_us);
        self.accepted.write(writer);
    }
}

impl<'a> TransferAccept<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            notify_credit: reader.varint("notify credit")?,
            unscheduled_bytes: reader.varint("unscheduled bytes")?,
            largest: PacketNumber(reader.varint("largest")?),
            delay_us: reader.varint("delay")?,
            accepted: List::read(reader)?,
        })
    }
}

impl Item for Accepted {
    const FIELD: &'static str = "accepted";

    #[inline]
    fn encoded_len(&self) -> usize {
        if self.receiver.is_some() { 17 } else { 9 }
    }

    #[inline]
    fn write(&self, writer: &mut Writer<'_>) {
        writer.u64(self.sender.0);
        writer.u8(self.receiver.is_some().into());
        if let Some(receiver) = self.receiver {
            writer.u64(receiver.0);
        }
    }

    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let sender = TransferId(reader.u64("accepted transfer")?);
        let receiver = match reader.u8("accepted kind")? {
            0 => None,
            1 => Some(TransferId(reader.u64("receiver's transfer")?)),
            _ => return Err(DecodeError::OutOfRange { field: "accepted kind" }),
        };
        Ok(Self { sender, receiver })
    }
}
