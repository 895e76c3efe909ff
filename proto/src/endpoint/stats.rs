//! Counters of an endpoint.

use core::time::Duration;

use crate::id::Priority;

/// Why a datagram or a frame had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum DropReason {
    /// It does not decode.
    Malformed,
    /// Its first byte names no packet type.
    UnknownType,
    /// No peer has this path secret id.
    UnknownSecret,
    /// Its tag is wrong.
    NotAuthentic,
    /// Its packet number was seen before.
    Replayed,
    /// Its packet number is older than the replay window.
    TooOld,
    /// Its key epoch is not accepted.
    UnknownEpoch,
    /// A hello with another key, a wrong MAC, or one of our own.
    BadHello,
    /// A hello that finds a limit reached.
    HelloLimit,
    /// A frame names a transfer or stream that does not exist (any more).
    UnknownTransfer,
    /// A frame breaks a rule of the protocol.
    Violation,
    /// A record did not open: its bytes were altered on the way.
    CorruptRecord,
    /// A limit refuses it.
    Limit,
    /// A message came before the one that opens its stream; it is announced again.
    Early,
}

impl DropReason {
    /// Number of reasons.
    pub const COUNT: usize = 14;

    /// Every reason, in order.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Malformed,
        Self::UnknownType,
        Self::UnknownSecret,
        Self::NotAuthentic,
        Self::Replayed,
        Self::TooOld,
        Self::UnknownEpoch,
        Self::BadHello,
        Self::HelloLimit,
        Self::UnknownTransfer,
        Self::Violation,
        Self::CorruptRecord,
        Self::Limit,
        Self::Early,
    ];
}

/// What an endpoint has done since it was made. All counts only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Datagrams received.
    pub datagrams_received: u64,
    /// Bytes of datagrams received.
    pub bytes_received: u64,
    /// Datagrams handed to the link.
    pub datagrams_sent: u64,
    /// Bytes of datagrams handed to the link.
    pub bytes_sent: u64,
    /// Payload bytes handed to the link: inline bodies and plaintext lengths of record slices.
    pub payload_bytes_sent: u64,
    /// Of those, sent again.
    pub retransmitted_bytes: u64,
    /// Payload bytes received for the first time.
    pub payload_bytes_delivered: u64,
    /// Payload bytes received again.
    pub duplicate_bytes: u64,
    /// Ranges asked for again, in bytes.
    pub repulled_bytes: u64,
    /// Of those, what arrived from the first time after all, in bytes.
    pub spurious_repull_bytes: u64,
    /// Payload bytes of announced messages that came before they were asked for.
    pub unscheduled_bytes: u64,
    /// Times that a sender was found to owe what it was asked for, and others got its credit.
    pub stalls: u64,
    /// Times that nothing at all got through to a peer for so long that its window was cut down.
    pub persistent_congestion: u64,
    /// Datagrams received that had met congestion (CE).
    pub ce_received: u64,
    /// Notifies sent again.
    pub notifies_repeated: u64,
    /// Streams opened here.
    pub streams_opened: u64,
    /// Streams closed, opened by either side.
    pub streams_closed: u64,
    /// Hellos sent, repeats included.
    pub hellos_sent: u64,
    /// Records that did not open.
    pub corrupt_records: u64,
    /// How long messages waited to be announced, by the level of their priority: from when they
    /// were handed over to their first notify. They wait for the hello, for credit, for the
    /// grant, and for others that go first.
    pub notify_waits: [Waits; Priority::LEVELS],
    /// How long calls waited in the rings of a pool, by the level of their priority: from the first
    /// of the worker's turns that found them there and did not come to them. The pool has no clock
    /// of its own, so that a call that the next turn takes waited for no time. An endpoint without
    /// a pool has none.
    pub ring_waits: [Waits; Priority::LEVELS],
    /// Messages given up because the peer, though heard, left them unanswered.
    pub messages_given_up: u64,
    /// Probes sent to see whether a peer is there.
    pub probes_sent: u64,
    /// Of those, not answered in time.
    pub probes_unanswered: u64,
    /// Reports of the network that a peer is unreachable which were acted on.
    pub unreachable_reports: u64,
    /// Peers that became healthy again.
    pub became_healthy: u64,
    /// Times that a peer became degraded.
    pub became_degraded: u64,
    /// Times that a peer began to be probed.
    pub became_probing: u64,
    /// Times that a peer failed after it had been connected.
    pub became_failed: u64,
    /// Drops, by [`DropReason`].
    pub drops: [u64; DropReason::COUNT],
}

impl Stats {
    /// Drops for one reason.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.drops[reason as usize]
    }

    pub(crate) fn drop_for(&mut self, reason: DropReason) {
        self.drops[reason as usize] += 1;
    }
}

/// How long things waited, of those that wait no longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// How many there were.
    pub count: u64,
    /// What they waited in all, in nanoseconds.
    pub total_ns: u64,
    /// What the one waited that waited longest, in nanoseconds.
    pub longest_ns: u64,
}

impl Waits {
    /// Notes that one waited for so long.
    pub(crate) fn note(&mut self, waited: Duration) {
        let nanos = waited.as_nanos() as u64;
        self.count += 1;
        self.total_ns = self.total_ns.saturating_add(nanos);
        self.longest_ns = self.longest_ns.max(nanos);
    }
}

/// What an endpoint holds at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Peers, greeting or connected.
    pub peers: usize,
    /// Hellos answered and not confirmed.
    pub pending_hellos: usize,
    /// Streams, opened by either side.
    pub streams: usize,
    /// Messages being sent.
    pub sending: usize,
    /// Messages being received.
    pub receiving: usize,
    /// Closes not acknowledged, by peers that have not failed.
    pub closing: usize,
    /// Bytes pulled but not arrived.
    pub pull_outstanding: u64,
    /// Bytes of messages being assembled in memory.
    pub receive_memory: u64,
    /// Bytes of sealed records not acknowledged.
    pub send_memory: u64,
    /// Messages that wait to be announced for the first time, by the level of their priority.
    pub waiting_notifies: [usize; Priority::LEVELS],
    /// Timers armed.
    pub timers: usize,
}
