//! The secret that two incarnations share, and from which everything between them is keyed.

use core::fmt;

use super::kdf::{self, SECRET_LEN, Secret, label};
use crate::id::SecretId;

/// A secret that only two incarnations know, made from fresh randomness of both.
///
/// It is not `Clone`, and each (secret, role, worker) keys one [`PathKeys`](super::PathKeys) only:
/// a second one would count its packets from zero under the same keys.
pub struct PathSecret {
    secret: Secret,
    id: SecretId,
}

impl PathSecret {
    /// Makes a path secret of what a TLS exporter (RFC 8446, section 7.5) gave.
    ///
    /// The exporter's label and context are the caller's to choose; the output must be used for
    /// this alone.
    pub fn from_exporter(exported: &[u8; SECRET_LEN]) -> Self {
        Self::new(kdf::extract(EXPORTER_SALT, exported))
    }

    pub(crate) fn new(secret: Secret) -> Self {
        let mut id = SecretId::default();
        kdf::expand_label(&secret, label::SECRET_ID, &[], &mut id.0);
        Self { secret, id }
    }

    /// Names the secret on the wire.
    pub fn id(&self) -> SecretId {
        self.id
    }

    /// A copy, for keys to keep. Outside of this module there is one of each secret.
    pub(super) fn duplicate(&self) -> Self {
        Self { secret: self.secret.clone(), id: self.id }
    }

    pub(super) fn secret(&self) -> &Secret {
        &self.secret
    }
}

impl fmt::Debug for PathSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PathSecret").field("id", &self.id).finish_non_exhaustive()
    }
}

const EXPORTER_SALT: &[u8] = b"dcquic1 exporter";
