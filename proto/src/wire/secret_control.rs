//! Packets about keys, sealed with a key that is used for nothing else (spec chapter 3).

use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned, byteorder::big_endian::U32,
};

use super::error::DecodeError;

/// The receiver of packets no longer accepts a worker's control keys up to an epoch.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct RetireControlKey {
    /// [`PacketKind::RetireControlKey`](super::PacketKind::RetireControlKey).
    pub tag: u8,
    /// Zero.
    pub reserved: [u8; 3],
    /// The newest epoch that is retired.
    pub epoch: U32,
    /// The path secret that the keys come from.
    pub secret_id: [u8; 16],
    /// The worker whose keys they are.
    pub worker: u8,
    /// Zero.
    pub reserved2: [u8; 7],
    /// Authenticates everything before.
    pub authentication: [u8; 16],
}

/// The receiver of records no longer accepts a data key.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct RetireDataKey {
    /// [`PacketKind::RetireDataKey`](super::PacketKind::RetireDataKey).
    pub tag: u8,
    /// Zero.
    pub reserved: [u8; 7],
    /// The path secret between the peers.
    pub secret_id: [u8; 16],
    /// Names the data key without giving it away.
    pub key_id: [u8; 16],
    /// Authenticates everything before.
    pub authentication: [u8; 16],
}

/// The sender does not know a path secret.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct UnknownPathSecret {
    /// [`PacketKind::UnknownPathSecret`](super::PacketKind::UnknownPathSecret).
    pub tag: u8,
    /// Zero.
    pub reserved: [u8; 7],
    /// The path secret that a packet named.
    pub secret_id: [u8; 16],
    /// What the sender handed out in the hello, to be believed now.
    pub token: [u8; 16],
}

const _: () = assert!(size_of::<RetireControlKey>() == 48);
const _: () = assert!(size_of::<RetireDataKey>() == 56);
const _: () = assert!(size_of::<UnknownPathSecret>() == 40);

impl RetireControlKey {
    pub(super) fn decode(datagram: &[u8]) -> Result<&Self, DecodeError> {
        let packet: &Self = exact(datagram)?;
        reserved_is_zero(&packet.reserved)?;
        reserved_is_zero(&packet.reserved2)?;
        Ok(packet)
    }
}

impl RetireDataKey {
    pub(super) fn decode(datagram: &[u8]) -> Result<&Self, DecodeError> {
        let packet: &Self = exact(datagram)?;
        reserved_is_zero(&packet.reserved)?;
        Ok(packet)
    }
}

impl UnknownPathSecret {
    pub(super) fn decode(datagram: &[u8]) -> Result<&Self, DecodeError> {
        let packet: &Self = exact(datagram)?;
        reserved_is_zero(&packet.reserved)?;
        Ok(packet)
    }
}

fn exact<T: FromBytes + KnownLayout + Immutable + Unaligned>(
    datagram: &[u8],
) -> Result<&T, DecodeError> {
    let (packet, rest) = T::ref_from_prefix(datagram)
        .map_err(|_| DecodeError::Truncated { field: "secret control packet" })?;
    if !rest.is_empty() {
        return Err(DecodeError::TrailingBytes { field: "secret control packet" });
    }
    Ok(packet)
}

fn reserved_is_zero(bytes: &[u8]) -> Result<(), DecodeError> {
    if bytes.iter().all(|byte| *byte == 0) {
        Ok(())
    } else {
        Err(DecodeError::Reserved { field: "secret control packet" })
    }
}
