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
            self.repeat_notify(cx, now, slot);
            repeated += 1;
        }
        if repeated > 0 && silent {
            self.backoff = (self.backoff + 1).min(16);
            self.on_silence(cx, now);
        }
        // out of credit with nothing to be accepted: the accept that gave more was lost
        if repeated == 0 && self.lacks_notify_credit() {
            self.ask_for_answer(cx);
            self.arm_notify(cx, now + timeout);
        }
    }

    pub(crate) fn arm_notify(&mut self, cx: &mut Context, at: Timestamp) {
        let timer = self.timer(TimerKind::Notify);
        cx.arm(&mut self.timers.notify, at, timer);
    }

    fn on_close_timer(&mut self, cx: &mut Context, now: Timestamp) {
        if self.closing.is_empty() {
            return;
        }
        let heard = self.note_closes(now);
        let most = cx.config.max_repeats;
        let mut attempts = 0;
        self.closing.retain_mut(|closing| {
            closing.queued = true;
            closing.ignored += u32::from(heard);
            attempts = attempts.max(closing.attempts);
            closing.ignored <= most
        });
        if self.last_heard + self.timeout(cx) <= now {
            self.on_silence(cx, now);
        }
        self.wants_to_send(cx);
        let wait = self.timeout(cx).saturating_mul(1 << attempts.min(8));
        let at = now + cx.jitter.stretch(wait.min(cx.config.max_timeout), 33);
        self.arm_close(cx, at);
    }

    /// Sees to it that closes are repeated.
    pub(crate) fn arm_close(&mut self, cx: &mut Context, at: Timestamp) {
        let timer = self.timer(TimerKind::Close);
        cx.arm(&mut self.timers.close, at, timer);
    }
}
