//! Identifiers, each its own type: no bare integer crosses a module.

use core::fmt;

/// The worker of a host that sent a packet or owns a transfer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(pub u8);

/// The path a packet travelled; 0 until a peer is reached over several paths at once.
///
/// Packet numbers, replay windows, RTT and congestion state are kept per path, and the id is mixed
/// into the nonce.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathId(pub u8);

impl PathId {
    /// The only path until bonding exists.
    pub const ZERO: Self = Self(0);
}

/// How often the control key of one direction and worker has been replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u32);

/// Position of a packet among all that were sealed with one control key on one path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketNumber(pub u64);

/// Names a path secret on the wire; derived from it, and safe to show.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretId(pub [u8; 16]);

impl fmt::Debug for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretId(")?;
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

/// Drawn anew by every process: two incarnations never share state, whatever their address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Incarnation(pub [u8; 16]);

/// One side's name for a transfer: worker (8 bits), generation (24 bits), slot (32 bits).
///
/// Each side allocates its own and echoes the other's, so that routing a packet is an array index
/// and a generation compare. Generations are compared by serial-number arithmetic (RFC 1982), since
/// a slot may be used more than 2^24 times.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferId(pub u64);

impl TransferId {
    /// Bits of the generation.
    pub const GENERATION_BITS: u32 = 24;

    /// Joins the parts; bits of `generation` above [`Self::GENERATION_BITS`] are dropped.
    pub const fn new(worker: WorkerId, generation: u32, slot: u32) -> Self {
        let generation = generation & ((1 << Self::GENERATION_BITS) - 1);
        Self((worker.0 as u64) << 56 | (generation as u64) << 32 | slot as u64)
    }

    /// The worker that allocated the id.
    pub const fn worker(self) -> WorkerId {
        WorkerId((self.0 >> 56) as u8)
    }

    /// How often the slot had been used before.
    pub const fn generation(self) -> u32 {
        (self.0 >> 32) as u32 & ((1 << Self::GENERATION_BITS) - 1)
    }

    /// Index into the allocating side's table.
    pub const fn slot(self) -> u32 {
        self.0 as u32
    }
}

impl fmt::Debug for TransferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransferId({}.{}.{})", self.worker().0, self.generation(), self.slot())
    }
}

/// Which side of the hello this endpoint was: the side decides key directions and stream ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Sent the first hello.
    Initiator,
    /// Answered it.
    Responder,
}

impl Role {
    /// The other side's role.
    pub const fn peer(self) -> Self {
        match self {
            Self::Initiator => Self::Responder,
            Self::Responder => Self::Initiator,
        }
    }
}

/// Names a stream (one call) between two peers; at most 62 bits, so that it fits a varint.
///
/// From the lowest bit: opener's role (1 bit, 0 = hello initiator), slot (24 bits), generation
/// (37 bits). The opener allocates it, and its own table is indexed by the slot.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

impl StreamId {
    /// Bits of the slot.
    pub const SLOT_BITS: u32 = 24;
    /// Bits of the generation.
    pub const GENERATION_BITS: u32 = 37;

    /// Joins the parts; excess bits of `generation` and `slot` are dropped.
    pub const fn new(opener: Role, generation: u64, slot: u32) -> Self {
        let role = match opener {
            Role::Initiator => 0,
            Role::Responder => 1,
        };
        let slot = (slot & ((1 << Self::SLOT_BITS) - 1)) as u64;
        let generation = generation & ((1 << Self::GENERATION_BITS) - 1);
        Self(role | slot << 1 | generation << (1 + Self::SLOT_BITS))
    }

    /// The side that opened the stream.
    pub const fn opener(self) -> Role {
        if self.0 & 1 == 0 { Role::Initiator } else { Role::Responder }
    }

    /// Index into the opener's stream table.
    pub const fn slot(self) -> u32 {
        (self.0 >> 1) as u32 & ((1 << Self::SLOT_BITS) - 1)
    }

    /// How often the slot had been used before.
    pub const fn generation(self) -> u64 {
        self.0 >> (1 + Self::SLOT_BITS)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamId({:?}.{}.{})", self.opener(), self.generation(), self.slot())
    }
}

/// Names a registered buffer of the sender; carried for memory reads by the receiver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BufferId(pub u64);

/// This endpoint's handle for a peer. Never on the wire, never reused within 2^32 uses of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

/// This endpoint's handle for a stream: the peer, and the id both sides know it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamHandle {
    /// The peer at the other end.
    pub peer: PeerId,
    /// The stream's id on the wire.
    pub stream: StreamId,
}

