//! The state machine that joins peers, streams, transfers and timers.

mod admission;
pub(crate) mod context;
pub mod error;
mod health;
mod hellos;
pub mod input;
mod memory_queue;
pub mod output;
mod peers;
mod receive;
mod schedule;
pub mod stats;

use core::{fmt, net::SocketAddr};
use std::collections::VecDeque;

use bytes::Bytes;
use hashbrown::HashMap;

pub use error::{
    AddPeerError, NewEndpointError, RespondError, SendError, StartError, StreamError, SupplyError,
};
pub use input::{After, Destination, Message, Open, Payload, Respond};
pub use output::{
    Event, Offer, Outcome, PeerFailure, Transmit, TransmitBuilder, TransmitQueue, WakeReason,
    Wakeup,
};
pub use stats::{DropReason, Stats, Usage, Waits};

use crate::{
    config::Config,
    congestion::{dctcp::PullRate, leaky_bucket::LeakyBucket},
    crypto::{HelloInitiator, OpeningKeys, PathKeys, PathSecret, Psk, SealError, SecretRng, Seed},
    endpoint::{
        context::{Context, Scratch, TimerKind},
        hellos::PendingHellos,
        memory_queue::MemoryQueue,
        peers::ByRemote,
    },
    id::{Incarnation, PeerId, Role, SecretId, Status, StreamHandle},
    link::{DatagramInfo, Ecn},
    peer::{Peer, WORKER},
    rng::Jitter,
    schedule::{
        credit::PullCredit,
        order::{Order, Pick},
        unscheduled::Unscheduled,
    },
    slots::{SlotRef, Slots},
    time::Timestamp,
    transfer::{inline_arena::Arena, record_pool::RecordPool},
    wheel::Wheel,
    wire::hello::{HELLO_LEN, HelloParams},
};

/// Timers handled per [`Endpoint::handle_timeout`] at most.
const TIMER_BATCH: usize = 4_096;

/// Peers, streams, transfers and timers of one worker.
///
/// Functions come in four classes: commands (`add_peer`, `open`, `respond`, ...) and `handle_*`
/// take something in, `poll_*` gives something out, bare nouns are getters. One rule governs their
/// order: after every input drain [`Self::poll_transmit`] and [`Self::poll_event`] until they are
/// empty, then wait for the next input or until [`Self::poll_timeout`].
///
/// Nothing the network brings makes an endpoint panic or return an error: what is malformed,
/// forged, replayed or late is counted in [`Self::stats`] and changes nothing else.
pub struct Endpoint {
    cx: Context,
    psk: Psk,
    incarnation: Incarnation,
    params: HelloParams,
    hello_rng: SecretRng,
    peers: Slots<Option<Box<Peer>>>,
    by_secret: HashMap<SecretId, PeerId>,
    by_remote: ByRemote,
    /// Peers we have greeted, by the random of our hello.
    greeting: HashMap<[u8; 32], PeerId>,
    pending: PendingHellos,
    /// Replies to hellos that wait to be sent.
    replies: VecDeque<(SocketAddr, [u8; HELLO_LEN])>,
    /// The peer of the last packet: most packets come in runs.
    last_peer: Option<(SecretId, PeerId)>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("usage", &self.usage()).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// An endpoint that knows nobody.
    ///
    /// `seed` is the only randomness: the same configuration, key, seed and inputs give the same
    /// bytes out. Whoever is not a test draws it from the operating system, anew for every
    /// endpoint.
    ///
    /// # Errors
    /// The configuration cannot work.
    pub fn new(
        config: Config,
        psk: Psk,
        seed: Seed,
        now: Timestamp,
    ) -> Result<Self, NewEndpointError> {
        config.validate()?;
        let mut rng = SecretRng::new(&seed, "endpoint");
        let incarnation = Incarnation(rng.array());
        let jitter = Jitter::new(u64::from_be_bytes(rng.array()));
        let opening_keys = OpeningKeys::new(&mut rng, &config.key_limits);
        let params = HelloParams {
            workers: 1,
            max_datagram: config.max_datagram,
            record_size_log2_max: config.max_record_log2,
            notify_credit: Context::first_notify_credit(&config),
            unscheduled_bytes: config.max_inline as u64,
            max_transfers: config.max_transfers,
            max_streams: config.max_streams,
            stream_messages: config.first_stream_credit().0,
            stream_bytes: config.first_stream_credit().1,
            ..HelloParams::default()
        };
        Ok(Self {
            psk,
            incarnation,
            params,
            hello_rng: SecretRng::new(&seed, "hello"),
            peers: Slots::with_limit(config.max_peers as u32),
            by_secret: HashMap::new(),
            by_remote: ByRemote::default(),
            greeting: HashMap::new(),
            pending: PendingHellos::default(),
            replies: VecDeque::new(),
            last_peer: None,
            cx: Context {
                wheel: Wheel::new(now),
                events: VecDeque::new(),
                stats: Stats::default(),
                jitter,
                key_rng: SecretRng::new(&seed, "data keys"),
                opening_keys,
                records: RecordPool::default(),
                arena: Arena::default(),
                ready: VecDeque::new(),
                pulls: Order::new(config.quantum(), config.unscheduled_budget),
                sends: Order::new(config.quantum(), 0),
                credit: PullCredit::new(&config),
                pull_pacer: LeakyBucket::new(now, pull_rate(&config), pull_burst(&config)),
                pull_rate: PullRate::new(now),
                pace_timer: None,
                unscheduled: Unscheduled::new(config.unscheduled_budget),
                early_bytes: 0,
                held_credit: 0,
                refreshing: 0,
                refresh_at: now,
                stalled: Vec::new(),
                unstalled: Vec::new(),
                scratch: Scratch::default(),
                peers: 0,
                receive_memory: 0,
                memory_queue: MemoryQueue::default(),
                send_memory: 0,
                config,
            },
        })
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.cx.config
    }

