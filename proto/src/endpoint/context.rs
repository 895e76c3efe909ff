//! What all peers of an endpoint share: limits, timers, memory, keys and the way out.

use std::collections::VecDeque;

use crate::{
    config::Config,
    congestion::{dctcp::PullRate, leaky_bucket::LeakyBucket},
    crypto::{OpeningKeys, SecretRng},
    endpoint::{Event, Stats, WakeReason, memory_queue::MemoryQueue},
    id::{PeerId, StreamId},
    ranges::ByteRange,
    rng::Jitter,
    schedule::{
        credit::PullCredit,
        order::Order,
        unscheduled::{Demand, Unscheduled},
    },
    slots::SlotRef,
    time::Timestamp,
    transfer::{inline_arena::Arena, record_pool::RecordPool},
    wheel::{TimerToken, Wheel},
    wire::frame::Accepted,
};

/// The endpoint's state that is not one peer's own.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) wheel: Wheel<Timer>,
    pub(crate) events: VecDeque<Event>,
    pub(crate) stats: Stats,
    pub(crate) jitter: Jitter,
    /// Seeds the data keys of each peer: whoever holds a data key can read and forge all that is
    /// sealed with it, so no two peers share one [SEC-26].
    pub(crate) key_rng: SecretRng,
    pub(crate) opening_keys: OpeningKeys,
    pub(crate) records: RecordPool,
    pub(crate) arena: Arena,
    /// Peers with control frames to send, each at most once.
    pub(crate) ready: VecDeque<PeerId>,
    /// Incoming transfers that want to pull more.
    pub(crate) pulls: Order,
    /// Outgoing transfers with data to send.
    pub(crate) sends: Order,
    /// What is pulled and has not arrived.
    pub(crate) credit: PullCredit,
    /// When the next pull may be issued.
    pub(crate) pull_pacer: LeakyBucket,
    /// How congestion marks slow the pulls.
    pub(crate) pull_rate: PullRate,
    /// When the next pull or transmission is due that was held back.
    pub(crate) pace_timer: Option<TimerToken>,
    /// What peers may send unasked.
    pub(crate) unscheduled: Unscheduled,
    /// Peers, by slot, that are still to be told of a changed grant.
    pub(crate) refreshing: usize,
    /// Not before this time are they told of the next change.
    pub(crate) refresh_at: Timestamp,
    /// Bytes that may have come of messages that have no place to go to yet.
    pub(crate) early_bytes: u64,
    /// Bytes that receivers have asked for and that were not sent yet.
    pub(crate) held_credit: u64,
    /// Outgoing transfers that wait for room in the memory of sealed records.
    pub(crate) stalled: Vec<(PeerId, SlotRef)>,
    /// Those of them that may try again.
    pub(crate) unstalled: Vec<(PeerId, SlotRef)>,
    /// Reused from packet to packet.
    pub(crate) scratch: Scratch,
    /// Peers that are known.
    pub(crate) peers: usize,
    /// Bytes of messages that are being assembled in memory, or wait for the application in order
    /// of their stream.
    pub(crate) receive_memory: u64,
    /// Messages that wait for room in it.
    pub(crate) memory_queue: MemoryQueue,
    /// Bytes of sealed records that wait for acknowledgement.
    pub(crate) send_memory: u64,
}

/// Lists that are built for one packet and then emptied; once warm they do not allocate.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) accepted: Vec<Accepted>,
    pub(crate) ranges: Vec<ByteRange>,
    pub(crate) notified: Vec<SlotRef>,
}

/// Notifies that a peer may send before our first accept, and is never denied: enough for an
/// ordinary caller, little enough for a thousand of them.
const LEAST_NOTIFY_CREDIT: u64 = 8;

/// What a notify without payload takes on the link, a part of its packet's headers included.
const NOTIFY_LEN: u64 = 128;

impl Context {
    /// Payload bytes that a peer may have on their way unasked.
    pub(crate) fn unscheduled_bytes(&self) -> u64 {
        let most = self.credit.bdp().unwrap_or(self.config.unscheduled_budget);
        self.unscheduled.grant(self.pulls.waiting_short(), most)
    }

    /// A peer announced a message of `size` bytes.
    pub(crate) fn on_announced(&mut self, now: Timestamp, announced: &mut Demand, size: u64) {
        let grant = self.unscheduled_bytes();
        // a longer one never comes unasked
        let size = if size <= self.config.unscheduled_budget { size } else { 0 };
        self.unscheduled.on_announced(now, announced, size, grant, self.credit.delay());
    }

