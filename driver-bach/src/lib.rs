//! The Bach simulator as a dcquic driver.
//!
//! [Bach](bach) runs asynchronous tasks in one thread under virtual time: when no task can run,
//! the clock jumps to the next timer. Hosts are task groups with an address each, and UDP sockets
//! between them carry datagrams with a configured latency. This crate puts that network under the
//! core, so that the protocol logic runs in a simulation exactly as it runs over real sockets:
//!
//! - [`BachLink`] is a [`Link`](dcquic_proto::link::Link) over one Bach UDP socket.
//! - [`clock`] is the virtual time as the core's [`Timestamp`](dcquic_proto::time::Timestamp), and
//!   [`sleep_until`] waits for one.
//!
//! Beside it stands a model of a datacenter network that owes nothing to Bach:
//!
//! - [`net`] has links of constant rate, switches with finite buffers that mark, leaves and spines,
//!   and faults. It is a value without a clock, which Bach or a plain event loop can drive.
//! - [`pcap`] writes what that network transmits as a capture for packet analysers.
//!
//! # How a synchronous link meets asynchronous sockets
//!
//! `Link` never waits, while Bach's sockets can only be polled: their `try_` forms either always
//! refuse (receiving) or hide an unbounded queue (sending). The link therefore polls the socket
//! with a waker of its own. Where Bach answers "not now", `receive` returns what it has and
//! `transmit` leaves the rest queued; when that changes, Bach wakes the link, and the link wakes
//! the task that waits in [`BachLink::wait`]. No helper task and no second queue stand between the
//! socket and the core, so that Bach's own limits, drops and monitors keep their meaning.
//!
//! A driver is then a loop in one task: take a turn, and wait for the link or for the next
//! deadline, whichever comes first.
//!
//! # What the simulated network has, and what it lacks
//!
//! Bach models latency, queues counted in packets, and through its monitors loss, reordering and
//! duplication. It carries ECN bits from end to end. It knows no largest datagram: the link drops
//! what exceeds its [`Settings`], as a real network would. It has no bandwidth, no shared ports
//! and no marking unless the runtime is given network queues that model them.
//!
//! # Determinism
//!
//! The same program gives the same trace of packets and times. Give every runtime a seed: without
//! one, Bach's random choices differ from run to run.
#![forbid(unsafe_code)]

pub mod bach_engine;
pub mod cli;
mod clock;
mod event_queue;
pub mod host;
mod link;
pub mod measure;
pub mod net;
pub mod pcap;
pub mod report;
pub mod scale;
pub mod scenario;
mod signal;
pub mod units;
pub mod workload;

pub use clock::{Clock, clock, sleep_until};
pub use link::{BachLink, Losses, Settings};
