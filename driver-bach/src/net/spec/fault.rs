//! What happens at set times.

use serde::{Deserialize, Serialize};

/// A fault of the network. It begins at `at_ns` and ends `for_ns` later, or never without that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// A cable is down in both directions, as if unplugged or as if its NIC or port had failed.
    /// What waits to be sent on it and what is on it is lost.
    Down {
        /// When it begins.
        at_ns: u64,
        /// How long it lasts.
        for_ns: Option<u64>,
        /// The cable.
        cable: Cable,
    },
    /// The switches pass nothing between two sets of hosts. What the last switch has passed already
    /// still arrives.
    Partition {
        /// When it begins.
        at_ns: u64,
        /// How long it lasts.
        for_ns: Option<u64>,
        /// One set of hosts.
        left: Vec<u32>,
        /// The other.
        right: Vec<u32>,
    },
    /// One direction of a cable has another rate. Frames that wait when it begins or ends keep
    /// their times. Of several at once, the lowest rate holds.
    Rate {
        /// When it begins.
        at_ns: u64,
        /// How long it lasts.
        for_ns: Option<u64>,
        /// The cable.
        cable: Cable,
        /// Which way.
        direction: Direction,
        /// The rate meanwhile, in bits per second.
        rate_bits_per_sec: u64,
    },
    /// One direction of a cable takes longer, so that the ways there and back differ. Several at
    /// once add up.
    Delay {
        /// When it begins.
        at_ns: u64,
        /// How long it lasts.
        for_ns: Option<u64>,
        /// The cable.
        cable: Cable,
        /// Which way.
        direction: Direction,
        /// What is added to the delay, in nanoseconds.
        extra_delay_ns: u64,
    },
}

impl Fault {
    /// When it begins, and how long it lasts.
    pub(in crate::net) fn span_ns(&self) -> (u64, Option<u64>) {
        match *self {
            Self::Down { at_ns, for_ns, .. }
            | Self::Partition { at_ns, for_ns, .. }
            | Self::Rate { at_ns, for_ns, .. }
            | Self::Delay { at_ns, for_ns, .. } => (at_ns, for_ns),
        }
    }
}

/// A cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Cable {
    /// That of a NIC.
    Nic {
        /// The host.
        host: u32,
        /// Which of its interfaces.
        nic: u32,
    },
    /// That between a leaf and a spine.
    Uplink {
        /// The leaf, counted over all rails.
        leaf: u32,
        /// The spine.
        spine: u32,
    },
}

/// One of the two directions of a cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Away from the hosts: NIC to switch, leaf to spine.
    Up,
    /// Towards the hosts: switch to NIC, spine to leaf.
    Down,
}

/// A fault of a host. The engine carries it out; the network knows nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostFault {
    /// The host.
    pub host: u32,
    /// When it happens.
    pub at_ns: u64,
    /// What happens.
    pub kind: HostFaultKind,
}

/// What happens to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum HostFaultKind {
    /// It does nothing for a while, and then goes on where it was.
    Pause {
        /// How long.
        for_ns: u64,
    },
    /// It ends without a word, and never comes back.
    Crash,
    /// It ends without a word, and starts afresh a while later.
    Restart {
        /// How much later.
        after_ns: u64,
    },
}
