//! Whoever holds the key and has seen both packets: for tools that explain captured traffic.

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::{HelloError, HelloKeys, check_clear};
use crate::{
    crypto::{path_secret::PathSecret, psk::Psk},
    wire::Packet,
};

/// The path secret that a hello between two other parties gave them.
///
/// # Errors
/// The packets are not the two of one hello under this key.
pub fn hello_observe(psk: &Psk, init: &[u8], reply: &[u8]) -> Result<PathSecret, HelloError> {
    let Packet::HelloInit(init) = Packet::decode(init).map_err(HelloError::Malformed)? else {
        return Err(HelloError::WrongKind);
    };
    let Packet::HelloReply(reply) = Packet::decode(reply).map_err(HelloError::Malformed)? else {
        return Err(HelloError::WrongKind);
    };
    check_clear(init.version(), init.psk_id(), psk.id())?;
    check_clear(reply.version(), reply.psk_id(), psk.id())?;
    if reply.echo() != init.random() {
        return Err(HelloError::WrongEcho);
    }
    let keys = HelloKeys::new(psk);
    let (init_bytes, reply_bytes) = (init.bytes(), reply.bytes());
    for (mac, ours) in [
        (init.mac(), keys.mac_init(init_bytes)),
        (reply.mac(), keys.mac_reply(init_bytes, reply_bytes)),
    ] {
        verify_slices_are_equal(mac, &ours).map_err(|_| HelloError::NotAuthentic)?;
    }
    Ok(keys.path_secret((init_bytes, init.random()), (reply_bytes, reply.random())))
}
