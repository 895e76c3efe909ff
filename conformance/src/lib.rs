//! Test vectors of the dcquic protocol and their runner.
//!
//! - [`vector`]: a file of vectors and its entries.
//! - [`suite`]: what an entry of each kind means, and how this implementation answers.
//! - [`wire`]: vectors of packets and frames.
//! - [`runner`]: finds files and runs them.
//! - [`report`]: what came out.
//! - [`hostile`]: inputs to hurt a decoder, for the fuzz tests.
//!
//! The program `dcquic-conformance` puts them together; `README.md` describes the format.

pub mod crypto;
pub mod hostile;
pub mod report;
pub mod runner;
pub mod suite;
pub mod vector;
pub mod wire;
