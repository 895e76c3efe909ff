//! The few libfabric declarations that dcquic uses, loaded at run time.
//!
//! libfabric is opened with `dlopen`, never linked: a program built with this crate starts on a
//! machine without libfabric and learns from [`Library::open_system`] that it is missing.
//!
//! - [`types`]: structures, constants and function types, named and laid out as in
//!   `rdma/fabric.h`. Attribute structures are *prefixes*: libfabric only ever appends fields, and
//!   dcquic only ever reads and writes them behind pointers that libfabric allocated.
//! - [`Library`]: the loaded functions.
//!
//! `tests/layout.rs` compares sizes, offsets and constants with the headers of the system.

pub mod library;
pub mod types;

pub use library::{Library, LoadError};
