//! Packets: what one datagram holds. Fixed headers are laid out by zerocopy.

use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    byteorder::big_endian::{U16, U32, U64},
};

use super::{
    error::DecodeError,
    hello::{HelloInitView, HelloReplyView},
    secret_control::{RetireControlKey, RetireDataKey, UnknownPathSecret},
};
use crate::id::SecretId;

/// Bytes of an AEAD tag.
pub const TAG_LEN: usize = 16;

/// Bytes of [`PacketHeader`].
pub const PACKET_HEADER_LEN: usize = 32;

/// Bytes of [`DataHeader`].
pub const DATA_HEADER_LEN: usize = 52;

/// Bytes of a control packet besides its frames.
pub const CONTROL_OVERHEAD: usize = PACKET_HEADER_LEN + TAG_LEN;

/// Bytes of a data packet besides its payload.
pub const DATA_OVERHEAD: usize = DATA_HEADER_LEN + TAG_LEN;

const _: () = assert!(size_of::<PacketHeader>() == PACKET_HEADER_LEN);
const _: () = assert!(size_of::<DataHeader>() == DATA_HEADER_LEN);

/// What a datagram's first byte says it is.
///
/// All tags are below 0x40, where no QUIC packet begins: both share a UDP port (RFC 9443)
/// [WIRE-1].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PacketKind {
    /// Sealed frames.
    Control = 0x10,
    /// A slice of sealed records.
    Data = 0x11,
    /// The first packet between two peers.
    HelloInit = 0x14,
    /// The answer to it.
    HelloReply = 0x15,
    /// A control key is no longer accepted.
    RetireControlKey = 0x18,
    /// A data key is no longer accepted.
    RetireDataKey = 0x19,
    /// No such path secret is known.
    UnknownPathSecret = 0x1a,
}

impl PacketKind {
    /// The kind that a datagram's first byte names.
    #[inline]
    pub fn peek(datagram: &[u8]) -> Option<Self> {
        Some(match datagram.first()? {
            0x10 => Self::Control,
            0x11 => Self::Data,
            0x14 => Self::HelloInit,
            0x15 => Self::HelloReply,
            0x18 => Self::RetireControlKey,
            0x19 => Self::RetireDataKey,
            0x1a => Self::UnknownPathSecret,
            _ => return None,
        })
    }
}

/// The header of control packets, and the beginning of that of data packets.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct PacketHeader {
    /// [`PacketKind`] as a byte.
    pub tag: u8,
    /// [`PathId`](crate::id::PathId): 0 until peers have several paths.
    pub path: u8,
    /// [`WorkerId`](crate::id::WorkerId) of the sender.
    pub worker: u8,
    /// Zero.
    pub reserved: u8,
    /// [`Epoch`](crate::id::Epoch) of the sender's control key.
    pub epoch: U32,
    /// [`PacketNumber`](crate::id::PacketNumber).
    pub packet_number: U64,
    /// [`SecretId`] of the path secret that the keys come from.
    pub secret_id: [u8; 16],
}

/// The header of data packets.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct DataHeader {
    /// The part that control packets have too.
    pub packet: PacketHeader,
    /// The receiver's [`TransferId`](crate::id::TransferId).
    pub transfer: U64,
    /// Where the payload lies in the sealed message.
    pub position: U64,
    /// Length of the payload.
    pub length: U16,
    /// [`DataFlags`].
    pub flags: u8,
    /// What the sender still has to send of the transfer: see [`encode_backlog`].
    pub backlog: u8,
}

/// Bits of [`DataHeader::flags`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DataFlags(pub u8);

impl DataFlags {
    /// No flag.
    pub const NONE: u8 = 0;
    /// Some of the payload was sent before.
    pub const RETRANSMISSION: u8 = 0b001;
    /// The sender holds more credit than it can use.
    pub const CONGESTED_SENDER: u8 = 0b010;
    /// Sent ahead of the pull.
    pub const UNSCHEDULED: u8 = 0b100;
    /// Every flag there is.
    pub const ALL: u8 = 0b111;

    /// Whether a flag is set.
    pub const fn contains(self, flag: u8) -> bool {
        self.0 & flag != 0
    }
}

/// Packs a number of bytes into one byte: 0 is 0, else 2 n + 1 for the least power of two 2^n
/// that is enough, or 2 n + 2 if three quarters of 2^(n+1) are needed and enough.
pub const fn encode_backlog(bytes: u64) -> u8 {
    if bytes == 0 {
        return 0;
    }
    if bytes > 1 << 62 {
        return 125;
    }
    let power = bytes.next_power_of_two();
    let exponent = power.trailing_zeros() as u8;
    if exponent >= 2 && bytes <= power / 4 * 3 { 2 * exponent } else { 2 * exponent + 1 }
}

