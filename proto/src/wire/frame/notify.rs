//! TRANSFER_NOTIFY: a sender offers a message, or brings it along.

use super::{Encode, FrameType, List};
use crate::{
    id::{BufferId, Pattern, Priority, Status, StreamId, TransferId},
    wire::{
        codec::{Reader, Writer, counted_len, varint_len},
        error::DecodeError,
        list::Item,
    },
};

/// A message is offered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TransferNotify<'a> {
    /// The sender's name for the transfer.
    pub transfer: TransferId,
    /// The stream that the message belongs to.
    pub stream: StreamId,
    /// Position of the message in its direction of the stream.
    pub index: u64,
    /// Length of the message in bytes.
    pub size: u64,
    /// Its urgency.
    pub priority: Priority,
    /// The shape of the call.
    pub pattern: Pattern,
    /// If this is the last message of its direction: the status that the direction ends with.
    pub fin: Option<Status>,
    /// For dispatch before the payload is opened.
    pub metadata: &'a [u8],
    /// The causality token of this transfer.
    pub causality: Option<u64>,
    /// What must come before it.
    pub dependencies: List<'a, Dependency>,
    /// How long the message is still worth having, in microseconds.
    pub remaining_lifetime_us: Option<u64>,
    /// Whether it may be given up.
    pub reliability: Reliability,
    /// Type of the records' content.
    pub content_type: Option<u64>,
    /// The payload, or how to get it.
    pub body: Body<'a>,
}

/// The payload of a [`TransferNotify`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// The payload itself.
    Inline(&'a [u8]),
    /// It is pulled.
    Pulled {
        /// The data key, 16 or 32 bytes. Only ever inside a sealed packet.
        key: &'a [u8],
        /// Sequence number of record 0 under that key.
        first_record: u64,
        /// Binary logarithm of the record size, 10 to 16.
        record_log2: u8,
        /// The sender's registered memory.
        buffer: BufferId,
        /// Opens that memory to reads over RDMA.
        memory_key: Option<&'a [u8]>,
        /// The sender sends all of it without being asked.
        unscheduled: bool,
    },
}

/// What happens to a message that cannot arrive in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reliability {
    /// It is sent until it has arrived.
    #[default]
    Reliable,
    /// It is given up when its lifetime is over.
    Deadline,
    /// It is sent once.
    Lossy,
}

/// A transfer that must come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The other transfer's causality token.
    pub token: u64,
    /// What of it must have happened, and what if it fails.
    pub kind: DependencyKind,
}

/// One of four kinds of [`Dependency`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DependencyKind {
    /// What must have happened.
    pub wait: WaitPoint,
    /// What follows from a failure.
    pub failure: Failure,
}

/// See [`DependencyKind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaitPoint {
    /// Its request was delivered.
    RequestSent,
    /// Its response was received.
    ResponseReceived,
}

/// See [`DependencyKind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The dependent transfer fails too.
    Cascade,
    /// The dependent transfer goes on.
    Ignore,
}

const INLINE: u16 = 1 << 0;
const FIN: u16 = 1 << 1;
const METADATA: u16 = 1 << 2;
const CAUSALITY: u16 = 1 << 3;
const DEPENDENCIES: u16 = 1 << 4;
const LIFETIME: u16 = 1 << 5;
const RELIABILITY: u16 = 1 << 6;
const CONTENT_TYPE: u16 = 1 << 7;
const MEMORY_KEY: u16 = 1 << 8;
const PRIORITY_SHIFT: u32 = 9;
const PATTERN_SHIFT: u32 = 12;
const UNSCHEDULED: u16 = 1 << 15;