/// Urgency from 0 (most) to 7 (least).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

impl Priority {
    /// Number of levels.
    pub const LEVELS: usize = 8;
    /// The most urgent level.
    pub const HIGHEST: Self = Self(0);
    /// The least urgent level.
    pub const LOWEST: Self = Self(7);

    /// The level `level`, if there is one.
    pub const fn new(level: u8) -> Option<Self> {
        if level < Self::LEVELS as u8 { Some(Self(level)) } else { None }
    }

    /// The level's number, 0 to 7.
    pub const fn level(self) -> u8 {
        self.0
    }

    /// The level's number, `levels` less urgent, but no less than the least urgent.
    pub(crate) const fn lowered(self, levels: u8) -> u8 {
        let level = self.0.saturating_add(levels);
        if level < Self::LEVELS as u8 { level } else { Self::LOWEST.0 }
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self(3)
    }
}

/// How a call ended or a message was refused, as the peer sees it. 0 is success.
///
/// Codes below 64 belong to the protocol, the rest to the application; at most 62 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(pub u64);

impl Status {
    /// Success.
    pub const OK: Self = Self(0);
    /// The caller gave the call up.
    pub const CANCELLED: Self = Self(1);
    /// The receiver will not take a message of this size.
    pub const TOO_LARGE: Self = Self(2);
    /// The receiver is at a limit; a later try may succeed.
    pub const OVERLOADED: Self = Self(3);
    /// No such method or name.
    pub const NOT_FOUND: Self = Self(4);
    /// The request is not allowed.
    pub const FORBIDDEN: Self = Self(5);
    /// The request makes no sense to the receiver.
    pub const INVALID: Self = Self(6);
    /// The receiver failed while it handled the request.
    pub const INTERNAL: Self = Self(7);
    /// The deadline passed.
    pub const DEADLINE: Self = Self(8);
    /// The id is not known here.
    pub const UNKNOWN_ID: Self = Self(9);
    /// The payload could not be opened, again and again.
    pub const CORRUPT: Self = Self(10);
    /// The endpoint is going away.
    pub const SHUTDOWN: Self = Self(11);
    /// A call that this one depends on has failed.
    pub const DEPENDENCY: Self = Self(12);
    /// The first code that belongs to the application.
    pub const APPLICATION: Self = Self(64);

    /// Whether the status is success.
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::OK => "ok",
            Self::CANCELLED => "cancelled",
            Self::TOO_LARGE => "too large",
            Self::OVERLOADED => "overloaded",
            Self::NOT_FOUND => "not found",
            Self::FORBIDDEN => "forbidden",
            Self::INVALID => "invalid request",
            Self::INTERNAL => "internal error",
            Self::DEADLINE => "deadline passed",
            Self::UNKNOWN_ID => "unknown id",
            Self::CORRUPT => "payload corrupt",
            Self::SHUTDOWN => "shutting down",
            Self::DEPENDENCY => "a call it depends on has failed",
            Self(code) => return write!(f, "status {code}"),
        };
        f.write_str(name)
    }
}

/// The shape of a call: how many messages each side may send (spec chapter 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// One request, one response.
    #[default]
    Unary,
    /// One request, many responses.
    StreamingResponse,
    /// Many requests, one response.
    StreamingRequest,
    /// Many of each.
    Bidirectional,
    /// One message placed directly into memory or a file, one response.
    Bulk,
}

impl Pattern {
    /// Whether the opener may send any number of messages.
    pub const fn has_many_requests(self) -> bool {
        matches!(self, Self::StreamingRequest | Self::Bidirectional)
    }

    /// Whether the other side may send any number of messages.
    pub const fn has_many_responses(self) -> bool {
        matches!(self, Self::StreamingResponse | Self::Bidirectional)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transfer_id_parts_round_trip() {
        let id = TransferId::new(WorkerId(0xab), 0x12_3456, 0xdead_beef);
        assert_eq!((id.worker().0, id.generation(), id.slot()), (0xab, 0x12_3456, 0xdead_beef));
        assert_eq!(TransferId::new(WorkerId(0), 1 << 24, 0).generation(), 0);
    }

    #[test]
    fn stream_id_parts_round_trip_in_62_bits() {
        let id = StreamId::new(Role::Responder, (1 << 37) - 1, (1 << 24) - 1);
        assert_eq!((id.opener(), id.slot()), (Role::Responder, (1 << 24) - 1));
        assert_eq!(id.generation(), (1 << 37) - 1);
        assert!(id.0 < 1 << 62);
    }
}
