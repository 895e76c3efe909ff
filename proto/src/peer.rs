//! One peer: its keys, streams, transfers and what waits to be sent to it.
//!
//! The work is split by duty: [`hello`] until keys exist, [`notify`] says what is announced next,
//! [`outgoing`] seals and frees, [`seen`] knows what became of the peer's messages, [`admission`]
//! takes or refuses them, [`pulling`] asks for their bytes, [`incoming`] puts them together,
//! [`congestion`] says how fast data leaves, [`streams`], [`messages`] and [`causes`] turn all of
//! it into calls, [`packets`] and [`data`] write what leaves, [`timers`] keeps every state moving,
//! and [`health`] judges the peer by what comes of it.

mod admission;
mod causes;
mod congestion;
mod data;
mod early;
mod health;
mod hello;
mod incoming;
mod messages;
mod notify;
mod outgoing;
mod packets;
mod pulling;
mod seen;
mod streams;
mod timers;
mod unscheduled;

use core::net::SocketAddr;
use std::collections::VecDeque;

use early::EarlyData;
use health::Watch;
pub(crate) use incoming::Data;
pub(crate) use seen::{Fate, Seen, SeenSlots};

use crate::{
    causality::received::Received,
    congestion::PathCongestion,
    crypto::{DataKeys, HelloInitiator, HelloOutcome, PathKeys, SecretRng, Seed},
    endpoint::{
        PeerFailure,
        context::{Context, Timer, TimerKind},
    },
    health::{Health, HealthState},
    id::{
        Incarnation, PacketNumber, PeerId, Role, SecretId, Status, StreamId, TransferId, WorkerId,
    },
    ranges::ByteRange,
    reorder::ReorderThreshold,
    rtt::RttEstimator,
    schedule::{
        credit::{OnTheWay, SenderShare},
        levels::Levels,
        order::PeerOrder,
        unscheduled::Demand,
    },
    slots::{SlotRef, Slots},
    stream::{Stream, remote::RemoteStreams},
    time::Timestamp,
    transfer::{
        receiver::RecvTransfer,
        sender::{SendTransfer, Unaccepted},
    },
    wheel::TimerToken,
    wire::{frame::FlowReset, hello::HelloParams},
};

/// The only worker until a pool has several.
pub(crate) const WORKER: WorkerId = WorkerId(0);

/// A peer, from its first hello to its failure.
pub(crate) struct Peer {
    pub(crate) id: PeerId,
    pub(crate) remote: SocketAddr,
    pub(crate) role: Role,
    pub(crate) session: Session,
    pub(crate) incarnation: Incarnation,
    /// What the peer said of itself.
    pub(crate) params: HelloParams,
    pub(crate) max_datagram: usize,
    /// Messages up to this many bytes travel inside their notify.
    pub(crate) max_inline: usize,
    pub(crate) data_keys: DataKeys,

    pub(crate) rtt: RttEstimator,
    pub(crate) last_heard: Timestamp,
    /// When the endpoint last had reason to expect an answer and had none outstanding before.
    pub(crate) busy_since: Timestamp,
    pub(crate) health: Health,
    pub(crate) watch: Watch,
    /// Levels of priority that its transfers lose, both ways.
    pub(crate) demotion: u8,

    pub(crate) local_streams: Slots<Stream>,
    pub(crate) remote_streams: RemoteStreams,

    // sending
    pub(crate) outgoing: Slots<SendTransfer>,
    /// Messages whose notify waits to be written, for the first time or again.
    pub(crate) notify_queue: Levels<SlotRef>,
    pub(crate) unaccepted: VecDeque<Unaccepted>,
    /// When the peer last told of notifies that it has: while it goes on, none is overdue.
    pub(crate) accepted_at: Timestamp,
    pub(crate) notify_limit: u64,
    pub(crate) notifies_sent: u64,
    /// Of those, the ones of messages that the peer was not heard to have, and that we still have.
    pub(crate) notifies_pending: u64,
    /// The packet that the peer had seen when it gave the grant in force.
    pub(crate) granted_at: PacketNumber,
    /// Payload bytes sent unasked whose notifies were not accepted yet.
    pub(crate) unscheduled: u64,
    /// Transfers with data to send.
    pub(crate) sends: PeerOrder,
    /// How fast data may leave, once there are keys.
    pub(crate) congestion: Option<Box<PathCongestion>>,
    /// The most that the peer has told of having got.
    pub(crate) reported_by_peer: u64,
    /// Data waits for its time of departure, or for room in the congestion window.
    pub(crate) held_back: bool,
    /// When it began to wait for room in the window.
    pub(crate) window_full_at: Option<Timestamp>,

