//! Counters of an endpoint.

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
}

impl DropReason {
    /// Number of reasons.
    pub const COUNT: usize = 13;

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
    /// Timers armed.
    pub timers: usize,
}
