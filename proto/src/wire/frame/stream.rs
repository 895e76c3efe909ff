//! STREAM_CLOSE, STREAM_CLOSE_ACK and what is reserved for streams.

use super::{Encode, FrameType};
use crate::{
    id::{Status, StreamId},
    wire::{
        codec::{Reader, Writer, counted_len, varint_len},
        error::DecodeError,
    },
};

/// One side gives a stream up; its transfers end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamClose<'a> {
    /// The stream.
    pub stream: StreamId,
    /// Why.
    pub status: Status,
    /// Why, in UTF-8 for people; at most 256 bytes.
    pub reason: &'a [u8],
}

const MAX_REASON: usize = 256;

impl Encode for StreamClose<'_> {
    const TYPE: FrameType = FrameType::StreamClose;

    fn body_len(&self) -> usize {
        varint_len(self.stream.0) + varint_len(self.status.0) + counted_len(self.reason)
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        writer.varint(self.stream.0);
        writer.varint(self.status.0);
        writer.counted(self.reason);
    }
}

impl<'a> StreamClose<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let stream = StreamId(reader.varint("stream")?);
        let status = Status(reader.varint("status")?);
        let reason = reader.counted("reason")?;
        if reason.len() > MAX_REASON {
            return Err(DecodeError::OutOfRange { field: "reason" });
        }
        if core::str::from_utf8(reason).is_err() {
            return Err(DecodeError::NotText { field: "reason" });
        }
        Ok(Self { stream, status, reason })
    }
}

/// A close has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamCloseAck {
    /// The stream.
    pub stream: StreamId,
}

impl Encode for StreamCloseAck {
    const TYPE: FrameType = FrameType::StreamCloseAck;

    fn body_len(&self) -> usize {
        varint_len(self.stream.0)
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        writer.varint(self.stream.0);
    }
}

impl StreamCloseAck {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { stream: StreamId(reader.varint("stream")?) })
    }
}

/// What of a stream may be announced, as running counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamCredit {
    /// The stream.
    pub stream: StreamId,
    /// Bytes from the stream's beginning on.
    pub bytes: u64,
    /// Messages from the stream's beginning on.
    pub messages: u64,
    /// How long the credit holds, in microseconds; 0 is for ever.
    pub lifetime_us: u64,
}

impl Encode for StreamCredit {
    const TYPE: FrameType = FrameType::StreamCredit;

    fn body_len(&self) -> usize {
        varint_len(self.stream.0)
            + varint_len(self.bytes)
            + varint_len(self.messages)
            + varint_len(self.lifetime_us)
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        writer.varint(self.stream.0);
        writer.varint(self.bytes);
        writer.varint(self.messages);
        writer.varint(self.lifetime_us);
    }
}

impl StreamCredit {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            stream: StreamId(reader.varint("stream")?),
            bytes: reader.varint("bytes")?,
            messages: reader.varint("messages")?,
            lifetime_us: reader.varint("lifetime")?,
        })
    }
}

/// The sender of a stream has messages and no credit for them: the frame that gave it may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamBlocked {
    /// The stream.
    pub stream: StreamId,
}

impl Encode for StreamBlocked {
    const TYPE: FrameType = FrameType::StreamBlocked;

    fn body_len(&self) -> usize {
        varint_len(self.stream.0)
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        writer.varint(self.stream.0);
    }
}

impl StreamBlocked {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { stream: StreamId(reader.varint("stream")?) })
    }
}

/// Reserved: messages of a stream that the receiver will never get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdraw {
    /// The stream.
    pub stream: StreamId,
    /// Index of the first of them.
    pub first_index: u64,
    /// How many; at least 1.
    pub count: u64,
    /// Why.
    pub cause: Status,
}

impl Encode for Withdraw {
    const TYPE: FrameType = FrameType::Withdraw;

    fn body_len(&self) -> usize {
        varint_len(self.stream.0)
            + varint_len(self.first_index)
            + varint_len(self.count)
            + varint_len(self.cause.0)
    }

    fn write_body(&self, writer: &mut Writer<'_>) {
        writer.varint(self.stream.0);
        writer.varint(self.first_index);
        writer.varint(self.count);
        writer.varint(self.cause.0);
    }
}

impl Withdraw {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let stream = StreamId(reader.varint("stream")?);
        let first_index = reader.varint("first index")?;
        let count = reader.varint("count")?;
        if count == 0 {
            return Err(DecodeError::OutOfRange { field: "count" });
        }
        Ok(Self { stream, first_index, count, cause: Status(reader.varint("cause")?) })
    }
}