/// The least number of bytes not below any that [`encode_backlog`] packs to `code`.
pub const fn decode_backlog(code: u8) -> u64 {
    if code == 0 {
        return 0;
    }
    let exponent = code / 2;
    let exponent = if exponent > 62 { 62 } else { exponent };
    if code % 2 == 1 { 1 << exponent } else { (1 << exponent) / 4 * 3 }
}

/// One datagram.
#[derive(Clone, Copy, Debug)]
pub enum Packet<'a> {
    /// Sealed frames.
    Control(ControlPacket<'a>),
    /// A slice of sealed records.
    Data(DataPacket<'a>),
    /// The first packet between two peers.
    HelloInit(HelloInitView<'a>),
    /// The answer to it.
    HelloReply(HelloReplyView<'a>),
    /// A control key is no longer accepted.
    RetireControlKey(&'a RetireControlKey),
    /// A data key is no longer accepted.
    RetireDataKey(&'a RetireDataKey),
    /// No such path secret is known.
    UnknownPathSecret(&'a UnknownPathSecret),
}

/// A control packet whose frames are sealed.
#[derive(Clone, Copy, Debug)]
pub struct ControlPacket<'a> {
    /// The clear header, which the tag authenticates too.
    pub header: &'a PacketHeader,
    /// Sealed frames and their tag.
    pub sealed: &'a [u8],
}

/// A data packet.
#[derive(Clone, Copy, Debug)]
pub struct DataPacket<'a> {
    /// The clear header.
    pub header: &'a DataHeader,
    /// Authenticates the header.
    pub tag: &'a [u8; TAG_LEN],
    /// A slice of the sealed message; its records authenticate themselves.
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Divides a datagram into fields; nothing is authenticated by that.
    ///
    /// # Errors
    /// It is not a packet of this protocol.
    #[inline]
    pub fn decode(datagram: &'a [u8]) -> Result<Self, DecodeError> {
        let tag = *datagram.first().ok_or(DecodeError::Truncated { field: "tag" })?;
        let kind = PacketKind::peek(datagram).ok_or(DecodeError::UnknownTag { tag })?;
        Ok(match kind {
            PacketKind::Control => Self::Control(ControlPacket::decode(datagram)?),
            PacketKind::Data => Self::Data(DataPacket::decode(datagram)?),
            PacketKind::HelloInit => Self::HelloInit(HelloInitView::decode(datagram)?),
            PacketKind::HelloReply => Self::HelloReply(HelloReplyView::decode(datagram)?),
            PacketKind::RetireControlKey => {
                Self::RetireControlKey(RetireControlKey::decode(datagram)?)
            }
            PacketKind::RetireDataKey => Self::RetireDataKey(RetireDataKey::decode(datagram)?),
            PacketKind::UnknownPathSecret => {
                Self::UnknownPathSecret(UnknownPathSecret::decode(datagram)?)
            }
        })
    }
}

impl<'a> ControlPacket<'a> {
    #[inline]
    fn decode(datagram: &'a [u8]) -> Result<Self, DecodeError> {
        let (header, sealed) = PacketHeader::ref_from_prefix(datagram)
            .map_err(|_| DecodeError::Truncated { field: "packet header" })?;
        header.check()?;
        if sealed.len() < TAG_LEN {
            return Err(DecodeError::Truncated { field: "packet tag" });
        }
        Ok(Self { header, sealed })
    }
}

impl<'a> DataPacket<'a> {
    #[inline]
    fn decode(datagram: &'a [u8]) -> Result<Self, DecodeError> {
        let (header, rest) = DataHeader::ref_from_prefix(datagram)
            .map_err(|_| DecodeError::Truncated { field: "data header" })?;
        header.packet.check()?;
        if header.flags & !DataFlags::ALL != 0 {
            return Err(DecodeError::Reserved { field: "data flags" });
        }
        let (tag, payload) =
            rest.split_first_chunk().ok_or(DecodeError::Truncated { field: "header tag" })?;
        // [WIRE-6]
        if payload.is_empty() {
            return Err(DecodeError::EmptyRange);
        }
        if payload.len() != usize::from(header.length.get()) {
            return Err(DecodeError::LengthMismatch);
        }
        Ok(Self { header, tag, payload })
    }
}

impl PacketHeader {
    #[inline]
    fn check(&self) -> Result<(), DecodeError> {
        if self.reserved == 0 {
            Ok(())
        } else {
            Err(DecodeError::Reserved { field: "packet header" })
        }
    }
}

/// The path secret id of a control or data packet, before anything else is looked at.
#[inline]
pub fn peek_secret_id(datagram: &[u8]) -> Option<SecretId> {
    let header = datagram.first_chunk::<PACKET_HEADER_LEN>()?;
    header.last_chunk().map(|id| SecretId(*id))
}
