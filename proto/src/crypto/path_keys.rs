//! Seals and opens the packets between one worker here and all workers of one peer.

use core::fmt;

use zerocopy::IntoBytes;

use self::{
    opener::{Claim, Opener},
    sealer::{Reserved, Sealer},
};
use super::{control_key::KeyName, limits::KeyLimits, path_secret::PathSecret, suite::Suite};
use crate::{
    id::{Epoch, PacketNumber, PathId, Role, SecretId, TransferId, WorkerId},
    time::Timestamp,
    wire::{
        ControlPacket, DataHeader, DataPacket, Packet, PacketHeader, PacketKind,
        packet::{CONTROL_OVERHEAD, DATA_HEADER_LEN, DATA_OVERHEAD, PACKET_HEADER_LEN},
    },
};

pub use opener::OpenError;
pub use sealer::SealError;

mod opener;
mod sealer;

/// The control keys of one path secret, as one worker uses them.
///
/// Sealing takes the next packet number by itself and moves to the next epoch when a key is used
/// up; opening follows the peer's epochs and refuses what it opened before. Neither has a way to
/// use a number twice.
///
/// [SEC-11] It is not `Clone`, and is made once for each path secret and worker.
pub struct PathKeys {
    secret: PathSecret,
    limits: KeyLimits,
    worker: WorkerId,
    sealer: Sealer,
    opener: Opener,
}

impl PathKeys {
    /// Keys for `worker` of the side that was `role` in the hello.
    pub fn new(
        secret: &PathSecret,
        role: Role,
        worker: WorkerId,
        suite: Suite,
        limits: KeyLimits,
    ) -> Self {
        let secret = secret.duplicate();
        let name = KeyName { sender: role, worker, epoch: Epoch(0), suite };
        let sealer = Sealer::new(&secret, name, &limits);
        Self { secret, limits, worker, sealer, opener: Opener::new(role.peer(), suite) }
    }

    /// Names the path secret on the wire.
    pub fn secret_id(&self) -> SecretId {
        self.secret.id()
    }

    /// The epoch that the next packet is sealed in, unless its key is used up by then.
    pub fn epoch(&self) -> Epoch {
        self.sealer.epoch()
    }

    /// Seals a control packet in place.
    ///
    /// `packet` holds 32 bytes that the header is written to, `frames_len` bytes of frames, and 16
    /// bytes that the tag is written to.
    ///
    /// # Errors
    /// `packet` is not [`CONTROL_OVERHEAD`] bytes longer than the frames, or no epoch is left.
    pub fn seal_control(
        &mut self,
        path: PathId,
        packet: &mut [u8],
        frames_len: usize,
    ) -> Result<PacketNumber, SealError> {
        let len = frames_len.checked_add(CONTROL_OVERHEAD).ok_or(SealError::Length)?;
        if packet.len() != len {
            return Err(SealError::Length);
        }
        let (header, rest) = packet.split_at_mut(PACKET_HEADER_LEN);
        let (frames, tag) = rest.split_at_mut(frames_len);
        let reserved = self.sealer.reserve(&self.secret, &self.limits, path, len)?;
        let fields = packet_header(PacketKind::Control, &reserved, self.worker, self.secret.id());
        header.copy_from_slice(fields.as_bytes());
        reserved.seal(header, frames, tag)
    }

    /// Writes a data packet's header and the tag that authenticates it.
    ///
    /// The payload, a slice of records that are sealed already, follows in the datagram.
    ///
    /// # Errors
    /// `out` is not [`DATA_OVERHEAD`] bytes long, or no epoch is left.
    pub fn seal_data_header(
        &mut self,
        path: PathId,
        fields: DataFields,
        out: &mut [u8],
    ) -> Result<PacketNumber, SealError> {
        if out.len() != DATA_OVERHEAD {
            return Err(SealError::Length);
        }
        let (header, tag) = out.split_at_mut(DATA_HEADER_LEN);
        let reserved = self.sealer.reserve(&self.secret, &self.limits, path, DATA_OVERHEAD)?;
        let fields = DataHeader {
            packet: packet_header(PacketKind::Data, &reserved, self.worker, self.secret.id()),
            transfer: fields.transfer.0.into(),
            position: fields.position.into(),
            length: fields.length.into(),
            flags: fields.flags,
            backlog: fields.backlog,
        };
        header.copy_from_slice(fields.as_bytes());
        reserved.seal(header, &mut [], tag)
    }