    // receiving
    pub(crate) seen: SeenSlots,
    /// The peer's calls that others depend on.
    pub(crate) received: Option<Box<Received>>,
    pub(crate) incoming: Slots<RecvTransfer>,
    pub(crate) notifies_seen: u64,
    pub(crate) notify_limit_sent: u64,
    /// What it was asked for and has not delivered.
    pub(crate) on_the_way: OnTheWay,
    /// Transfers that want to pull.
    pub(crate) pulls: PeerOrder,
    /// What came unasked ahead of its notify.
    pub(crate) early: EarlyData,
    /// The part of the credit that the peer gets.
    pub(crate) share: SenderShare,
    /// Nothing came for a while of what was pulled: nothing more is, until something comes.
    pub(crate) stalled: bool,
    /// Last arrival of data.
    pub(crate) progress_at: Timestamp,
    /// How much reordering is put up with.
    pub(crate) reorder: ReorderThreshold,
    /// Bytes that the peer was last told it may send unasked.
    pub(crate) grant_told: u64,
    /// What it announced in the last round that it announced something in.
    pub(crate) announced: Demand,
    /// Datagrams that came marked as having met congestion.
    pub(crate) ce_count: u64,
    /// Payload bytes of data packets that arrived, and how many of them the peer was told of.
    pub(crate) arrived_bytes: u64,
    pub(crate) reported_bytes: u64,

    // control frames that wait for a packet
    pub(crate) control: ControlQueue,
    pub(crate) closing: Vec<Closing>,
    pub(crate) last_repull_at: Timestamp,
    pub(crate) backoff: u32,
    pub(crate) in_ready: bool,

    pub(crate) timers: PeerTimers,
}

/// How far the keys are.
pub(crate) enum Session {
    /// We said hello and wait for the reply.
    Hello { initiator: Box<HelloInitiator>, started: Timestamp, attempts: u32, send: bool },
    /// Both sides hold the keys.
    Connected { keys: Box<PathKeys>, secret: SecretId },
}

/// Control frames that wait for a packet.
#[derive(Debug, Default)]
pub(crate) struct ControlQueue {
    /// Sender ids to accept; skipped if [`Seen::accept_due`] is off by then.
    pub(crate) accepts: VecDeque<TransferId>,
    /// Send the notify credit even if nothing is to be accepted.
    pub(crate) credit_due: bool,
    /// Do not wait for more acknowledgements.
    pub(crate) flush: bool,
    pub(crate) pulls: VecDeque<QueuedPull>,
    /// Transfers with opened records to acknowledge.
    pub(crate) range_acks: VecDeque<SlotRef>,
    /// Completed transfers, by the sender's id.
    pub(crate) completed: VecDeque<TransferId>,
    pub(crate) close_acks: VecDeque<StreamId>,
    /// What few peers ever need.
    pub(crate) rare: Option<Box<RareQueues>>,
    pub(crate) probe: Option<u64>,
    pub(crate) probe_response: Option<(u64, Timestamp)>,
    /// Arrival of the oldest notify that waits for its accept.
    pub(crate) oldest_accept: Timestamp,
    pub(crate) largest: PacketNumber,
}

/// Queues that take no memory until something is in one of them.
#[derive(Debug, Default)]
pub(crate) struct RareQueues {
    /// Streams whose credit the peer is to be told.
    pub(crate) credits: VecDeque<StreamId>,
    /// Streams whose credit the peer is asked for.
    pub(crate) blocked: VecDeque<StreamId>,
    /// Streams with a message for which there was no slot.
    pub(crate) waiting_for_slot: VecDeque<StreamId>,
    /// Ranges of transfers, by the sender's id, that need not be sent again.
    pub(crate) cancels: VecDeque<(TransferId, ByteRange)>,
    /// Transfers that are refused, or not sent.
    pub(crate) resets: VecDeque<FlowReset>,
    /// Answers to challenges.
    pub(crate) challenge_responses: VecDeque<(TransferId, u64)>,
}

impl RareQueues {
    /// Whether a frame waits in one of them.
    pub(crate) fn has_frames(&self) -> bool {
        !self.credits.is_empty()
            || !self.blocked.is_empty()
            || !self.cancels.is_empty()
            || !self.resets.is_empty()
            || !self.challenge_responses.is_empty()
    }
}

/// A pull that waits for a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueuedPull {
    pub(crate) transfer: SlotRef,
    pub(crate) range: ByteRange,
    pub(crate) again: bool,
}

/// A close that the peer has not acknowledged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closing {
    pub(crate) stream: StreamId,
    pub(crate) status: Status,
    pub(crate) queued: bool,
    pub(crate) attempts: u32,
    /// Times that it was repeated though the peer was heard since the last.
    pub(crate) ignored: u32,
}

/// The peer's own timers, each armed or not.
#[derive(Debug, Default)]
pub(crate) struct PeerTimers {
    pub(crate) hello: Option<TimerToken>,
    pub(crate) acknowledge: Option<TimerToken>,
    pub(crate) notify: Option<TimerToken>,
    pub(crate) close: Option<TimerToken>,
    pub(crate) idle: Option<TimerToken>,
    pub(crate) credit: Option<TimerToken>,
    pub(crate) departure: Option<TimerToken>,
}