    /// What this endpoint tells its peers of itself: a new life, a new value.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// Counters since the endpoint was made.
    pub fn stats(&self) -> &Stats {
        &self.cx.stats
    }

    /// What is in use now.
    pub fn usage(&self) -> Usage {
        let mut usage = Usage {
            peers: self.peers.len(),
            pending_hellos: self.pending.len(),
            pull_outstanding: self.cx.credit.outstanding(),
            receive_memory: self.cx.receive_memory,
            send_memory: self.cx.send_memory,
            timers: self.cx.wheel.len(),
            ..Usage::default()
        };
        for slot in self.peers.refs() {
            if let Some(Some(peer)) = self.peers.get(slot) {
                usage.streams += peer.local_streams.len() + peer.remote_streams.len();
                usage.sending += peer.outgoing.len();
                usage.receiving += peer.incoming.len();
                usage.closing += if peer.has_failed() { 0 } else { peer.closing.len() };
                for (level, waiting) in usage.waiting_notifies.iter_mut().enumerate() {
                    *waiting += peer.notify_queue.waiting(level);
                }
            }
        }
        usage
    }

    // commands

    /// Starts to greet a peer. Streams may be opened at once; they wait for the reply.
    ///
    /// Ends in [`Event::PeerConnected`] or [`Event::PeerFailed`].
    ///
    /// # Errors
    /// The limit of peers is reached and none of them is idle.
    pub fn add_peer(&mut self, now: Timestamp, remote: SocketAddr) -> Result<PeerId, AddPeerError> {
        let limit = self.cx.config.max_peers;
        let full = AddPeerError::TooManyPeers { limit };
        if !self.make_room_for_peer() {
            return Err(full);
        }
        let id = self.reserve_peer().ok_or(full)?;
        let initiator =
            HelloInitiator::new(&self.psk, self.incarnation, &self.params, &mut self.hello_rng);
        self.greeting.insert(initiator.random(), id);
        let peer = Peer::to_greet(id, remote, initiator, &mut self.cx, now);
        self.install_peer(id, peer);
        Ok(id)
    }

    /// Forgets a peer; its streams end with [`PeerFailure::Removed`].
    pub fn remove_peer(&mut self, _now: Timestamp, peer: PeerId) {
        self.fail_peer(peer, PeerFailure::Removed);
    }

    /// Starts a call. Ends in [`Event::Closed`], after [`Event::Response`] if it succeeds.
    ///
    /// # Errors
    /// The call cannot be started; nothing was.
    pub fn open(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        open: Open,
    ) -> Result<StreamHandle, StartError> {
        self.ask_for(now, peer)?;
        let (peer, cx) = self.peer_and_context(peer).ok_or(StartError::PeerUnavailable)?;
        peer.open(cx, now, open)
    }

    /// Whether another stream to a peer can be opened now. True too if [`Self::open`] would refuse
    /// it for another reason: that is for it to say.
    pub fn has_stream_room(&self, peer: PeerId) -> bool {
        self.peer(peer).is_none_or(|peer| peer.has_stream_room(&self.cx))
    }

