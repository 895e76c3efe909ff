//! HKDF-SHA256 (RFC 5869) with one labelled form of input for every derivation.

use aws_lc_rs::{
    digest,
    hkdf::{HKDF_SHA256, KeyType, Prk},
    hmac,
};
use zeroize::Zeroizing;

/// Length of every secret that keys are derived from.
pub(crate) const SECRET_LEN: usize = 32;

/// [SEC-4] A 32-byte secret, wiped when dropped. Types that hold one write their own `Debug`.
pub(crate) type Secret = Zeroizing<[u8; SECRET_LEN]>;

/// Every label that ends up in a derivation, in one place so that no two purposes share one.
///
/// [SEC-3] Each purpose has a label of its own.
pub(crate) mod label {
    pub(crate) const PSK_ID: &str = "psk id";
    pub(crate) const PSK_PATH: &str = "psk path";
    pub(crate) const HELLO_INIT: &str = "hello init";
    pub(crate) const HELLO_REPLY: &str = "hello reply";
    pub(crate) const PATH_SECRET: &str = "path secret";
    pub(crate) const SECRET_ID: &str = "secret id";
    pub(crate) const CONTROL_KEY: &str = "control key";
    pub(crate) const CONTROL_IV: &str = "control iv";
    pub(crate) const SECRET_CONTROL: &str = "secret control";
    pub(crate) const UNKNOWN_SECRET: &str = "unknown secret";
    pub(crate) const GENERATOR: &str = "generator";
}

/// HKDF-Extract.
pub(crate) fn extract(salt: &[u8], input: &[u8]) -> Secret {
    let key = hmac::Key::new(hmac::HMAC_SHA256, salt);
    let mut out = Secret::default();
    out.copy_from_slice(hmac::sign(&key, input).as_ref());
    out
}

/// HKDF-Expand with the info of TLS 1.3's HKDF-Expand-Label (RFC 8446, section 7.1), under a prefix
/// of our own. Every part is preceded by its length, so two different inputs never coincide.
///
/// # Panics
/// If `out` is longer than 8,160 bytes, or `label` or `context` longer than 245 and 255.
pub(crate) fn expand_label(secret: &[u8; SECRET_LEN], label: &str, context: &[u8], out: &mut [u8]) {
    let out_len = u16::try_from(out.len()).expect("an output is a key, not a stream");
    let label_len = u8::try_from(PREFIX.len() + label.len()).expect("a label is short");
    let context_len = u8::try_from(context.len()).expect("a context is short");
    let info = [
        &out_len.to_be_bytes()[..],
        &[label_len],
        PREFIX.as_bytes(),
        label.as_bytes(),
        &[context_len],
        context,
    ];
    expand(secret, &info, out);
}

/// HKDF-Expand over the concatenation of `info`.
fn expand(secret: &[u8; SECRET_LEN], info: &[&[u8]], out: &mut [u8]) {
    Prk::new_less_safe(HKDF_SHA256, secret)
        .expand(info, Length(out.len()))
        .and_then(|okm| okm.fill(out))
        .expect("the length is within HKDF's limit");
}

/// [`expand_label`] to another secret.
pub(crate) fn derive_secret(secret: &[u8; SECRET_LEN], label: &str, context: &[u8]) -> Secret {
    let mut out = Secret::default();
    expand_label(secret, label, context, &mut *out);
    out
}

/// SHA-256 over the concatenation of `parts`, each of a length that both sides know.
pub(crate) fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// HMAC-SHA256 over the concatenation of `parts`.
pub(crate) fn mac(key: &[u8; SECRET_LEN], parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.sign().as_ref());
    out
}

#[derive(Clone, Copy)]
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// Opens every label on the wire of the derivation, and names the version of this schedule.
const PREFIX: &str = "dcquic1 ";

#[cfg(test)]
mod tests;