impl Peer {
    fn new(
        id: PeerId,
        remote: SocketAddr,
        role: Role,
        session: Session,
        cx: &mut Context,
        now: Timestamp,
    ) -> Self {
        let seed = Seed::from_bytes(cx.key_rng.array());
        let data_rng = SecretRng::new(&seed, "peer");
        let config = &cx.config;
        Self {
            id,
            remote,
            role,
            session,
            incarnation: Incarnation::default(),
            params: HelloParams::default(),
            max_datagram: usize::from(config.max_datagram),
            max_inline: config.max_inline,
            data_keys: DataKeys::new(data_rng, config.suite, &config.key_limits),
            rtt: RttEstimator::new(config.initial_rtt),
            last_heard: now,
            busy_since: now,
            health: Health::default(),
            watch: Watch::new(now),
            demotion: 0,
            local_streams: Slots::with_limit(config.max_streams),
            remote_streams: RemoteStreams::with_limit(config.max_streams),
            outgoing: Slots::with_limit(config.max_transfers),
            notify_queue: Levels::default(),
            unaccepted: VecDeque::new(),
            accepted_at: now,
            notify_limit: 0,
            notifies_sent: 0,
            notifies_pending: 0,
            granted_at: PacketNumber(0),
            unscheduled: 0,
            sends: PeerOrder::default(),
            congestion: None,
            held_back: false,
            window_full_at: None,
            seen: SeenSlots::default(),
            received: None,
            incoming: Slots::with_limit(config.max_transfers),
            notifies_seen: 0,
            notify_limit_sent: Context::first_notify_credit(config),
            on_the_way: OnTheWay::default(),
            pulls: PeerOrder::default(),
            early: EarlyData::default(),
            share: SenderShare::new(),
            stalled: false,
            progress_at: now,
            reorder: ReorderThreshold::new(config.reorder_threshold),
            grant_told: config.max_inline as u64,
            announced: Demand::default(),
            ce_count: 0,
            arrived_bytes: 0,
            reported_bytes: 0,
            reported_by_peer: 0,
            control: ControlQueue::default(),
            closing: Vec::new(),
            last_repull_at: Timestamp::ZERO,
            backoff: 0,
            in_ready: false,
            timers: PeerTimers::default(),
        }
    }

    /// Takes over what the peer said of itself, once that is authentic.
    fn adopt(&mut self, outcome: &HelloOutcome, cx: &mut Context, now: Timestamp) {
        let config = &cx.config;
        self.incarnation = outcome.incarnation;
        self.params = outcome.params.clone();
        self.max_datagram = usize::from(config.max_datagram.min(self.params.max_datagram));
        self.notify_limit = self.params.notify_credit;
        let congestion = config.path_congestion(self.max_datagram, cx.jitter.next_u64());
        self.congestion = Some(Box::new(PathCongestion::new(&congestion, now)));
    }

    /// Whether packets can be sealed.
    pub(crate) fn is_connected(&self) -> bool {
        matches!(self.session, Session::Connected { .. })
    }

    /// Whether anything is outstanding for which the peer should answer some day.
    pub(crate) fn is_busy(&self) -> bool {
        !self.local_streams.is_empty()
            || !self.remote_streams.is_empty()
            || !self.outgoing.is_empty()
            || !self.incoming.is_empty()
            || !self.closing.is_empty()
    }

    /// Puts the peer among those with something to send.
    pub(crate) fn wants_to_send(&mut self, cx: &mut Context) {
        if !self.in_ready {
            self.in_ready = true;
            cx.ready.push_back(self.id);
        }
    }

    /// Payload bytes of a full data packet.
    pub(crate) fn slice_len(&self) -> usize {
        self.max_datagram - crate::wire::packet::DATA_OVERHEAD
    }

    /// How long to wait for an answer before asking again, with the backoff in force.
    pub(crate) fn timeout(&self, cx: &Context) -> core::time::Duration {
        let config = &cx.config;
        let base = self.rtt.pto(config.min_timeout, config.ack_delay);
        // a peer that is not healthy is asked half as often [HLTH-2]
        let backoff = self.backoff.min(16) + u32::from(self.health.state() != HealthState::Healthy);
        base.saturating_mul(1 << backoff).min(config.max_timeout.max(base))
    }

    fn timer(&self, kind: TimerKind) -> Timer {
        Timer { peer: self.id, kind }
    }

    /// Ends every stream and gives back everything shared.
    pub(crate) fn fail(&mut self, cx: &mut Context, cause: PeerFailure) {
        self.close_all_streams(cx, cause);
        for slot in self.outgoing.refs() {
            self.drop_outgoing(cx, slot);
        }
        for slot in self.incoming.refs() {
            self.drop_incoming(cx, slot);
        }
        self.sends.refresh(&mut cx.sends, self.id, false);
        self.pulls.refresh(&mut cx.pulls, self.id, false);
        let timers = &mut self.timers;
        for token in [
            &mut timers.hello,
            &mut timers.acknowledge,
            &mut timers.notify,
            &mut timers.close,
            &mut timers.idle,
            &mut timers.credit,
            &mut timers.departure,
        ] {
            cx.disarm(token);
        }
    }
}

#[cfg(test)]
mod tests;
