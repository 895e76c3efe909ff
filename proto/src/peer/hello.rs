//! A peer until both sides hold the keys (spec chapter 3).

use core::net::SocketAddr;

use super::{Peer, Session};
use crate::{
    crypto::{HelloInitiator, HelloOutcome, PathKeys},
    endpoint::{
        Event, PeerFailure,
        context::{Context, TimerKind},
    },
    id::{PeerId, Role},
    time::Timestamp,
};

impl Peer {
    /// A peer to say hello to.
    pub(crate) fn to_greet(
        id: PeerId,
        remote: SocketAddr,
        initiator: HelloInitiator,
        cx: &mut Context,
        now: Timestamp,
    ) -> Self {
        let session = Session::Hello {
            initiator: Box::new(initiator),
            started: now,
            attempts: 0,
            send: true,
        };
        let mut peer = Self::new(id, remote, Role::Initiator, session, cx, now);
        peer.wants_to_send(cx);
        peer
    }

    /// A peer that greeted us and has proved that it holds the keys.
    pub(crate) fn greeted(
        id: PeerId,
        remote: SocketAddr,
        outcome: &HelloOutcome,
        keys: Box<PathKeys>,
        cx: &mut Context,
        now: Timestamp,
    ) -> Self {
        let session = Session::Connected { keys, secret: outcome.secret.id() };
        let mut peer = Self::new(id, remote, Role::Responder, session, cx, now);
        peer.adopt(outcome, cx, now);
        peer.announce(cx);
        peer
    }

    /// The reply to our hello was authentic: packets can be sealed from here on.
    pub(crate) fn connect(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        outcome: &HelloOutcome,
        keys: Box<PathKeys>,
    ) {
        if let Session::Hello { started, attempts, .. } = &self.session
            && *attempts == 1
        {
            self.rtt.update(now.saturating_since(*started), core::time::Duration::ZERO);
        }
        self.session = Session::Connected { keys, secret: outcome.secret.id() };
        self.adopt(outcome, cx, now);
        cx.disarm(&mut self.timers.hello);
        self.last_heard = now;
        self.busy_since = now;
        // the responder only believes us once it has opened a packet of ours [SEC-HELLO-CONFIRM]
        self.ask_for_answer(cx);
        self.announce(cx);
        self.refuse_slots_beyond_peer_limit(cx);
        self.grant_first_credit(cx, now);
        self.wants_to_send(cx);
        if self.is_busy() {
            self.arm_idle(cx, now);
        }
    }

    fn announce(&self, cx: &mut Context) {
        cx.events.push_back(Event::PeerConnected {
            peer: self.id,
            remote: self.remote,
            incarnation: self.incarnation,
        });
    }

    /// Repeats the hello; the failure, once time is up.
    pub(crate) fn on_hello_timer(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
    ) -> Option<PeerFailure> {
        let Session::Hello { started, send, .. } = &mut self.session else { return None };
        if now.saturating_since(*started) >= cx.config.hello_timeout {
            return Some(PeerFailure::NoAnswer);
        }
        *send = true;
        self.wants_to_send(cx);
        None
    }

    /// Notes that a hello was sent, and when to send the next.
    pub(crate) fn on_hello_sent(&mut self, cx: &mut Context, now: Timestamp) {
        let Session::Hello { attempts, started, send, .. } = &mut self.session else { return };
        *send = false;
        let config = &cx.config;
        let first = (config.initial_rtt * 3).max(config.min_timeout);
        let wait =
            first.saturating_mul(1 << (*attempts).min(16)).min(config.max_timeout.max(first));
        *attempts += 1;
        let at = (now + cx.jitter.stretch(wait, 33)).min(*started + config.hello_timeout);
        let timer = self.timer(TimerKind::Hello);
        cx.disarm(&mut self.timers.hello);
        cx.arm(&mut self.timers.hello, at, timer);
    }
}
