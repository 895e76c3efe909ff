//! Watches over a peer's health: counts what happens, asks for a sign of life, and acts on what
//! [`Health`](crate::health::Health) makes of it (spec chapter 9).

use core::time::Duration;

use super::{Closing, Peer};
use crate::{
    endpoint::{Event, PeerFailure, StartError, context::Context},
    health::{HealthCause, HealthFigures, HealthState, Input, PeerHealth, Transition},
    id::{Status, StreamId},
    schedule::levels::Levels,
    time::Timestamp,
};

/// What is called unreachable is asked first if it was heard within this many retry timeouts.
const RECENT_TIMEOUTS: u32 = 4;

/// A failed peer is asked at intervals of 2^n times the shortest at most.
const MAX_SLOWER: u32 = 3;

/// What is known for the watch over a peer.
#[derive(Debug)]
pub(crate) struct Watch {
    /// The probe that waits for its answer, and when it was sent.
    probe: Option<(u64, Timestamp)>,
    /// When a timeout was last counted.
    timeout_at: Timestamp,
    /// When a probe was last answered, or the first of a series was sent.
    answered_at: Timestamp,
    /// When somebody last asked for a failed peer.
    asked_at: Timestamp,
    /// When it was last greeted anew.
    greeted_at: Option<Timestamp>,
    /// When the network last called it unreachable.
    reported_at: Option<Timestamp>,
    /// When its closes were last repeated.
    closes_at: Timestamp,
    /// Probes sent since it failed.
    slow_probes: u32,
    /// Why it failed.
    failure: PeerFailure,
}

impl Watch {
    pub(crate) const fn new(now: Timestamp) -> Self {
        Self {
            probe: None,
            timeout_at: Timestamp::ZERO,
            answered_at: now,
            asked_at: now,
            greeted_at: None,
            reported_at: None,
            closes_at: now,
            slow_probes: 0,
            failure: PeerFailure::Silent,
        }
    }
}

impl Peer {
    /// How the peer is doing.
    pub(crate) fn health(&self) -> PeerHealth {
        PeerHealth { state: self.health.state(), figures: self.figures() }
    }

    fn figures(&self) -> HealthFigures {
        HealthFigures {
            failure_permille: self.health.failure_permille(),
            timeouts: self.health.timeouts(),
            unanswered_probes: self.health.unanswered(),
            last_heard: self.last_heard,
            rtt: self.rtt.smoothed(),
        }
    }

    /// Whether it has failed and is kept in case it comes back.
    pub(crate) fn has_failed(&self) -> bool {
        self.health.state() == HealthState::Failed
    }

    /// Somebody wants to begin something with the peer [HLTH-3] [HLTH-4].
    pub(crate) fn ask_for(&mut self, now: Timestamp) -> Result<(), StartError> {
        match self.health.state() {
            HealthState::Healthy | HealthState::Degraded => Ok(()),
            HealthState::Probing => Err(StartError::PeerProbing),
            HealthState::Failed => {
                self.watch.asked_at = now;
                Err(StartError::PeerFailed)
            }
        }
    }

    /// Whether a failed peer, which may have lost its keys, is to be greeted anew [HLTH-7].
    pub(crate) fn takes_greeting(&mut self, cx: &Context, now: Timestamp) -> bool {
        let interval = cx.config.health.slow_probe;
        let due = self.watch.greeted_at.is_none_or(|at| now >= at + interval);
        let takes = self.has_failed() && self.health.unanswered() > 0 && due;
        if takes {
            self.watch.greeted_at = Some(now);
        }
        takes
    }

    // what happens with the peer

    /// An authentic packet came: the peer is there, and timers start afresh.
    pub(crate) fn on_heard(&mut self, cx: &mut Context, now: Timestamp) {
        self.last_heard = now;
        self.backoff = 0;
        self.judge(cx, now, Input::Heard);
    }

    /// A probe was answered.
    pub(crate) fn on_probe_response(&mut self, cx: &mut Context, now: Timestamp, nonce: u64) {
        if self.watch.probe.is_none_or(|(sent, _)| sent != nonce) {
            return;
        }
        self.watch.probe = None;
        self.watch.answered_at = now;
        self.judge(cx, now, Input::Answered);
        if self.health.state() == HealthState::Probing {
            self.send_probe(cx, now);
        }
    }

    /// A timer fired, and nothing was heard since the peer was asked. However many do so within a
    /// retry timeout, it is one question that was left unanswered.
    pub(super) fn on_silence(&mut self, cx: &mut Context, now: Timestamp) {
        if now < self.watch.timeout_at + self.timeout(cx) / 2 {
            return;
        }
        self.watch.timeout_at = now;
        let quiet = now.saturating_since(self.quiet_since());
        self.judge(cx, now, Input::Timeout { quiet });
    }

    /// A message was delivered, either way.
    pub(super) fn on_success(&mut self, cx: &mut Context, now: Timestamp) {
        self.judge(cx, now, Input::Delivered);
    }

