//! What happens in a run.

use crate::net::Step;

/// Something that happens at a time.
#[derive(Debug)]
pub(super) enum Happening {
    /// A frame gets further in the network.
    Network(Step),
    /// A host's timer is due.
    Wake(u32),
    /// A NIC has room again.
    Room(u32),
    /// The application starts the next transfers of the workload.
    Start,
    /// A session is to be begun: from, to.
    Connect(u32, u32),
    /// The network's faults of this moment begin or end.
    Faults,
    /// A host's fault of this index begins.
    HostFault(u32),
    /// A paused host goes on.
    Resume(u32),
    /// A crashed host starts afresh.
    Rise(u32),
    /// The application tries a transfer again: which, and for which time.
    Retry(u32, u32),
    /// The hot port's queue is looked at.
    Sample,
}