    /// A packet arrived: marks slow the pulls for about a round trip each.
    pub(crate) fn on_arrival(&mut self, now: Timestamp, len: u64, congested: bool) {
        if self.config.link_rate == 0 {
            return;
        }
        let full = self.config.link_rate / 1_000 * u64::from(self.config.pull_rate_permille);
        let marked = if congested { len } else { 0 };
        self.pull_rate.on_arrival(now, self.credit.delay(), len, marked);
        let rate = self.pull_rate.apply(full);
        if rate != self.pull_pacer.rate_bytes_per_sec() {
            self.pull_pacer.set_rate(now, rate);
        }
    }

    /// Wakes the caller when the next pull or transmission is due that was held back.
    pub(crate) fn arm_pace(&mut self, at: Timestamp) {
        if self.pace_timer.is_none() {
            let peer = PeerId { slot: u32::MAX, generation: 0 };
            let timer = Timer { peer, kind: TimerKind::Pace };
            self.pace_timer = Some(self.wheel.insert(at, timer));
        }
    }

    /// Notifies that each peer may send ahead of our accepts: its part of the unscheduled budget.
    pub(crate) fn notify_credit(&self) -> u64 {
        let part = self.config.unscheduled_budget / NOTIFY_LEN / self.peers.max(1) as u64;
        let most = self.config.notify_credit;
        part.clamp(LEAST_NOTIFY_CREDIT.min(most), most)
    }

    /// What a peer is told in the hello, before it is known how many there are.
    pub(crate) fn first_notify_credit(config: &Config) -> u64 {
        config.notify_credit.min(LEAST_NOTIFY_CREDIT)
    }

    /// Memory of sealed records was freed: those who wait for it may try again.
    pub(crate) fn wake_stalled_senders(&mut self) {
        if !self.stalled.is_empty() && self.send_memory < self.config.send_memory {
            self.unstalled.append(&mut self.stalled);
        }
    }

    /// Arms a timer unless its token says that it is armed already.
    pub(crate) fn arm(&mut self, token: &mut Option<TimerToken>, at: Timestamp, timer: Timer) {
        if token.is_none() {
            *token = Some(self.wheel.insert(at, timer));
        }
    }

    /// Cancels a timer if it is armed.
    pub(crate) fn disarm(&mut self, token: &mut Option<TimerToken>) {
        if let Some(token) = token.take() {
            self.wheel.cancel(token);
        }
    }
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timer {
    pub(crate) peer: PeerId,
    pub(crate) kind: TimerKind,
}

/// The timers of a peer and of its transfers.
///
/// Timers are re-armed lazily: what postpones a deadline does not touch the wheel; the handler
/// finds the deadline moved and arms again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimerKind {
    /// Repeat the hello, or give up.
    Hello,
    /// Send the acknowledgements that were held back.
    Acknowledge,
    /// Repeat notifies that were not accepted.
    Notify,
    /// Repeat closes that were not acknowledged.
    Close,
    /// Ask a silent peer for a sign of life, or forget it.
    Idle,
    /// Pull again what did not arrive, of one incoming transfer.
    Pull(SlotRef),
    /// Stop counting on what a silent sender was asked for.
    Credit,
    /// Send data that waited for its time of departure.
    Departure,
    /// Pull or send what was held back. The endpoint's own, not a peer's.
    Pace,
    /// Ask what became of an outgoing transfer of which nothing was heard.
    Quiet(SlotRef),
    /// Ask for the credit of a stream whose sender waits for it.
    Blocked(StreamId),
    /// Close a stream whose time is up.
    Deadline(StreamId),
}

impl TimerKind {
    /// The reason to give the caller.
    pub(crate) const fn reason(self) -> WakeReason {
        match self {
            Self::Hello => WakeReason::Hello,
            Self::Acknowledge => WakeReason::Acknowledge,
            Self::Notify | Self::Quiet(_) => WakeReason::Notify,
            Self::Close => WakeReason::Close,
            Self::Idle => WakeReason::Idle,
            Self::Pull(_) | Self::Credit => WakeReason::Pull,
            Self::Pace | Self::Departure => WakeReason::Pace,
            Self::Blocked(_) => WakeReason::Credit,
            Self::Deadline(_) => WakeReason::Deadline,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_stays_small() {
        // a million of them may be armed
        assert!(size_of::<Timer>() <= 24, "{}", size_of::<Timer>());
    }
}
