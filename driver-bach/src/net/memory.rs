//! The memory of the switches.

use self::pool::Pool;
use super::{
    Buffer, Picos,
    link::{Link, Node},
};

mod pool;

/// The memory of all switches.
#[derive(Clone, Debug)]
pub(super) enum Memory {
    /// So many bytes for each port.
    PerPort(u64),
    /// One pool for each switch.
    Shared(Vec<Pool>),
}

impl Memory {
    /// The memory of so many switches; tells the ports among the links which queues are theirs.
    pub(super) fn new(buffer: Buffer, switches: u32, links: &mut [Link]) -> Self {
        let (bytes, alpha) = match buffer {
            Buffer::PerPort { bytes } => return Self::PerPort(bytes),
            Buffer::Shared { bytes, alpha } => (bytes, alpha),
        };
        let mut pools: Vec<_> = (0..switches).map(|_| Pool::new(bytes, alpha)).collect();
        for link in links {
            if let Node::Switch(switch) = link.from {
                link.queues = pools[switch as usize].add_queues();
            }
        }
        Self::Shared(pools)
    }

    /// Whether a port has room for a frame behind `queue` bytes. NICs always have.
    pub(super) fn admits(&mut self, now: Picos, link: &Link, queue: u64, bytes: u64) -> bool {
        match (self, link.from) {
            (Self::PerPort(limit), Node::Switch(_)) => queue + bytes <= *limit,
            (Self::Shared(pools), Node::Switch(switch)) => {
                pools[switch as usize].admits(now, queue, bytes)
            }
            (_, Node::Nic) => true,
        }
    }

    /// Holds a frame until its last bit has left.
    pub(super) fn hold(&mut self, link: &Link, first: bool, until: Picos, bytes: u64) {
        if let (Self::Shared(pools), Node::Switch(switch)) = (self, link.from) {
            pools[switch as usize].hold(link.queues + u32::from(first), until, bytes);
        }
    }

    /// Frees all that a port holds.
    pub(super) fn flush(&mut self, link: &Link) {
        if let (Self::Shared(pools), Node::Switch(switch)) = (self, link.from) {
            pools[switch as usize].flush(link.queues);
            pools[switch as usize].flush(link.queues + 1);
        }
    }
}
