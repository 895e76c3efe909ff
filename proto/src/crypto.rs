//! From a pre-shared key to sealed packets (spec chapter 3).
//!
//! - [`Psk`] and [`Seed`] are what an endpoint starts from; [`SecretRng`] is its only source of
//!   secret bytes.
//! - [`HelloInitiator`] and [`hello_respond`] make a [`PathSecret`] of the key and fresh randomness
//!   of both sides. [`PathSecret::from_exporter`] makes one of a TLS handshake instead; nothing
//!   after it can tell.
//! - [`PathKeys`] seals and opens packets: it owns the packet numbers, the epochs and the replay
//!   windows, so that no caller can use a nonce twice or accept a packet twice.
//! - [`DataKeys`] and [`OpeningKeys`] seal and open the payload, record by record.
//! - [`SecretControlKeys`] and [`UnknownSecretTokens`] authenticate packets about keys themselves.
//!
//! Nothing here keeps time, retransmits or decides what a packet means.

pub use data_keys::{
    AllocateError, DataKeyError, DataKeys, NotAuthentic, OpeningKey, OpeningKeys, SealRecordError,
    SealingKey,
};
pub use hello::{
    HelloError, HelloInitiator, HelloOutcome, hello_echo, hello_observe, hello_random,
    hello_respond,
};
pub use limits::{KeyLimits, KeyLimitsError};
pub use path_keys::{DataFields, OpenError, OpenedControl, OpenedData, PathKeys, SealError};
pub use path_secret::PathSecret;
pub use psk::{Psk, PskError};
pub use replay::{ReplayError, ReplayWindow};
pub use secret_control::{SecretControlKeys, UnknownSecretTokens};
pub use seed::{SecretRng, Seed};
pub use suite::{Suite, TAG_LEN};

mod control_key;
mod data_keys;
mod hello;
mod kdf;
mod limits;
mod path_keys;
mod path_secret;
mod psk;
mod replay;
mod secret_control;
mod seed;
mod suite;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
