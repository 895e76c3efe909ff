//! The side that says hello first.

use core::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::{HelloError, HelloKeys, HelloOutcome, VERSION, check_clear, seal};
use crate::{
    crypto::{psk::Psk, seed::SecretRng},
    id::Incarnation,
    wire::{HELLO_LEN, HelloInit, HelloParams, Packet},
};

/// A hello on its way, until its reply gave the one path secret that it can give.
pub struct HelloInitiator {
    keys: HelloKeys,
    psk_id: [u8; 16],
    pub(super) incarnation: Incarnation,
    random: [u8; 32],
    packet: [u8; HELLO_LEN],
    answered: bool,
}

impl HelloInitiator {
    /// Draws a random and makes the packet.
    pub fn new(
        psk: &Psk,
        incarnation: Incarnation,
        params: &HelloParams,
        rng: &mut SecretRng,
    ) -> Self {
        let keys = HelloKeys::new(psk);
        let psk_id = psk.id();
        let random = rng.array();
        let mut packet = [0; HELLO_LEN];
        let hello = HelloInit { version: VERSION, psk_id, incarnation, random, params };
        hello.encode(&mut packet);
        let mac = keys.mac_init(&packet);
        seal(&mut packet, mac);
        Self { keys, psk_id, incarnation, random, packet, answered: false }
    }

    /// The packet to send: the same on every retransmission ([SEC-8]).
    pub fn packet(&self) -> &[u8; HELLO_LEN] {
        &self.packet
    }

    /// The random of this hello, which its reply echoes.
    pub fn random(&self) -> [u8; 32] {
        self.random
    }

    /// Takes a reply.
    ///
    /// # Errors
    /// The datagram is to be dropped, and the hello still waits for its reply, unless it had one.
    /// Only [`HelloError::Params`] comes from the peer itself.
    pub fn handle_reply(&mut self, datagram: &[u8]) -> Result<HelloOutcome, HelloError> {
        let Packet::HelloReply(reply) = Packet::decode(datagram).map_err(HelloError::Malformed)?
        else {
            return Err(HelloError::WrongKind);
        };
        let bytes = reply.bytes();
        check_clear(reply.version(), reply.psk_id(), self.psk_id)?;
        // The echo is checked by the MAC too; asking first tells a late reply from a forged one.
        if *reply.echo() != self.random {
            return Err(HelloError::WrongEcho);
        }
        // [SEC-5]
        let mac = self.keys.mac_reply(&self.packet, bytes);
        verify_slices_are_equal(reply.mac(), &mac).map_err(|_| HelloError::NotAuthentic)?;
        // [SEC-7]
        if reply.incarnation() == self.incarnation {
            return Err(HelloError::Reflected);
        }
        let params = reply.params().map_err(HelloError::Params)?;
        // [SEC-8] One secret of one hello: a second reply could only repeat the first's, or be for
        // a responder that has let go of it.
        if core::mem::replace(&mut self.answered, true) {
            return Err(HelloError::AlreadyAnswered);
        }
        let secret = self.keys.path_secret((&self.packet, &self.random), (bytes, reply.random()));
        Ok(HelloOutcome { secret, incarnation: reply.incarnation(), params })
    }
}

impl fmt::Debug for HelloInitiator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HelloInitiator")
            .field("incarnation", &self.incarnation)
            .field("answered", &self.answered)
            .finish_non_exhaustive()
    }
}
