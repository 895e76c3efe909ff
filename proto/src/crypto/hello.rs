//! The hello: one round trip that turns a pre-shared key into a path secret.
//!
//! Nothing here keeps time or retransmits; the endpoint does.

use thiserror::Error;

use super::{
    kdf::{self, Secret, label},
    path_secret::PathSecret,
    psk::Psk,
};
use crate::{
    id::Incarnation,
    wire::{DecodeError, HELLO_LEN, HelloParams, Packet},
};

pub use initiator::HelloInitiator;
pub use observer::hello_observe;
pub use responder::hello_respond;

mod initiator;
mod observer;
mod responder;

/// What a hello gave.
#[derive(Debug)]
pub struct HelloOutcome {
    /// The secret shared with that peer. A responder's is pending until a packet under it proved
    /// authentic ([SEC-9]).
    pub secret: PathSecret,
    /// The peer's process.
    pub incarnation: Incarnation,
    /// What the peer can take.
    pub params: HelloParams,
}

/// Why a hello was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HelloError {
    /// The bytes are no hello of the expected kind.
    #[error("malformed hello: {0}")]
    Malformed(DecodeError),
    /// The packet is of another kind.
    #[error("the packet is no hello of this direction")]
    WrongKind,
    /// The peer speaks another version.
    #[error("the hello's version is {theirs}, not {VERSION}")]
    Version {
        /// The version of the packet.
        theirs: u16,
    },
    /// The peer uses another pre-shared key.
    #[error("the hello is for another pre-shared key")]
    WrongPsk,
    /// The MAC is not that of a holder of the key.
    #[error("the hello is not authentic")]
    NotAuthentic,
    /// The hello carries this endpoint's own incarnation.
    #[error("the hello came back to the endpoint that sent it")]
    Reflected,
    /// The reply answers another hello.
    #[error("the reply answers another hello")]
    WrongEcho,
    /// This hello already gave a path secret.
    #[error("the hello was answered before")]
    AlreadyAnswered,
    /// The peer is authentic, but its parameters are not acceptable.
    #[error("the hello's parameters are not acceptable: {0}")]
    Params(DecodeError),
}

/// The random of a HELLO_INIT, which tells retransmissions of one hello from other hellos.
///
/// `None` if the datagram is no HELLO_INIT. Nothing about the datagram is authentic yet.
pub fn hello_random(datagram: &[u8]) -> Option<[u8; 32]> {
    match Packet::decode(datagram) {
        Ok(Packet::HelloInit(hello)) => Some(*hello.random()),
        _ => None,
    }
}

/// The random that a HELLO_REPLY answers, which tells whose reply it is.
///
/// `None` if the datagram is no HELLO_REPLY. Nothing about the datagram is authentic yet.
pub fn hello_echo(datagram: &[u8]) -> Option<[u8; 32]> {
    match Packet::decode(datagram) {
        Ok(Packet::HelloReply(hello)) => Some(*hello.echo()),
        _ => None,
    }
}

/// The keys that a pre-shared key gives to hellos.
struct HelloKeys {
    init: Secret,
    reply: Secret,
    path: Secret,
}

impl HelloKeys {
    fn new(psk: &Psk) -> Self {
        Self {
            init: psk.derive(label::HELLO_INIT),
            reply: psk.derive(label::HELLO_REPLY),
            path: psk.derive(label::PSK_PATH),
        }
    }

    fn mac_init(&self, init: &[u8; HELLO_LEN]) -> [u8; MAC_LEN] {
        kdf::mac(&self.init, &[&init[..AUTHENTICATED_LEN]])
    }

    /// [SEC-6] The reply's MAC covers the hello that it answers.
    fn mac_reply(&self, init: &[u8; HELLO_LEN], reply: &[u8; HELLO_LEN]) -> [u8; MAC_LEN] {
        kdf::mac(&self.reply, &[init, &reply[..AUTHENTICATED_LEN]])
    }

    /// [SEC-1] [SEC-6] Both randoms and both hellos, whole, enter.
    fn path_secret(
        &self,
        (init, init_random): (&[u8; HELLO_LEN], &[u8; 32]),
        (reply, reply_random): (&[u8; HELLO_LEN], &[u8; 32]),
    ) -> PathSecret {
        let salt = [*init_random, *reply_random];
        let extracted = kdf::extract(salt.as_flattened(), &*self.path);
        let transcript = kdf::hash(&[init, reply]);
        PathSecret::new(kdf::derive_secret(&extracted, label::PATH_SECRET, &transcript))
    }
}

/// What both directions check before the MAC: cheap, and no secret of ours.
fn check_clear(version: u16, psk_id: &[u8; 16], own_psk_id: [u8; 16]) -> Result<(), HelloError> {
    if version != VERSION {
        return Err(HelloError::Version { theirs: version });
    }
    if *psk_id != own_psk_id {
        return Err(HelloError::WrongPsk);
    }
    Ok(())
}

/// Puts the MAC where the packet was left blank for it.
fn seal(packet: &mut [u8; HELLO_LEN], mac: [u8; MAC_LEN]) {
    packet[AUTHENTICATED_LEN..].copy_from_slice(&mac);
}

const VERSION: u16 = 1;
const MAC_LEN: usize = 32;
const AUTHENTICATED_LEN: usize = HELLO_LEN - MAC_LEN;

#[cfg(test)]
mod tests;
