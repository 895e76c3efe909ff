//! Secret randomness from a seed that the process drew once from its operating system.

use core::fmt;

use zeroize::{Zeroize, Zeroizing};

use super::kdf::{self, Secret, label};

/// 32 bytes from the operating system, drawn anew by every process.
///
/// [SEC-2] All secret randomness of an endpoint comes from here: with the same seed and inputs it
/// does the same again, which tests want and nothing else may.
pub struct Seed(Secret);

impl Seed {
    /// Takes over a seed. The caller wipes its own copy.
    pub fn from_bytes(bytes: [u8; kdf::SECRET_LEN]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(redacted)")
    }
}

/// A generator of secret bytes: deterministic, and unable to run backwards.
///
/// Each [`Self::fill`] expands the present key with HMAC-SHA256 and then replaces it, so what was
/// drawn cannot be recovered from the generator afterwards.
pub struct SecretRng {
    key: Secret,
}

impl SecretRng {
    /// The generator of `seed` for one purpose. Generators with different labels are independent;
    /// two with the same seed and label give the same bytes, so a process makes each only once.
    pub fn new(seed: &Seed, label: &str) -> Self {
        let extracted = kdf::extract(SALT, &*seed.0);
        let purpose = kdf::hash(&[label.as_bytes()]);
        Self { key: kdf::derive_secret(&extracted, label::GENERATOR, &purpose) }
    }

    /// Fills `out` with bytes that nobody without the seed can guess.
    pub fn fill(&mut self, out: &mut [u8]) {
        for (counter, chunk) in (0_u64..).zip(out.chunks_mut(kdf::SECRET_LEN)) {
            let mut block =
                Zeroizing::new(kdf::mac(&self.key, &[&[OUTPUT], &counter.to_be_bytes()]));
            chunk.copy_from_slice(&block[..chunk.len()]);
            block.zeroize();
        }
        self.key = Zeroizing::new(kdf::mac(&self.key, &[&[NEXT_KEY]]));
    }

    /// A fresh array.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }
}

impl fmt::Debug for SecretRng {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretRng(redacted)")
    }
}

const SALT: &[u8] = b"dcquic1 seed";
const OUTPUT: u8 = 0;
const NEXT_KEY: u8 = 1;

#[cfg(test)]
mod tests;