    /// Opens a control packet in place.
    ///
    /// # Errors
    /// The packet is to be dropped; nothing has changed.
    pub fn open_control<'a>(
        &mut self,
        now: Timestamp,
        packet: &'a mut [u8],
    ) -> Result<OpenedControl<'a>, OpenError> {
        let Packet::Control(ControlPacket { header, .. }) = Packet::decode(packet)? else {
            return Err(OpenError::WrongKind);
        };
        let claim = claim(header);
        let (header, sealed) = packet.split_at_mut(PACKET_HEADER_LEN);
        let header = &*header;
        let frames = self.opener.open(&self.secret, &self.limits, now, claim, |key| {
            key.open(claim.path, claim.number, header, sealed)
        })?;
        let Claim { worker, path, number, .. } = claim;
        Ok(OpenedControl { worker, path, number, frames })
    }

    /// Checks a data packet's header, and gives it with the payload, which is still sealed.
    ///
    /// # Errors
    /// The packet is to be dropped; nothing has changed.
    pub fn open_data<'a>(
        &mut self,
        now: Timestamp,
        packet: &'a [u8],
    ) -> Result<OpenedData<'a>, OpenError> {
        let Packet::Data(DataPacket { header, tag, payload }) = Packet::decode(packet)? else {
            return Err(OpenError::WrongKind);
        };
        let claim = claim(&header.packet);
        self.opener.open(&self.secret, &self.limits, now, claim, |key| {
            key.verify(claim.path, claim.number, header.as_bytes(), tag)
        })?;
        Ok(OpenedData {
            worker: claim.worker,
            path: claim.path,
            number: claim.number,
            transfer: TransferId(header.transfer.get()),
            position: header.position.get(),
            flags: header.flags,
            backlog: header.backlog,
            payload,
        })
    }
}

impl fmt::Debug for PathKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PathKeys")
            .field("secret", &self.secret)
            .field("worker", &self.worker)
            .field("sealer", &self.sealer)
            .field("opener", &self.opener)
            .finish_non_exhaustive()
    }
}

/// What a data packet's header says besides where the packet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataFields {
    /// The receiver's id for the transfer.
    pub transfer: TransferId,
    /// Where the payload begins, in the message's sealed form.
    pub position: u64,
    /// Bytes of payload.
    pub length: u16,
    /// The flags, as [`crate::wire`] defines them.
    pub flags: u8,
    /// What is left to send to this receiver, as [`crate::wire`] quantises it.
    pub backlog: u8,
}

/// A control packet that proved authentic, and was not seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenedControl<'a> {
    /// The peer's worker that sealed it.
    pub worker: WorkerId,
    /// The path it was sent on.
    pub path: PathId,
    /// Its number on that path.
    pub number: PacketNumber,
    /// The frames.
    pub frames: &'a [u8],
}

/// A data packet whose header proved authentic, and was not seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenedData<'a> {
    /// The peer's worker that sealed it.
    pub worker: WorkerId,
    /// The path it was sent on.
    pub path: PathId,
    /// Its number on that path.
    pub number: PacketNumber,
    /// The receiver's id for the transfer.
    pub transfer: TransferId,
    /// Where the payload begins, in the message's sealed form.
    pub position: u64,
    /// The flags, as [`crate::wire`] defines them.
    pub flags: u8,
    /// What the sender has left for this receiver, as [`crate::wire`] quantises it.
    pub backlog: u8,
    /// A slice of sealed records: not authentic in itself until those are open ([SEC-29]).
    pub payload: &'a [u8],
}

fn packet_header(
    kind: PacketKind,
    reserved: &Reserved<'_>,
    worker: WorkerId,
    secret_id: SecretId,
) -> PacketHeader {
    PacketHeader {
        tag: kind as u8,
        path: reserved.path().0,
        worker: worker.0,
        reserved: 0,
        epoch: reserved.epoch().0.into(),
        packet_number: reserved.number().0.into(),
        secret_id: secret_id.0,
    }
}

fn claim(header: &PacketHeader) -> Claim {
    Claim {
        worker: WorkerId(header.worker),
        epoch: Epoch(header.epoch.get()),
        path: PathId(header.path),
        number: PacketNumber(header.packet_number.get()),
    }
}

#[cfg(test)]
mod tests;