impl TransferNotify<'_> {
    fn flags(&self) -> u16 {
        let mut flags = match self.body {
            Body::Inline(_) => INLINE,
            Body::Pulled { memory_key, unscheduled, .. } => {
                let memory_key = if memory_key.is_some() { MEMORY_KEY } else { 0 };
                memory_key | if unscheduled { UNSCHEDULED } else { 0 }
            }
        };
        let optional = [
            (FIN, self.fin.is_some()),
            (METADATA, !self.metadata.is_empty()),
            (CAUSALITY, self.causality.is_some()),
            (DEPENDENCIES, !self.dependencies.is_empty()),
            (LIFETIME, self.remaining_lifetime_us.is_some()),
            (RELIABILITY, self.reliability != Reliability::Reliable),
            (CONTENT_TYPE, self.content_type.is_some()),
        ];
        for (flag, present) in optional {
            flags |= if present { flag } else { 0 };
        }
        let pattern = match self.pattern {
            Pattern::Unary => 0,
            Pattern::StreamingResponse => 1,
            Pattern::StreamingRequest => 2,
            Pattern::Bidirectional => 3,
            Pattern::Bulk => 4,
        };
        flags | u16::from(self.priority.level()) << PRIORITY_SHIFT | pattern << PATTERN_SHIFT
    }

    fn optional_len(&self) -> usize {
        let mut len = 0;
        if let Some(token) = self.causality {
            len += size_of_val(&token);
        }
        if !self.dependencies.is_empty() {
            len += self.dependencies.encoded_len();
        }
        len += self.remaining_lifetime_us.map_or(0, varint_len);
        len += usize::from(self.reliability != Reliability::Reliable);
        len + self.content_type.map_or(0, varint_len)
    }

    fn write_optional(&self, writer: &mut Writer<'_>) {
        if let Some(token) = self.causality {
            writer.u64(token);
        }
        if !self.dependencies.is_empty() {
            self.dependencies.write(writer);
        }
        if let Some(lifetime) = self.remaining_lifetime_us {
            writer.varint(lifetime);
        }
        match self.reliability {
            Reliability::Reliable => {}
            Reliability::Deadline => writer.u8(1),
            Reliability::Lossy => writer.u8(2),
        }
        if let Some(content_type) = self.content_type {
            writer.varint(content_type);
        }
    }
}

impl Encode for TransferNotify<'_> {
    const TYPE: FrameType = FrameType::TransferNotify;

    #[inline]
    fn body_len(&self) -> usize {
        let mut len = 2 + 8 + varint_len(self.stream.0) + varint_len(self.index);
        len += varint_len(self.size) + self.fin.map_or(0, |status| varint_len(status.0));
        if !self.metadata.is_empty() {
            len += counted_len(self.metadata);
        }
        len += self.optional_len();
        len + match self.body {
            Body::Inline(payload) => payload.len(),
            Body::Pulled { key, first_record, buffer, memory_key, .. } => {
                counted_len(key)
                    + varint_len(first_record)
                    + 1
                    + varint_len(buffer.0)
                    + memory_key.map_or(0, counted_len)
            }
        }
    }

    #[inline]
    fn write_body(&self, writer: &mut Writer<'_>) {
        writer.u16(self.flags());
        writer.u64(self.transfer.0);
        writer.varint(self.stream.0);
        writer.varint(self.index);
        writer.varint(self.size);
        if let Some(status) = self.fin {
            writer.varint(status.0);
        }
        if !self.metadata.is_empty() {
            writer.counted(self.metadata);
        }
        self.write_optional(writer);
        match self.body {
            Body::Inline(payload) => writer.bytes(payload),
            Body::Pulled { key, first_record, record_log2, buffer, memory_key, .. } => {
                writer.counted(key);
                writer.varint(first_record);
                writer.u8(record_log2);
                writer.varint(buffer.0);
                if let Some(memory_key) = memory_key {
                    writer.counted(memory_key);
                }
            }
        }
    }
}

