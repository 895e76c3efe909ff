//! FLOW_RESET and the challenge: whether a transfer is (still) known to the other side.

use super::{Encode, FrameType};
use crate::{
    id::{Status, TransferId},
    wire::{
        codec::{Reader, Writer, varint_len},
        error::DecodeError,
    },
};

/// A transfer is refused, or not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowReset {
    /// The sender's name for the transfer, whichever side speaks.
    pub transfer: TransferId,
    /// Which side of the transfer the one who gets this frame is.
    pub side: Side,
    /// Why.
    pub status: Status,
}

/// See [`FlowReset`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// It sends the message.
    Sender,
    /// It receives the message.
    Receiver,
}

impl Encode for FlowReset {
    const TYPE: FrameType = FrameType::FlowReset;

    fn body_len(&self) -> usize {
        9 + varint_len(self.status.0)
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        writer.u64(self.transfer.0);
        writer.u8(match self.side {
            Side::Sender => 0,
            Side::Receiver => 1,
        });
        writer.varint(self.status.0);
    }
}

impl FlowReset {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let transfer = TransferId(reader.u64("transfer")?);
        let side = match reader.u8("side")? {
            0 => Side::Sender,
            1 => Side::Receiver,
            _ => return Err(DecodeError::OutOfRange { field: "side" }),
        };
        Ok(Self { transfer, side, status: Status(reader.varint("status")?) })
    }
}

/// The receiver doubts that a notify is fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferChallenge {
    /// The sender's name for the transfer.
    pub transfer: TransferId,
    /// To be sent back.
    pub nonce: u64,
}

/// The sender still has the transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferChallengeResponse {
    /// The sender's name for the transfer.
    pub transfer: TransferId,
    /// As it came.
    pub nonce: u64,
}

impl Encode for TransferChallenge {
    const TYPE: FrameType = FrameType::TransferChallenge;

    fn body_len(&self) -> usize {
        16
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        writer.u64(self.transfer.0);
        writer.u64(self.nonce);
    }
}

impl TransferChallenge {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { transfer: TransferId(reader.u64("transfer")?), nonce: reader.u64("nonce")? })
    }
}

impl Encode for TransferChallengeResponse {
    const TYPE: FrameType = FrameType::TransferChallengeResponse;

    fn body_len(&self) -> usize {
        16
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        writer.u64(self.transfer.0);
        writer.u64(self.nonce);
    }
}

impl TransferChallengeResponse {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { transfer: TransferId(reader.u64("transfer")?), nonce: reader.u64("nonce")? })
    }
}
