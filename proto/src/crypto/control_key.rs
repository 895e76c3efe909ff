//! One control key: what seals and opens packets of one direction, worker and epoch.

use core::fmt;

use aws_lc_rs::{
    aead::{Aad, LessSafeKey, Nonce},
    error::Unspecified,
};
use zeroize::Zeroizing;

use super::{
    kdf::{self, label},
    path_secret::PathSecret,
    suite::{NONCE_LEN, Suite, TAG_LEN},
};
use crate::id::{Epoch, PacketNumber, PathId, Role, WorkerId};

/// Names a control key among all that a path secret gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyName {
    /// The role of the side that seals.
    pub(super) sender: Role,
    /// The worker of that side.
    pub(super) worker: WorkerId,
    pub(super) epoch: Epoch,
    pub(super) suite: Suite,
}

/// An expanded control key and the vector that its nonces are made with.
pub(super) struct ControlKey {
    aead: LessSafeKey,
    iv: Zeroizing<[u8; NONCE_LEN]>,
    /// What tests tell keys apart by.
    #[cfg(test)]
    pub(super) fingerprint: [u8; 32],
}

impl ControlKey {
    /// Derives the key called `name`.
    ///
    /// [SEC-10] Direction, worker, epoch and suite all enter, so that no two keys are the same.
    pub(super) fn derive(secret: &PathSecret, name: KeyName) -> Self {
        #[cfg(test)]
        super::testing::derivations::note();
        let mut context = [0; 7];
        context[0] = role_code(name.sender);
        context[1] = name.worker.0;
        context[2] = name.suite.code();
        context[3..].copy_from_slice(&name.epoch.0.to_be_bytes());
        let mut key = Zeroizing::new([0; 32]);
        let key = &mut key[..name.suite.key_len()];
        kdf::expand_label(secret.secret(), label::CONTROL_KEY, &context, key);
        let mut iv = Zeroizing::new([0; NONCE_LEN]);
        kdf::expand_label(secret.secret(), label::CONTROL_IV, &context, &mut *iv);
        Self {
            aead: name.suite.expand_key(key),
            iv,
            #[cfg(test)]
            fingerprint: kdf::hash(&[key]),
        }
    }

    /// [SEC-12] Seals `text` in place under the authenticated `header`, and writes `tag`.
    ///
    /// The caller never passes the same path and number twice.
    pub(super) fn seal(
        &self,
        path: PathId,
        number: PacketNumber,
        header: &[u8],
        text: &mut [u8],
        tag: &mut [u8],
    ) -> Result<(), Unspecified> {
        self.aead.seal_in_place_scatter(self.nonce(path, number), Aad::from(header), text, &[], tag)
    }

    /// Opens `sealed`, text and tag, in place.
    pub(super) fn open<'a>(
        &self,
        path: PathId,
        number: PacketNumber,
        header: &[u8],
        sealed: &'a mut [u8],
    ) -> Result<&'a [u8], Unspecified> {
        let text = self.aead.open_in_place(self.nonce(path, number), Aad::from(header), sealed)?;
        Ok(text)
    }

    /// Checks the tag of a packet that has nothing but an authenticated header.
    pub(super) fn verify(
        &self,
        path: PathId,
        number: PacketNumber,
        header: &[u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), Unspecified> {
        let nonce = self.nonce(path, number);
        self.aead.open_separate_gather(nonce, Aad::from(header), &[], tag, &mut [])
    }

    fn nonce(&self, path: PathId, number: PacketNumber) -> Nonce {
        Nonce::assume_unique_for_key(self.nonce_bytes(path, number))
    }

    /// [SEC-13] Path id (32 bits) and packet number (64 bits), big-endian, xored into the vector.
    pub(super) fn nonce_bytes(&self, path: PathId, number: PacketNumber) -> [u8; NONCE_LEN] {
        let counter = u128::from(path.0) << 64 | u128::from(number.0);
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&counter.to_be_bytes()[16 - NONCE_LEN..]);
        for (byte, iv) in nonce.iter_mut().zip(self.iv.iter()) {
            *byte ^= iv;
        }
        nonce
    }
}

impl fmt::Debug for ControlKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ControlKey(redacted)")
    }
}

/// The number that a role enters derivations as.
pub(super) const fn role_code(role: Role) -> u8 {
    match role {
        Role::Initiator => 0,
        Role::Responder => 1,
    }
}
