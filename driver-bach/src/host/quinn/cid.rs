//! Connection ids from a seed: quinn would otherwise draw them from the operating system.

use core::time::Duration;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use dcquic_proto::rng::Jitter;
use quinn_proto::{ConnectionId, ConnectionIdGenerator};

/// Length of the ids that a host issues; quinn's own default.
const CID_LEN: usize = 8;

/// Issues the ids of one host.
pub(super) struct SeededCids {
    rng: Jitter,
}

impl SeededCids {
    pub(super) fn new(seed: u64) -> Self {
        Self { rng: Jitter::new(seed) }
    }
}

impl ConnectionIdGenerator for SeededCids {
    fn generate_cid(&mut self) -> ConnectionId {
        ConnectionId::new(&self.rng.next_u64().to_be_bytes())
    }

    fn cid_len(&self) -> usize {
        CID_LEN
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

/// Makes the ids that a client invents for a server it does not know yet.
///
/// A server tells clients apart by them, so `seed` must differ between hosts.
pub(super) fn first_cids(seed: u64) -> Arc<dyn Fn() -> ConnectionId + Send + Sync> {
    let issued = AtomicU64::new(0);
    Arc::new(move || {
        // the golden ratio keeps the streams of numbers of consecutive ids apart
        let count = issued.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut rng = Jitter::new(seed ^ count.rotate_left(32));
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&rng.next_u64().to_be_bytes());
        bytes[8..].copy_from_slice(&rng.next_u64().to_be_bytes());
        ConnectionId::new(&bytes)
    })
}
