//! The pure core of dcquic: an encrypted, receiver-driven message transport for datacenters.
//!
//! Nothing in this crate reads a clock, opens a socket, starts a thread or draws randomness of its
//! own: packets, commands and timestamps go in, transmissions and events come out, and the same
//! inputs always give the same bytes. From the bottom up:
//!
//! - [`time`], [`id`], [`ranges`], [`rng`], [`slots`] and [`wheel`] are leaves that take values and
//!   give values back.
//! - [`causality`] says which transfers wait for which, across peers and workers (spec chapter 7).
//! - [`congestion`] decides how much may be in flight on a path and how fast it leaves.
//! - [`wire`] is every packet and frame: encoders that write into the caller's memory, decoders
//!   that borrow from it (spec chapter 2).
//! - [`crypto`] turns a pre-shared key and fresh randomness of both sides into a path secret, and
//!   that into control keys, data keys and replay windows (spec chapter 3).
//! - [`transfer`] is one message on its way: the sender that answers pulls, the receiver that
//!   issues them (spec chapter 4).
//! - [`health`] judges a peer by what comes of dealing with it (spec chapter 9).
//! - [`endpoint`] joins peers, streams, transfers and timers into one state machine.
//! - [`link`] is what a driver implements; [`worker`] is one turn of the loop over a link;
//!   [`pool`] is the handle that applications share.
#![forbid(unsafe_code)]

pub mod causality;
pub mod config;
pub mod congestion;
pub mod crypto;
pub mod endpoint;
mod growth;
pub mod health;
pub mod id;
pub mod link;
mod peer;
pub mod pool;
pub mod ranges;
mod reorder;
pub mod rng;
pub mod rtt;
mod schedule;
pub mod slots;
mod stream;
pub mod time;
pub mod transfer;
pub mod wheel;
pub mod wire;
pub mod worker;
