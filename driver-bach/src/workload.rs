//! Who sends what to whom, and when.

use crate::net::{NicId, Picos};

/// One message of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// When the application starts it, from the start of the workload.
    pub at: Picos,
    /// The sender.
    pub from: NicId,
    /// The receiver.
    pub to: NicId,
    /// Bytes of payload, at least 1.
    pub size: u64,
    /// Urgency from 0 (most) to 7 (least).
    pub priority: u8,
}
