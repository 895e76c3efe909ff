//! Calls that wait until their peer allows another stream (spec 5.6).

use hashbrown::HashMap;

use crate::{
    causality::Dependency,
    id::PeerId,
    pool::Start,
    schedule::levels::{Claim, Levels},
};

/// Calls that wait, by peer and priority.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    peers: HashMap<PeerId, Queue>,
}

/// The calls that wait for one peer.
#[derive(Debug, Default)]
struct Queue {
    calls: Levels<(Start, Vec<Dependency>)>,
    len: usize,
}

impl Waiting {
    /// Whether a call to the peer has to wait behind others.
    pub(super) fn is_behind(&self, peer: PeerId) -> bool {
        self.peers.contains_key(&peer)
    }

    /// Lets a call wait behind those of its priority; gives it back if `limit` of them do already.
    pub(super) fn push(
        &mut self,
        peer: PeerId,
        start: Start,
        behind: Vec<Dependency>,
        limit: usize,
    ) -> Result<(), Box<Start>> {
        let queue = self.peers.entry(peer).or_default();
        if queue.len >= limit {
            return Err(Box::new(start));
        }
        queue.len += 1;
        let level = usize::from(start.options.priority.level());
        queue.calls.push(level, (start, behind));
        Ok(())
    }

    /// The call to the peer whose turn it is, by the weights of the priorities.
    pub(super) fn pop(&mut self, peer: PeerId) -> Option<(Start, Vec<Dependency>)> {
        let queue = self.peers.get_mut(&peer)?;
        let place = queue.calls.next(|_, _| Claim::default())?;
        let call = queue.calls.serve(place);
        queue.len -= 1;
        if queue.len == 0 {
            self.peers.remove(&peer);
        }
        call
    }

    /// All calls that wait.
    pub(super) fn drain(&mut self) -> Vec<Start> {
        #[expect(clippy::disallowed_methods, reason = "sorted before use")]
        let mut peers: Vec<PeerId> = self.peers.keys().copied().collect();
        peers.sort_unstable();
        let mut calls = Vec::new();
        for peer in peers {
            while let Some((start, _)) = self.pop(peer) {
                calls.push(start);
            }
        }
        calls
    }
}
