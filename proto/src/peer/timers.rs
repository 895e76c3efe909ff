//! What happens when a peer's timers fire. Every state that waits has one owner that asks again.

use super::Peer;
use crate::{
    endpoint::{
        PeerFailure,
        context::{Context, TimerKind},
    },
    time::Timestamp,
};

/// Notifies repeated per firing at most: what the peer answers tells whether others are lost too.
const NOTIFY_PROBES: usize = 4;

impl Peer {
    /// Handles a timer; the failure, if the peer is to be given up.
    pub(crate) fn on_timer(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        kind: TimerKind,
    ) -> Option<PeerFailure> {
        match kind {
            TimerKind::Hello => {
                self.timers.hello = None;
                return self.on_hello_timer(cx, now);
            }
            TimerKind::Idle => {
                self.timers.idle = None;
                return self.on_idle_timer(cx, now);
            }
            TimerKind::Acknowledge => {
                self.timers.acknowledge = None;
                self.control.flush = true;
                self.wants_to_send(cx);
            }
            TimerKind::Notify => {
                self.timers.notify = None;
                self.on_notify_timer(cx, now);
            }
            TimerKind::Close => {
                self.timers.close = None;
                self.on_close_timer(cx, now);
            }
            TimerKind::Credit => {
                self.timers.credit = None;
                self.on_credit_timer(cx, now);
            }
            TimerKind::Departure => {
                self.timers.departure = None;
                self.on_departure_timer(cx, now);
            }
            // the endpoint's own
            TimerKind::Pace => {}
            TimerKind::Pull(slot) => self.on_pull_timer(cx, now, slot),
            TimerKind::Quiet(slot) => self.on_quiet_timer(cx, now, slot),
            TimerKind::Blocked(stream) => self.on_blocked_timer(cx, now, stream),
            TimerKind::Deadline(stream) => self.on_deadline(cx, now, stream),
        }
        None
    }

    /// An authentic packet came: the peer is there, and timers start afresh.
    pub(crate) fn on_heard(&mut self, now: Timestamp) {
        self.last_heard = now;
        self.backoff = 0;
    }

    fn on_notify_timer(&mut self, cx: &mut Context, now: Timestamp) {
        if !self.is_connected() {
            return;
        }
        let timeout = self.timeout(cx);
        let mut repeated = 0;
        let mut silent = false;
        while let Some((slot, sent_at)) = self.oldest_unaccepted() {
            // while accepts come, what waits is late at most
            let due = sent_at.max(self.accepted_at) + timeout;
            if due > now || repeated == NOTIFY_PROBES || (silent && repeated > 0) {
                let at = due.max(now + timeout / 4);
                self.arm_notify(cx, at);
                break;
            }
            silent = self.last_heard < sent_at;
            self.unaccepted.pop_front();
            self.queue_notify(cx, slot);
            repeated += 1;
        }
        if repeated > 0 && silent {
            self.backoff = (self.backoff + 1).min(16);
        }
        // out of credit with nothing to be accepted: the accept that gave more was lost
        if repeated == 0 && self.lacks_notify_credit() {
            self.control.probe = Some(cx.jitter.next_u64() >> 2);
            self.wants_to_send(cx);
            self.arm_notify(cx, now + timeout);
        }
    }

    pub(crate) fn arm_notify(&mut self, cx: &mut Context, at: Timestamp) {
        let timer = self.timer(TimerKind::Notify);
        cx.arm(&mut self.timers.notify, at, timer);
    }

    /// Sees to it that closes are repeated.
    pub(super) fn arm_close(&mut self, cx: &mut Context, now: Timestamp) {
        let at = now + self.timeout(cx);
        let timer = self.timer(TimerKind::Close);
        cx.arm(&mut self.timers.close, at, timer);
    }

    fn on_close_timer(&mut self, cx: &mut Context, now: Timestamp) {
        if self.closing.is_empty() {
            return;
        }
        let mut attempts = 0;
        for closing in &mut self.closing {
            closing.queued = true;
            attempts = attempts.max(closing.attempts);
        }
        self.wants_to_send(cx);
        let wait = self.timeout(cx).saturating_mul(1 << attempts.min(8));
        let at = now + cx.jitter.stretch(wait.min(cx.config.max_timeout), 33);
        let timer = self.timer(TimerKind::Close);
        cx.arm(&mut self.timers.close, at, timer);
    }

    /// Watches the peer while work is outstanding.
    pub(crate) fn arm_idle(&mut self, cx: &mut Context, now: Timestamp) {
        if self.is_connected() {
            let at = now + cx.config.idle_timeout / 4;
            let timer = self.timer(TimerKind::Idle);
            cx.arm(&mut self.timers.idle, at, timer);
        }
    }

    fn on_idle_timer(&mut self, cx: &mut Context, now: Timestamp) -> Option<PeerFailure> {
        if !self.is_busy() {
            return None;
        }
        let quiet_since = self.last_heard.max(self.busy_since);
        let quiet = now.saturating_since(quiet_since);
        let timeout = cx.config.idle_timeout;
        if quiet >= timeout {
            return Some(PeerFailure::Silent);
        }
        if quiet >= timeout / 8 {
            self.control.probe = Some(cx.jitter.next_u64() >> 2);
            self.wants_to_send(cx);
        }
        let at = (now + timeout / 8).min(quiet_since + timeout);
        let timer = self.timer(TimerKind::Idle);
        cx.arm(&mut self.timers.idle, at, timer);
        None
    }
}