    /// A message was given up, because the peer did not do its part.
    pub(crate) fn on_message_given_up(&mut self, cx: &mut Context, now: Timestamp) {
        cx.stats.messages_given_up += 1;
        self.judge(cx, now, Input::GaveUp);
    }

    /// The network says that the connected peer cannot be reached; anybody may have written that
    /// [HLTH-6].
    pub(crate) fn on_unreachable(&mut self, cx: &mut Context, now: Timestamp) {
        let state = self.health.state();
        // nothing was sent for which such a report could have come
        let idle = state < HealthState::Probing && !self.is_busy();
        let refuted = self
            .watch
            .reported_at
            .is_some_and(|at| self.last_heard > at && now < at + cx.config.health.hint_interval);
        if idle || refuted || state == HealthState::Failed {
            return;
        }
        self.watch.reported_at = Some(now);
        cx.stats.unreachable_reports += 1;
        let recent = self.base_timeout(cx) * RECENT_TIMEOUTS;
        let heard = now.saturating_since(self.last_heard) < recent;
        self.judge(cx, now, Input::Unreachable { heard });
    }

    fn judge(&mut self, cx: &mut Context, now: Timestamp, input: Input) -> Option<HealthState> {
        let transition = self.health.handle(&cx.config, input)?;
        self.on_transition(cx, now, transition);
        Some(transition.to)
    }

    // what comes of it

    fn on_transition(&mut self, cx: &mut Context, now: Timestamp, transition: Transition) {
        let Transition { from, to, cause } = transition;
        match to {
            HealthState::Healthy => {
                cx.stats.became_healthy += 1;
                self.watch.probe = None;
            }
            HealthState::Degraded => cx.stats.became_degraded += 1,
            HealthState::Probing => {
                cx.stats.became_probing += 1;
                self.watch.answered_at = now;
                if from == HealthState::Failed {
                    self.resume_closes(cx, now);
                }
                self.send_probe(cx, now);
            }
            HealthState::Failed => {
                cx.stats.became_failed += 1;
                self.watch.failure = match cause {
                    HealthCause::Unreachable => PeerFailure::Unreachable,
                    _ => PeerFailure::Silent,
                };
                self.on_failed(cx, now);
            }
        }
        let healthy = to == HealthState::Healthy;
        self.demote(cx, if healthy { 0 } else { cx.config.health.demotion });
        let (peer, remote, figures) = (self.id, self.remote, self.figures());
        cx.events.push_back(Event::PeerHealth { peer, remote, from, to, cause, figures });
    }

    /// Everything with the peer ends; its keys are kept, since it may come back [HLTH-4].
    fn on_failed(&mut self, cx: &mut Context, now: Timestamp) {
        let closes = self.open_streams();
        self.fail(cx, self.watch.failure);
        // the peer still has them: it is told when it is heard again
        self.closing.extend(closes.into_iter().map(|stream| Closing {
            stream,
            status: Status::CANCELLED,
            queued: false,
            attempts: 0,
            ignored: 0,
        }));
        for closing in &mut self.closing {
            closing.queued = false;
        }
        self.notify_queue = Levels::default();
        self.unaccepted.clear();
        self.control.pulls.clear();
        if let Some(rare) = &mut self.control.rare {
            rare.cancels.clear();
        }
        self.control.range_acks.clear();
        self.control.probe = None;
        self.release_data(cx);
        self.watch.probe = None;
        self.watch.asked_at = now;
        self.watch.slow_probes = 0;
        let at = now + cx.jitter.stretch(cx.config.health.slow_probe, 33);
        self.arm_watch(cx, at);
    }

    fn open_streams(&self) -> Vec<StreamId> {
        let local = self.local_streams.refs();
        let local = local.into_iter().filter_map(|slot| self.local_streams.get(slot));
        let mut streams: Vec<_> = local.map(|stream| stream.id).collect();
        streams.extend(self.remote_streams.ids());
        streams.sort_unstable();
        streams
    }

    fn resume_closes(&mut self, cx: &mut Context, now: Timestamp) {
        if self.closing.is_empty() {
            return;
        }
        for closing in &mut self.closing {
            closing.queued = true;
        }
        let at = now + self.timeout(cx);
        self.arm_close(cx, at);
    }

    /// Moves the peer's transfers to other levels of priority [HLTH-2].
    fn demote(&mut self, cx: &mut Context, levels: u8) {
        if levels == self.demotion {
            return;
        }
        let (mut sending, mut receiving) = (Vec::new(), Vec::new());
        for slot in self.outgoing.refs() {
            if let Some(transfer) = self.outgoing.get_mut(slot)
                && let level = transfer.priority.lowered(self.demotion)
                && let Some(left) = transfer.pulled().and_then(|body| body.listed.take())
            {
                self.sends.remove(&mut cx.sends, level, left, slot);
                sending.push(slot);
            }
        }
        for slot in self.incoming.refs() {
            if let Some(transfer) = self.incoming.get_mut(slot)
                && let Some(need) = transfer.listed.take()
            {
                let level = transfer.priority.lowered(self.demotion);
                self.pulls.remove(&mut cx.pulls, level, need, slot);
                receiving.push(slot);
            }
        }
        self.demotion = levels;
        for slot in sending {
            self.queue_data(cx, slot);
        }
        for slot in receiving {
            self.want_pull(cx, slot);
        }
    }

