//! Packets about keys themselves: authenticated by keys of their own, and without packet numbers.

use core::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::{
    control_key::role_code,
    data_keys::NotAuthentic,
    kdf::{self, Secret, label},
    path_keys::SealError,
    path_secret::PathSecret,
    psk::Psk,
    suite::TAG_LEN,
};
use crate::id::{Role, SecretId};

/// Makes and checks the tags of RETIRE_CONTROL_KEY and RETIRE_DATA_KEY for one path secret.
///
/// The tag is an HMAC: it needs no nonce, so these packets need no counter. To receive one again
/// has no further effect.
pub struct SecretControlKeys {
    /// [SEC-24] Each side has its own, so that a packet cannot be turned around.
    own: Secret,
    peer: Secret,
}

impl SecretControlKeys {
    /// The keys for the side that was `role` in the hello.
    pub fn new(secret: &PathSecret, role: Role) -> Self {
        let key = |sender| {
            kdf::derive_secret(secret.secret(), label::SECRET_CONTROL, &[role_code(sender)])
        };
        Self { own: key(role), peer: key(role.peer()) }
    }

    /// Writes the tag, the last 16 bytes of `packet`, over all that precedes it.
    ///
    /// # Errors
    /// The packet is shorter than its tag.
    pub fn seal(&self, packet: &mut [u8]) -> Result<(), SealError> {
        let text_len = packet.len().checked_sub(TAG_LEN).ok_or(SealError::Length)?;
        let (text, tag) = packet.split_at_mut(text_len);
        tag.copy_from_slice(&short_mac(&self.own, text));
        Ok(())
    }

    /// Checks the tag of a packet from the peer.
    ///
    /// # Errors
    /// The peer did not make the packet.
    pub fn open(&self, packet: &[u8]) -> Result<(), NotAuthentic> {
        let text_len = packet.len().checked_sub(TAG_LEN).ok_or(NotAuthentic)?;
        let (text, tag) = packet.split_at(text_len);
        verify_slices_are_equal(&short_mac(&self.peer, text), tag).map_err(|_| NotAuthentic)
    }
}

impl fmt::Debug for SecretControlKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretControlKeys(redacted)")
    }
}

/// Makes and checks the tokens of UNKNOWN_PATH_SECRET.
///
/// A token needs no path secret, since whoever sends it has lost that.
pub struct UnknownSecretTokens {
    key: Secret,
}

impl UnknownSecretTokens {
    /// Tokens that every holder of the pre-shared key can make and check.
    pub fn from_psk(psk: &Psk) -> Self {
        Self { key: psk.derive(label::UNKNOWN_SECRET) }
    }

    /// Tokens of a key of this host alone, which may outlive a restart.
    pub fn from_local_key(key: &[u8; kdf::SECRET_LEN]) -> Self {
        Self { key: kdf::derive_secret(key, label::UNKNOWN_SECRET, &[]) }
    }

    /// The token that says `secret` is not known.
    pub fn token(&self, secret: SecretId) -> [u8; TAG_LEN] {
        short_mac(&self.key, &secret.0)
    }

    /// Checks a token, in constant time ([SEC-25]).
    ///
    /// # Errors
    /// It is not the one for `secret`.
    pub fn verify(&self, secret: SecretId, token: &[u8; TAG_LEN]) -> Result<(), NotAuthentic> {
        verify_slices_are_equal(&self.token(secret), token).map_err(|_| NotAuthentic)
    }
}

impl fmt::Debug for UnknownSecretTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnknownSecretTokens(redacted)")
    }
}

fn short_mac(key: &Secret, text: &[u8]) -> [u8; TAG_LEN] {
    let mut short = [0; TAG_LEN];
    short.copy_from_slice(&kdf::mac(key, &[text])[..TAG_LEN]);
    short
}

#[cfg(test)]
mod tests;