impl<'a> TransferNotify<'a> {
    #[inline]
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let flags = reader.u16("notify flags")?;
        let has = |flag| flags & flag != 0;
        let priority = (flags >> PRIORITY_SHIFT & 0b111) as u8;
        let priority =
            Priority::new(priority).ok_or(DecodeError::OutOfRange { field: "priority" })?;
        let pattern = match flags >> PATTERN_SHIFT & 0b111 {
            0 => Pattern::Unary,
            1 => Pattern::StreamingResponse,
            2 => Pattern::StreamingRequest,
            3 => Pattern::Bidirectional,
            4 => Pattern::Bulk,
            _ => return Err(DecodeError::OutOfRange { field: "pattern" }),
        };
        let transfer = TransferId(reader.u64("transfer")?);
        let stream = StreamId(reader.varint("stream")?);
        let index = reader.varint("index")?;
        let size = reader.varint("size")?;
        let fin = if has(FIN) { Some(Status(reader.varint("status")?)) } else { None };
        let metadata = if has(METADATA) { present(reader.counted("metadata")?)? } else { &[] };
        let causality = if has(CAUSALITY) { Some(reader.u64("causality")?) } else { None };
        let dependencies = if has(DEPENDENCIES) { List::read(reader)? } else { List::empty() };
        if has(DEPENDENCIES) && dependencies.is_empty() {
            return Err(DecodeError::EmptyList { field: Dependency::FIELD });
        }
        let remaining_lifetime_us =
            if has(LIFETIME) { Some(reader.varint("lifetime")?) } else { None };
        let reliability = match if has(RELIABILITY) { reader.u8("reliability")? } else { 0 } {
            0 if !has(RELIABILITY) => Reliability::Reliable,
            1 => Reliability::Deadline,
            2 => Reliability::Lossy,
            _ => return Err(DecodeError::OutOfRange { field: "reliability" }),
        };
        let content_type =
            if has(CONTENT_TYPE) { Some(reader.varint("content type")?) } else { None };
        let body = Body::read(reader, size, flags)?;
        Ok(Self {
            transfer,
            stream,
            index,
            size,
            priority,
            pattern,
            fin,
            metadata,
            causality,
            dependencies,
            remaining_lifetime_us,
            reliability,
            content_type,
            body,
        })
    }
}

/// An optional field that is announced has bytes.
fn present(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    if bytes.is_empty() { Err(DecodeError::EmptyList { field: "metadata" }) } else { Ok(bytes) }
}

impl<'a> Body<'a> {
    #[inline]
    fn read(reader: &mut Reader<'a>, size: u64, flags: u16) -> Result<Self, DecodeError> {
        if flags & INLINE != 0 {
            if flags & (MEMORY_KEY | UNSCHEDULED) != 0 {
                return Err(DecodeError::OutOfRange { field: "notify flags" });
            }
            if size > reader.rest().len() as u64 {
                return Err(DecodeError::Truncated { field: "inline payload" });
            }
            return Ok(Self::Inline(reader.bytes(size as usize, "inline payload")?));
        }
        let key = reader.counted("data key")?;
        if key.len() != 16 && key.len() != 32 {
            return Err(DecodeError::OutOfRange { field: "data key" });
        }
        let first_record = reader.varint("first record")?;
        let record_log2 = reader.u8("record size")?;
        if !(10..=16).contains(&record_log2) {
            return Err(DecodeError::OutOfRange { field: "record size" });
        }
        if size == 0 {
            return Err(DecodeError::OutOfRange { field: "size" });
        }
        let buffer = BufferId(reader.varint("buffer")?);
        let memory_key =
            if flags & MEMORY_KEY != 0 { Some(reader.counted("memory key")?) } else { None };
        let unscheduled = flags & UNSCHEDULED != 0;
        Ok(Self::Pulled { key, first_record, record_log2, buffer, memory_key, unscheduled })
    }
}

impl Item for Dependency {
    const FIELD: &'static str = "dependencies";

    fn encoded_len(&self) -> usize {
        9
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.u64(self.token);
        let wait = match self.kind.wait {
            WaitPoint::RequestSent => 0,
            WaitPoint::ResponseReceived => 1,
        };
        let failure = match self.kind.failure {
            Failure::Cascade => 0,
            Failure::Ignore => 2,
        };
        writer.u8(wait | failure);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let token = reader.u64("dependency token")?;
        let kind = reader.u8("dependency kind")?;
        if kind > 3 {
            return Err(DecodeError::OutOfRange { field: "dependency kind" });
        }
        let wait = if kind & 1 == 0 { WaitPoint::RequestSent } else { WaitPoint::ResponseReceived };
        let failure = if kind & 2 == 0 { Failure::Cascade } else { Failure::Ignore };
        Ok(Self { token, kind: DependencyKind { wait, failure } })
    }
}