    // asking for a sign of life

    /// Watches the peer while work is outstanding.
    pub(crate) fn arm_idle(&mut self, cx: &mut Context, now: Timestamp) {
        if self.is_connected() {
            let at = now + cx.config.idle_timeout / 4;
            let timer = self.timer(crate::endpoint::context::TimerKind::Idle);
            cx.arm(&mut self.timers.idle, at, timer);
        }
    }

    fn arm_watch(&mut self, cx: &mut Context, at: Timestamp) {
        cx.disarm(&mut self.timers.idle);
        let timer = self.timer(crate::endpoint::context::TimerKind::Idle);
        cx.arm(&mut self.timers.idle, at, timer);
    }

    /// Looks after a peer that may have fallen silent; the failure, if it is to be forgotten.
    pub(super) fn on_idle_timer(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
    ) -> Option<PeerFailure> {
        if self.count_unanswered(cx, now) {
            // the transition has seen to what comes next
            return None;
        }
        match self.health.state() {
            HealthState::Healthy | HealthState::Degraded => self.watch_silence(cx, now),
            HealthState::Probing => self.send_probe(cx, now),
            HealthState::Failed => {
                if now >= self.watch.asked_at + cx.config.health.forget_after {
                    return Some(self.watch.failure);
                }
                self.probe_slowly(cx, now);
            }
        }
        None
    }

    /// Counts a probe whose time is up; true if the peer is probed otherwise from here on.
    fn count_unanswered(&mut self, cx: &mut Context, now: Timestamp) -> bool {
        let Some((_, sent_at)) = self.watch.probe.take() else { return false };
        let answered = if self.health.is_deaf() { self.watch.answered_at } else { self.last_heard };
        // what came in the moment of asking was no answer
        if answered > sent_at {
            return false;
        }
        cx.stats.probes_unanswered += 1;
        let quiet = now.saturating_since(self.quiet_since());
        let state = self.judge(cx, now, Input::ProbeUnanswered { quiet });
        state.is_some_and(|state| state >= HealthState::Probing)
    }

    /// A peer is only asked while work is outstanding and nothing was heard for a while [HLTH-5].
    fn watch_silence(&mut self, cx: &mut Context, now: Timestamp) {
        if !self.is_busy() {
            return;
        }
        let step = cx.config.idle_timeout / 8;
        if now.saturating_since(self.quiet_since()) >= step {
            self.send_probe(cx, now);
        } else {
            self.arm_watch(cx, now + step);
        }
    }

    /// Asks for a sign of life, and waits for it longer after every question in vain.
    fn send_probe(&mut self, cx: &mut Context, now: Timestamp) {
        self.queue_probe(cx, now);
        let base = self.base_timeout(cx);
        let longest = cx.config.max_timeout.max(base);
        let wait = base.saturating_mul(1 << self.health.unanswered().min(16)).min(longest);
        let mut at = now + cx.jitter.stretch(wait, 33);
        if self.health.unanswered() + 1 >= cx.config.health.failed_probes {
            // not much later than the silence has lasted long enough
            at = at.min((self.quiet_since() + cx.config.idle_timeout).max(now + base));
        }
        self.arm_watch(cx, at);
    }

    fn probe_slowly(&mut self, cx: &mut Context, now: Timestamp) {
        self.queue_probe(cx, now);
        let wait = cx.config.health.slow_probe * (1 << self.watch.slow_probes.min(MAX_SLOWER));
        self.watch.slow_probes += 1;
        let at = now + cx.jitter.stretch(wait, 33);
        self.arm_watch(cx, at);
    }

    fn queue_probe(&mut self, cx: &mut Context, now: Timestamp) {
        let nonce = self.ask_for_answer(cx);
        self.watch.probe = Some((nonce, now));
        cx.stats.probes_sent += 1;
    }

    /// Puts a probe on the next packet; the nonce of the one that goes.
    pub(super) fn ask_for_answer(&mut self, cx: &mut Context) -> u64 {
        let fresh = cx.jitter.next_u64() >> 2;
        let nonce = *self.control.probe.get_or_insert(fresh);
        self.wants_to_send(cx);
        nonce
    }

    /// Since when an answer is missing.
    fn quiet_since(&self) -> Timestamp {
        if self.health.is_deaf() {
            self.watch.answered_at
        } else {
            self.last_heard.max(self.busy_since)
        }
    }

    /// Notes that closes are repeated; whether the peer was heard since they were last.
    pub(super) fn note_closes(&mut self, now: Timestamp) -> bool {
        let last = core::mem::replace(&mut self.watch.closes_at, now);
        self.last_heard > last
    }

    /// How long to wait for an answer before anything went wrong.
    fn base_timeout(&self, cx: &Context) -> Duration {
        self.rtt.pto(cx.config.min_timeout, cx.config.ack_delay)
    }
}
