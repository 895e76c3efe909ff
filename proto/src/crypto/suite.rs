//! The AEAD algorithms that packets and records are sealed with.

use aws_lc_rs::aead;

/// Which AES-GCM variant keys are made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Suite {
    /// AES-128-GCM.
    #[default]
    Aes128Gcm,
    /// AES-256-GCM.
    Aes256Gcm,
}

impl Suite {
    /// Length of a key in bytes.
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm => 32,
        }
    }

    /// The suite whose keys have `len` bytes. A data key on the wire names its suite this way.
    pub const fn from_key_len(len: usize) -> Option<Self> {
        match len {
            16 => Some(Self::Aes128Gcm),
            32 => Some(Self::Aes256Gcm),
            _ => None,
        }
    }

    /// The number that enters key derivation.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Aes128Gcm => 1,
            Self::Aes256Gcm => 2,
        }
    }

    const fn algorithm(self) -> &'static aead::Algorithm {
        match self {
            Self::Aes128Gcm => &aead::AES_128_GCM,
            Self::Aes256Gcm => &aead::AES_256_GCM,
        }
    }

    /// Expands a key for repeated use.
    ///
    /// # Panics
    /// If `key` does not have [`Self::key_len`] bytes.
    pub(crate) fn expand_key(self, key: &[u8]) -> aead::LessSafeKey {
        let key = aead::UnboundKey::new(self.algorithm(), key);
        aead::LessSafeKey::new(key.expect("the key has the length its suite asks for"))
    }
}

/// Length of every authentication tag.
pub const TAG_LEN: usize = 16;

/// Length of every nonce.
pub(crate) const NONCE_LEN: usize = 12;
