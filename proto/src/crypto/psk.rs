//! The pre-shared key that two peers recognise each other by.

use core::fmt;

use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use super::kdf::{self, Secret, label};

/// A key that both peers were given out of band.
///
/// It authenticates hellos and enters path secrets, but never keys a packet by itself.
pub struct Psk {
    bytes: Secret,
    extracted: Secret,
}

impl Psk {
    /// Length of the key in bytes.
    pub const LEN: usize = kdf::SECRET_LEN;

    /// Takes over a key. The caller wipes its own copy.
    pub fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        let bytes = Zeroizing::new(bytes);
        let extracted = kdf::extract(SALT, &*bytes);
        Self { bytes, extracted }
    }

    /// Names the key in a hello; derived from it, and safe to show.
    pub fn id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        kdf::expand_label(&self.extracted, label::PSK_ID, &[], &mut id);
        id
    }

    /// Reads the text form, a single line as [`Self::to_text`] writes it.
    ///
    /// Whitespace around the line and capital hexadecimal digits are accepted.
    ///
    /// # Errors
    /// The text is not a key of this version.
    pub fn parse(text: &str) -> Result<Self, PskError> {
        let digits = text.trim().strip_prefix(TEXT_PREFIX).ok_or(PskError::Prefix)?;
        if digits.len() != 2 * Self::LEN {
            return Err(PskError::Length);
        }
        let mut bytes = Secret::default();
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
        }
        Ok(Self::from_bytes(*bytes))
    }

    /// The text form: `dcquic-psk-1:`, 64 hexadecimal digits and a line feed.
    pub fn to_text(&self) -> Zeroizing<String> {
        // Reserved in full, so that no reallocation leaves part of the key behind.
        let mut text = Zeroizing::new(String::with_capacity(TEXT_PREFIX.len() + 2 * Self::LEN + 1));
        text.push_str(TEXT_PREFIX);
        for byte in self.bytes.iter() {
            for nibble in [byte >> 4, byte & 0xf] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        text.push('\n');
        text
    }

    /// A secret for one purpose, derived from the key.
    pub(crate) fn derive(&self, label: &str) -> Secret {
        kdf::derive_secret(&self.extracted, label, &[])
    }
}

impl fmt::Debug for Psk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Psk(redacted)")
    }
}

impl Drop for Psk {
    fn drop(&mut self) {
        self.bytes.zeroize();
        self.extracted.zeroize();
    }
}

/// Why a text is not a pre-shared key. Never says anything about the digits themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PskError {
    /// The text does not begin with `dcquic-psk-1:`.
    #[error("a pre-shared key begins with \"dcquic-psk-1:\"")]
    Prefix,
    /// There are not exactly 64 digits.
    #[error("a pre-shared key has 64 hexadecimal digits")]
    Length,
    /// Something other than a hexadecimal digit.
    #[error("a pre-shared key holds hexadecimal digits only")]
    Digit,
}

fn hex_digit(digit: u8) -> Result<u8, PskError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(PskError::Digit),
    }
}

const TEXT_PREFIX: &str = "dcquic-psk-1:";
const SALT: &[u8] = b"dcquic1 psk";

#[cfg(test)]
mod tests;
