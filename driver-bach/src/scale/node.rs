//! A host as the engine sees it.

use crate::{
    host::Host,
    net::{Frame, Picos},
};

/// A host, what has arrived for it, and when it wants to be called.
pub(super) struct Node {
    pub(super) host: Box<dyn Host>,
    /// Arrived and not handed over yet.
    pub(super) inbox: Vec<Frame>,
    /// The timer event that counts; others are stale.
    pub(super) wake: Option<Picos>,
    /// A room event is under way.
    pub(super) waits_for_room: bool,
    /// Something happened at this instant.
    pub(super) touched: bool,
    /// It does nothing until it resumes.
    pub(super) paused: bool,
    /// It is not there.
    pub(super) crashed: bool,
    /// How often it was made afresh.
    pub(super) incarnation: u32,
}

impl Node {
    pub(super) fn new(host: Box<dyn Host>) -> Self {
        Self {
            host,
            inbox: Vec::new(),
            wake: None,
            waits_for_room: false,
            touched: false,
            paused: false,
            crashed: false,
            incarnation: 0,
        }
    }
}