    /// Hands over the next piece of a [`Payload::Supplied`] message, in order.
    ///
    /// Taking more than [`Event::SupplyWanted`] asked for is harmless: it is kept.
    ///
    /// # Errors
    /// The piece was not taken.
    pub fn supply(
        &mut self,
        _now: Timestamp,
        stream: StreamHandle,
        chunk: Bytes,
    ) -> Result<(), SupplyError> {
        let (peer, cx) = self.peer_and_context(stream.peer).ok_or(SupplyError::UnknownStream)?;
        peer.supply(cx, stream.stream, chunk)
    }

    /// Says where the request of an [`Event::Opened`] without a body goes. It is pulled from here
    /// on, and [`Event::Received`] tells when it is complete.
    ///
    /// # Errors
    /// The stream does not wait for this, or the message does not fit memory.
    pub fn receive(
        &mut self,
        now: Timestamp,
        stream: StreamHandle,
        destination: Destination,
    ) -> Result<(), StreamError> {
        let (peer, cx) = self.peer_and_context(stream.peer).ok_or(StreamError::UnknownStream)?;
        peer.receive(cx, now, stream.stream, destination)
    }

    /// Answers a stream that the peer opened. If its request has not been received in whole, the
    /// rest is given up.
    ///
    /// # Errors
    /// The stream cannot be answered, or the message cannot be sent; nothing was.
    pub fn respond(
        &mut self,
        now: Timestamp,
        stream: StreamHandle,
        respond: Respond,
    ) -> Result<(), RespondError> {
        let (peer, cx) = self.peer_and_context(stream.peer).ok_or(StreamError::UnknownStream)?;
        peer.respond(cx, now, stream.stream, respond)
    }

    /// Sends the next message of a stream whose pattern lets this side send many. The one with
    /// `fin` is the last.
    ///
    /// # Errors
    /// The message was not taken. After [`SendError::Blocked`], [`Event::Writable`] tells when to
    /// try again.
    pub fn send(
        &mut self,
        now: Timestamp,
        stream: StreamHandle,
        message: Message,
    ) -> Result<(), SendError> {
        let (peer, cx) = self.peer_and_context(stream.peer).ok_or(StreamError::UnknownStream)?;
        peer.send(cx, now, stream.stream, message)
    }

    /// Returns credit: the application has taken this much of what [`Event::Message`] brought.
    /// Without it the peer has to stop before long.
    pub fn consume(&mut self, _now: Timestamp, stream: StreamHandle, messages: u64, bytes: u64) {
        if let Some((peer, cx)) = self.peer_and_context(stream.peer) {
            peer.consume(cx, stream.stream, messages, bytes);
        }
    }

    /// Returns window: `bytes` of the records handed over were consumed.
    pub fn release(&mut self, _now: Timestamp, stream: StreamHandle, bytes: u64) {
        if let Some((peer, cx)) = self.peer_and_context(stream.peer) {
            peer.release(cx, stream.stream, bytes);
        }
    }

    /// Gives a stream up, on either side; the peer is told `status`.
    ///
    /// # Errors
    /// The stream is not open.
    pub fn cancel(
        &mut self,
        now: Timestamp,
        stream: StreamHandle,
        status: Status,
    ) -> Result<(), StreamError> {
        let (peer, cx) = self.peer_and_context(stream.peer).ok_or(StreamError::UnknownStream)?;
        peer.cancel(cx, now, stream.stream, status, Outcome::Cancelled)
    }

    /// Whether a call that was made here has not ended; an event may be left that says so.
    pub(crate) fn is_open(&self, stream: StreamHandle) -> bool {
        self.peer(stream.peer).is_some_and(|peer| peer.has_opened(stream.stream))
    }

    // inputs

    /// Takes what the link received: one datagram, or several of `info.segment_size`.
    ///
    /// Datagrams are opened in place, so the buffer's content is spent afterwards.
    pub fn handle_datagram(&mut self, now: Timestamp, info: DatagramInfo, data: &mut [u8]) {
        let segment = info.segment_size.map_or(data.len(), core::num::NonZeroUsize::get);
        for packet in data.chunks_mut(segment.max(1)) {
            self.handle_packet(now, &info, packet);
        }
    }

