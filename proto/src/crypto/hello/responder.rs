//! The side that answers a hello.

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::{HelloError, HelloKeys, HelloOutcome, VERSION, check_clear, seal};
use crate::{
    crypto::{psk::Psk, seed::SecretRng},
    id::Incarnation,
    wire::{HELLO_LEN, HelloParams, HelloReply, Packet},
};

/// Answers a hello: the outcome, which stays pending, and the reply to send.
///
/// [SEC-9] Every call draws a random of its own, so a replayed hello gives a secret that has
/// nothing to do with the first's, and that the replayer cannot derive.
///
/// # Errors
/// The datagram is to be dropped without an answer.
pub fn hello_respond(
    psk: &Psk,
    incarnation: Incarnation,
    params: &HelloParams,
    rng: &mut SecretRng,
    datagram: &[u8],
) -> Result<(HelloOutcome, [u8; HELLO_LEN]), HelloError> {
    let Packet::HelloInit(init) = Packet::decode(datagram).map_err(HelloError::Malformed)? else {
        return Err(HelloError::WrongKind);
    };
    let bytes = init.bytes();
    let psk_id = psk.id();
    check_clear(init.version(), init.psk_id(), psk_id)?;
    let keys = HelloKeys::new(psk);
    // [SEC-5]
    verify_slices_are_equal(init.mac(), &keys.mac_init(bytes))
        .map_err(|_| HelloError::NotAuthentic)?;
    // [SEC-7]
    if init.incarnation() == incarnation {
        return Err(HelloError::Reflected);
    }
    let peer_params = init.params().map_err(HelloError::Params)?;
    let random = rng.array();
    let mut packet = [0; HELLO_LEN];
    let echo = *init.random();
    let reply = HelloReply { version: VERSION, psk_id, incarnation, echo, random, params };
    reply.encode(&mut packet);
    let mac = keys.mac_reply(bytes, &packet);
    seal(&mut packet, mac);
    let secret = keys.path_secret((bytes, init.random()), (&packet, &random));
    let outcome = HelloOutcome { secret, incarnation: init.incarnation(), params: peer_params };
    Ok((outcome, packet))
}
