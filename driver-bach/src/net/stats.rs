//! What the network counts.

use core::ops::AddAssign;

use serde::{Deserialize, Serialize};

use super::Picos;

/// Frames, and the bytes that they occupy on a wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Number of frames.
    pub frames: u64,
    /// Their bytes on a wire.
    pub bytes: u64,
}

impl AddAssign<u64> for Count {
    /// Adds one frame of so many bytes.
    fn add_assign(&mut self, bytes: u64) {
        self.frames += 1;
        self.bytes += bytes;
    }
}

/// Frames that did not arrive, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drops {
    /// No room in the buffer of a switch.
    pub buffer: u64,
    /// Lost at random, independently of each other.
    pub random: u64,
    /// Lost at random, in bursts.
    pub burst: u64,
    /// The link was down, or went down with the frame on it.
    pub link_down: u64,
    /// A partition separated sender and receiver.
    pub partition: u64,
    /// Larger than the MTU.
    pub oversized: u64,
    /// No interface has the destination address.
    pub unroutable: u64,
}

impl Drops {
    /// All of them.
    pub fn total(&self) -> u64 {
        let Self { buffer, random, burst, link_down, partition, oversized, unroutable } = *self;
        buffer + random + burst + link_down + partition + oversized + unroutable
    }
}

/// Totals of the network. Without frames on their way, what was sent and duplicated equals what
/// was delivered and dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetStats {
    /// Handed to the NICs by hosts.
    pub sent: Count,
    /// Handed to hosts.
    pub delivered: Count,
    /// Dropped on the way.
    pub drops: Drops,
    /// Marked with congestion experienced; a frame counts at each port that would mark it.
    pub marked: u64,
    /// Copies made.
    pub duplicated: u64,
    /// Held back so that later ones overtake.
    pub reordered: u64,
    /// Delivered with a byte changed.
    pub corrupted: u64,
}

/// What one port of a switch did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortStats {
    /// Taken into the queue, to be sent.
    pub forwarded: Count,
    /// Refused for want of room.
    pub dropped: Count,
    /// Marked with congestion experienced.
    pub marked: u64,
    /// The most bytes that waited at once, the frame in transmission included.
    pub max_queue_bytes: u64,
    /// Time that sending took, and will take for what still waits.
    pub busy: Picos,
}
