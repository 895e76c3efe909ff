//! The usual way to shed load.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Acceptor, Announcement, Decision, Load, methods::name_of};
use crate::id::{Priority, Status};

/// Queues calls within bounds and rejects the rest, the least urgent first.
///
/// A call whose request is longer than its method admits is rejected as [`Status::TOO_LARGE`].
/// As memory fills, priorities drop out one by one, as [`Status::OVERLOADED`]: the least urgent at
/// 9/16 of what there is, the most urgent when there is none. When the queue is full, a call takes
/// the place of a less urgent one (see [`Acceptor::max_queued`]).
///
/// ```no_run
/// # use dcquic_proto::pool::{AcceptorInstalled, LoadShedding, Pool};
/// # fn example(pool: Pool) -> Result<(), AcceptorInstalled> {
/// let shedding = LoadShedding { max_unanswered: 64, ..LoadShedding::default() };
/// pool.set_acceptor(shedding.max_size("put", 1 << 30).max_size("ping", 0))
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadShedding {
    /// Calls that are worked on at once; more are queued. At least 1.
    pub max_unanswered: usize,
    /// Calls that are queued, at most.
    pub max_queued: usize,
    /// Longest request in bytes, of methods without a bound of their own.
    pub max_request: u64,
    /// Longest request in bytes of methods that have such a bound, by name.
    pub max_request_of: BTreeMap<Bytes, u64>,
}

impl Default for LoadShedding {
    /// 1,024 at once, 4,096 queued, requests of any size.
    fn default() -> Self {
        Self {
            max_unanswered: 1_024,
            max_queued: 4_096,
            max_request: u64::MAX,
            max_request_of: BTreeMap::new(),
        }
    }
}

impl LoadShedding {
    /// Bounds the requests of one method, named as in [`Methods`](super::Methods), in bytes.
    #[must_use]
    pub fn max_size(mut self, method: &str, bytes: u64) -> Self {
        self.max_request_of.insert(Bytes::copy_from_slice(method.as_bytes()), bytes);
        self
    }
}

impl Acceptor for LoadShedding {
    fn decide(&self, call: &Announcement<'_>, load: &Load) -> Decision {
        let limit =
            self.max_request_of.get(name_of(&call.offer.metadata)).unwrap_or(&self.max_request);
        if call.offer.size > *limit {
            return Decision::Reject(Status::TOO_LARGE);
        }
        if load.receive_memory >= share(load.receive_memory_limit, call.offer.priority) {
            return Decision::Reject(Status::OVERLOADED);
        }
        Decision::Queue
    }

    fn max_unanswered(&self) -> usize {
        self.max_unanswered.max(1)
    }

    fn max_queued(&self) -> usize {
        self.max_queued
    }
}

/// What of a bound calls of a priority may fill.
const fn share(bound: u64, priority: Priority) -> u64 {
    let parts = 2 * Priority::LEVELS as u128;
    (bound as u128 * (parts - priority.level() as u128) / parts) as u64
}

#[cfg(test)]
mod tests;