    /// Handles the timers that are due, at most a batch of them.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.pending.expire(now);
        self.cx.wheel.advance(now);
        for _ in 0..TIMER_BATCH {
            let Some((_, timer)) = self.cx.wheel.pop_due() else { return };
            if timer.kind == TimerKind::Pace {
                self.cx.pace_timer = None;
                continue;
            }
            let Some((peer, cx)) = self.peer_and_context(timer.peer) else { continue };
            if let Some(cause) = peer.on_timer(cx, now, timer.kind) {
                self.fail_peer(timer.peer, cause);
            }
        }
    }

    // outputs

    /// Writes transmissions to `out` until it holds about `budget` bytes or nothing waits.
    ///
    /// Returns whether there is more to send once `out` has room.
    pub fn poll_transmit(
        &mut self,
        now: Timestamp,
        out: &mut TransmitQueue,
        budget: usize,
    ) -> bool {
        while let Some((remote, reply)) = self.replies.pop_front() {
            let mut builder = out.build();
            builder.header(reply.len()).copy_from_slice(&reply);
            builder.finish(remote, Ecn::NotEct, None, now);
            self.cx.stats.datagrams_sent += 1;
            self.cx.stats.bytes_sent += reply.len() as u64;
        }
        self.requeue_unstalled();
        self.place_waiting_messages(now);
        self.refresh_grants(now);
        self.issue_pulls(now);
        // what controls others goes first: it is small, and they wait for it [SCHED-6]
        while out.bytes() < budget
            && let Some(id) = self.cx.ready.pop_front()
        {
            let Some((peer, cx)) = self.peer_and_context(id) else { continue };
            peer.in_ready = false;
            let written = peer.write_control_packets(cx, now, out);
            self.check_sealed(id, written);
        }
        while out.bytes() < budget
            && let Some(pick) = self.next_to_send()
        {
            let (id, level, transfer) = match pick {
                Pick::Shortest { peer, level } => (peer, level, None),
                Pick::Oldest { peer, level, transfer } => (peer, level, Some(transfer)),
            };
            let Some((peer, cx)) = self.peer_and_context(id) else { continue };
            let written = peer.write_data(cx, now, out, level, transfer);
            self.check_sealed(id, written);
        }
        !self.cx.ready.is_empty() || self.cx.sends.is_ready() || self.cx.refreshing > 0
    }

    /// When to call [`Self::handle_timeout`] next. Early is harmless.
    pub fn poll_timeout(&self) -> Option<Wakeup> {
        let (at, timer) = self.cx.wheel.next_deadline()?;
        Some(Wakeup { at, reason: timer.kind.reason() })
    }

    /// The next notice for the application.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.cx.events.pop_front()
    }

    // peers

    fn peer(&self, id: PeerId) -> Option<&Peer> {
        self.peers.get(slot_of(id))?.as_deref()
    }

    fn peer_and_context(&mut self, id: PeerId) -> Option<(&mut Peer, &mut Context)> {
        let peer = self.peers.get_mut(slot_of(id))?.as_deref_mut()?;
        Some((peer, &mut self.cx))
    }

    fn peer_by_secret(&mut self, secret: &SecretId) -> Option<PeerId> {
        if let Some((last, id)) = &self.last_peer
            && last == secret
        {
            return Some(*id);
        }
        let id = *self.by_secret.get(secret)?;
        self.last_peer = Some((*secret, id));
        Some(id)
    }

    fn path_keys(&self, secret: &PathSecret, role: Role) -> Box<PathKeys> {
        let config = &self.cx.config;
        let (suite, limits) = (config.suite, config.key_limits);
        Box::new(PathKeys::new(secret, role, WORKER, suite, limits))
    }

    fn check_sealed(&mut self, id: PeerId, result: Result<(), SealError>) {
        match result {
            Ok(()) => {}
            Err(SealError::EpochsExhausted) => self.fail_peer(id, PeerFailure::KeysExhausted),
            Err(_) => debug_assert!(false, "buffers are made to fit"),
        }
    }
}

/// Bytes per second that pulls may fill.
fn pull_rate(config: &Config) -> u64 {
    config.link_rate / 1_000 * u64::from(config.pull_rate_permille)
}

/// What may be made up for at once: what the link brings while a timer is late.
fn pull_burst(config: &Config) -> u64 {
    let bytes = u128::from(pull_rate(config)) * config.timer_slack.as_nanos() / 1_000_000_000;
    (bytes as u64).max(1)
}

fn slot_of(id: PeerId) -> SlotRef {
    SlotRef { slot: id.slot, generation: id.generation }
}

fn peer_id(slot: SlotRef) -> PeerId {
    PeerId { slot: slot.slot, generation: slot.generation }
}
