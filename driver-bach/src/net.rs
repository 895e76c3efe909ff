//! A network of links and switches, as a value that two engines drive.
//!
//! A [`Network`] is made from a [`NetworkSpec`] and a seed. It reads no clock and owns no queue of
//! events: [`Network::send`] and [`Network::step`] hand out [`Step`]s, the engine keeps these in
//! order and gives each back when its time has come, and in the end a step yields an [`Arrival`].
//! The same specification, seed and calls give the same result.
//!
//! # What it models
//!
//! - Every NIC and every switch port sends at a constant rate, first in first out. A frame is
//!   forwarded once it has arrived whole. Time is in [picoseconds](Picos), so that the times of
//!   frames are exact.
//! - The NIC takes whatever its host gives it. Its [backlog](Network::nic_backlog) is for the
//!   engine to bound, as an operating system's queue is.
//! - Switch ports drop from the tail when their [buffer](Buffer) is full, and mark ECN-capable
//!   frames above a threshold. The memory is per port, or shared under dynamic thresholds.
//! - Hosts hang on [one switch](Topology::Star) or on [leaves and spines](Topology::LeafSpine),
//!   where the addresses and UDP ports choose the spine.
//! - [By chance](RandomFaults), frames are lost, delayed, doubled or changed; [at set
//!   times](Fault), cables go down, hosts are partitioned, and links become slow.
//!
//! # What it leaves out
//!
//! Switches forward without delay, and no frame is paused or routed anew because of load. NICs have
//! one queue for all that their host sends. Frames below Ethernet's minimum are not padded.

mod chance;
mod fabric;
mod frame;
mod link;
mod memory;
mod network;
mod rate;
mod schedule;
mod spec;
mod stats;
mod time;

pub use frame::{Arrival, ETHERNET_BYTES, Frame, IP_UDP_BYTES, NicId, PortId, Step, Transmitter};
pub use network::{Network, Observer};
pub use spec::{
    Buffer, Cable, Direction, Fault, GilbertElliott, HostFault, HostFaultKind, NetworkSpec,
    RandomFaults, Reordering, SpecError, Topology,
};
pub use stats::{Count, Drops, NetStats, PortStats};
pub use time::Picos;
