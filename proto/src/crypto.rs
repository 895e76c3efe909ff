//! From a pre-shared key to sealed packets (spec chapter 3).

pub use data_keys::{
    AllocateError, DataKeyError, DataKeys, NotAuthentic, OpeningKey, OpeningKeys, SealRecordError,
    SealingKey,
};
pub use limits::{KeyLimits, KeyLimitsError};
pub use path_secret::PathSecret;
pub use psk::{Psk, PskError};
pub use replay::{ReplayError, ReplayWindow};
pub use seed::{SecretRng, Seed};
pub use suite::{Suite, TAG_LEN};

mod control_key;
mod data_keys;
mod kdf;
mod limits;
mod path_secret;
mod psk;
mod replay;
mod seed;
mod suite;
#[cfg(test)]
mod testing;
