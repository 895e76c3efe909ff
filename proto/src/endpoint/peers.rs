//! Which peers an endpoint knows: how they come, and how they go.

use core::net::SocketAddr;

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::{Endpoint, Event, PeerFailure, peer_id, slot_of};
use crate::{
    id::PeerId,
    peer::{Peer, Session},
    time::Timestamp,
};

/// The peers at each address, in the order in which they became known: mostly one.
#[derive(Debug, Default)]
pub(crate) struct ByRemote {
    peers: HashMap<SocketAddr, SmallVec<[PeerId; 2]>>,
}

impl ByRemote {
    /// The peers at an address.
    pub(super) fn get(&self, remote: &SocketAddr) -> SmallVec<[PeerId; 2]> {
        self.peers.get(remote).cloned().unwrap_or_default()
    }

    fn insert(&mut self, remote: SocketAddr, peer: PeerId) {
        self.peers.entry(remote).or_default().push(peer);
    }

    fn remove(&mut self, remote: &SocketAddr, peer: PeerId) {
        if let Some(peers) = self.peers.get_mut(remote) {
            peers.retain(|known| *known != peer);
            if peers.is_empty() {
                self.peers.remove(remote);
            }
        }
    }
}

/// Idle peers looked at to find one to give up for a new one.
const EVICTION_SAMPLE: usize = 16;

impl Endpoint {
    pub(super) fn reserve_peer(&mut self) -> Option<PeerId> {
        self.peers.insert(None).map(peer_id)
    }

    pub(super) fn install_peer(&mut self, id: PeerId, peer: Peer) {
        self.by_remote.insert(peer.remote, id);
        if let Some(place) = self.peers.get_mut(slot_of(id)) {
            *place = Some(Box::new(peer));
        }
        self.cx.peers = self.peers.len();
        self.cx.unscheduled.on_peer();
    }

    /// Makes sure that one more peer can be known: the longest silent of a few idle ones goes.
    pub(super) fn make_room_for_peer(&mut self) -> bool {
        if self.peers.len() < self.cx.config.max_peers {
            return true;
        }
        let mut oldest: Option<(Timestamp, PeerId)> = None;
        for _ in 0..EVICTION_SAMPLE {
            let slot = self.cx.jitter.below(self.cx.config.max_peers as u64) as u32;
            if let Some(found) = self.peers.at(slot)
                && let Some(peer) = self.peer(peer_id(found))
                && peer.is_connected()
                && (!peer.is_busy() || peer.has_failed())
                && oldest.is_none_or(|(heard, _)| peer.last_heard < heard)
            {
                oldest = Some((peer.last_heard, peer.id));
            }
        }
        match oldest {
            Some((_, id)) => {
                self.fail_peer(id, PeerFailure::Evicted);
                true
            }
            None => false,
        }
    }

    pub(super) fn fail_peer(&mut self, id: PeerId, cause: PeerFailure) {
        let Some((peer, cx)) = self.peer_and_context(id) else { return };
        peer.fail(cx, cause);
        let remote = peer.remote;
        match &peer.session {
            Session::Hello { initiator, .. } => {
                let random = initiator.random();
                self.greeting.remove(&random);
            }
            Session::Connected { secret, .. } => {
                let secret = *secret;
                self.by_secret.remove(&secret);
            }
        }
        self.by_remote.remove(&remote, id);
        self.peers.remove(slot_of(id));
        self.cx.peers = self.peers.len();
        self.last_peer = None;
        self.cx.events.push_back(Event::PeerFailed { peer: id, remote, cause });
    }
}
