//! libfabric endpoints for dcquic.
//!
//! [`probe()`] says what the fabrics of this machine offer. libfabric is loaded at run time, so the
//! same program runs everywhere and finds out here whether there is an EFA card, one of the
//! software providers, or nothing but UDP.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`mod@probe`] | the question and its typed failures |
//! | [`provider`] | the answer: one value per offer |
//! | `info` | libfabric's own list, owned and read in place; all `unsafe` of the crate |
//!
//! Endpoints, memory registration and remote reads stand on `info`, which keeps libfabric's
//! description of an offer alive for as long as something was opened from it.

mod info;
pub mod probe;
pub mod provider;

pub use probe::{ProbeError, probe, probe_library};
pub use provider::{Capabilities, EndpointType, Provider, Version};
