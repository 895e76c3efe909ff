//! UDP on mio: sockets, worker threads and the `dcquic` command.
//!
//! [`link`] moves batches of datagrams through a socket, [`runtime`] runs a worker thread over it
//! and hands out the [`Pool`](dcquic_proto::pool::Pool), [`clock`] is where time comes from.

pub mod clock;
mod file_sink;
pub mod link;
pub mod runtime;

pub use clock::Clock;
pub use file_sink::FileSink;
pub use link::{LinkConfig, LinkError, UdpLink};
pub use runtime::{PollMode, Runtime, RuntimeConfig, RuntimeError};

/// The guide's examples compile.
#[cfg(doctest)]
#[doc = include_str!("../../docs/patterns.md")]
struct Guide;
