//! What an endpoint makes of its peers' health (spec chapter 9).

use core::net::SocketAddr;

use super::{Endpoint, PeerFailure, StartError};
use crate::{health::PeerHealth, id::PeerId, time::Timestamp};

impl Endpoint {
    /// How a peer is doing; none if it is not known.
    pub fn health(&self, peer: PeerId) -> Option<PeerHealth> {
        self.peer(peer).map(crate::peer::Peer::health)
    }

    /// Says that somebody wants to begin something with a peer, as [`Self::open`] does by itself.
    ///
    /// A failed peer is looked after for longer, and greeted anew, if it left a probe unanswered:
    /// it may have restarted, and lost its keys. If it answers, it comes back as a new peer, with
    /// an [`Event::PeerConnected`](super::Event::PeerConnected) of its own.
    ///
    /// # Errors
    /// Nothing can be begun with it now.
    pub fn ask_for(&mut self, now: Timestamp, id: PeerId) -> Result<(), StartError> {
        let (peer, cx) = self.peer_and_context(id).ok_or(StartError::PeerUnavailable)?;
        let answer = peer.ask_for(now);
        let remote = peer.remote;
        if answer.is_err() && peer.takes_greeting(cx, now) && !self.is_greeting(&remote) {
            // without room for one more, the failed peer has to come back by itself
            let _full = self.add_peer(now, remote);
        }
        answer
    }

    /// The network says that an address cannot be reached (ICMP), which anybody may have written.
    ///
    /// A peer there that never answered has failed. So has one that owes an answer and was not
    /// heard a moment ago; any other with work outstanding is probed first.
    pub fn handle_unreachable(&mut self, now: Timestamp, remote: SocketAddr) {
        for id in self.by_remote.get(&remote) {
            let Some((peer, cx)) = self.peer_and_context(id) else { continue };
            if peer.is_connected() {
                peer.on_unreachable(cx, now);
            } else {
                self.fail_peer(id, PeerFailure::Unreachable);
            }
        }
    }

    /// A session with an address has begun: it takes the place of those that had failed.
    pub(super) fn replace_failed(&mut self, remote: &SocketAddr) {
        for id in self.by_remote.get(remote) {
            if self.peer(id).is_some_and(crate::peer::Peer::has_failed) {
                self.fail_peer(id, PeerFailure::Replaced);
            }
        }
    }

    fn is_greeting(&self, remote: &SocketAddr) -> bool {
        self.by_remote
            .get(remote)
            .into_iter()
            .any(|id| self.peer(id).is_some_and(|peer| !peer.is_connected()))
    }
}
