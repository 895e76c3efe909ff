//! Who decides what becomes of a call when it is announced.

use core::net::SocketAddr;

use super::mailbox::Announced;
use crate::{
    endpoint::Offer,
    id::{Incarnation, Status},
};

/// Decides on calls as they are announced, before their requests are pulled.
///
/// It runs on the worker's thread, once per call, between two packets: it must return at once.
/// What it needs to look up has to be at hand, and a panic ends the worker.
///
/// Closures decide too, with the default bounds:
///
/// ```no_run
/// # use dcquic_proto::{id::Status, pool::{Announcement, Decision, Load, Pool}};
/// # fn example(pool: Pool) {
/// let installed = pool.set_acceptor(|call: &Announcement<'_>, load: &Load| {
///     if call.offer.size > 1 << 20 && load.receive_memory > load.receive_memory_limit / 2 {
///         Decision::Reject(Status::OVERLOADED)
///     } else {
///         Decision::Queue
///     }
/// });
/// assert!(installed.is_ok());
/// # }
/// ```
pub trait Acceptor: Send + Sync + 'static {
    /// What becomes of a call.
    fn decide(&self, call: &Announcement<'_>, load: &Load) -> Decision;

    /// Calls that are accepted and unanswered from which on queued ones wait, at least 1. Those
    /// that [`Decision::Accept`] lets pass count, but do not wait.
    fn max_unanswered(&self) -> usize {
        1_024
    }

    /// Calls that are queued, at most. One more takes the place of the latest of a less urgent
    /// priority, which is rejected as [`Status::OVERLOADED`]; if there is none, it is itself.
    fn max_queued(&self) -> usize {
        4_096
    }
}

impl<F> Acceptor for F
where
    F: Fn(&Announcement<'_>, &Load) -> Decision + Send + Sync + 'static,
{
    fn decide(&self, call: &Announcement<'_>, load: &Load) -> Decision {
        self(call, load)
    }
}

/// What becomes of an announced call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It goes to [`Pool::accept`](super::Pool::accept) now.
    Accept,
    /// It goes there when fewer than [`Acceptor::max_unanswered`] calls are unanswered and it is
    /// its turn by priority. Until then its request is not pulled.
    Queue,
    /// It is closed with this status, and the application does not see it.
    Reject(Status),
}

/// A call as its announcement describes it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Announcement<'a> {
    /// Where the caller is.
    pub remote: SocketAddr,
    /// Which life of the caller this is.
    pub incarnation: Incarnation,
    /// What the caller says of the call.
    pub offer: &'a Offer,
}

impl<'a> Announcement<'a> {
    pub(crate) const fn of(announced: &'a Announced) -> Self {
        let Announced { remote, incarnation, offer, .. } = announced;
        Self { remote: *remote, incarnation: *incarnation, offer }
    }
}

/// What the worker has to do already. Calls from before the acceptor was installed do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Calls that are queued.
    pub queued: usize,
    /// Calls that were accepted, and neither answered nor ended. One is answered when its only
    /// response was handed to the worker; one whose response is written piece by piece, or that has
    /// many, when it ended.
    pub unanswered: usize,
    /// Bytes of messages in memory that the application has not taken.
    pub receive_memory: u64,
    /// Bytes that this may grow to.
    pub receive_memory_limit: u64,
}

/// An acceptor was installed before; it stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pool has an acceptor already")]
pub struct AcceptorInstalled;
