//! Hellos that were answered and whose senders have not yet proved that they hold the keys.
//!
//! Nothing of the endpoint changes before that proof: a replayed hello gets an answer no longer
//! than itself and one bounded, expiring entry here, and opens nothing.

use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::{
    crypto::{HelloOutcome, PathKeys},
    id::SecretId,
    time::Timestamp,
};

/// A hello that was answered.
pub(crate) struct Pending {
    pub(crate) random: [u8; 32],
    pub(crate) outcome: HelloOutcome,
    pub(crate) keys: Box<PathKeys>,
    reply: [u8; 256],
    expires: Timestamp,
}

/// Pending hellos by the secret that came of them, oldest first out.
#[derive(Default)]
pub(crate) struct PendingHellos {
    by_secret: HashMap<SecretId, Pending>,
    by_random: HashMap<[u8; 32], SecretId>,
    order: VecDeque<SecretId>,
}

impl PendingHellos {
    /// Number of entries.
    pub(crate) fn len(&self) -> usize {
        self.by_secret.len()
    }

    /// The reply to a hello that was answered before: the same bytes again.
    pub(crate) fn reply_to(&self, random: &[u8; 32]) -> Option<&[u8; 256]> {
        let secret = self.by_random.get(random)?;
        self.by_secret.get(secret).map(|pending| &pending.reply)
    }

    /// Keeps an answered hello until `expires`; the oldest goes if there are `limit`.
    pub(crate) fn insert(
        &mut self,
        random: [u8; 32],
        outcome: HelloOutcome,
        keys: Box<PathKeys>,
        reply: [u8; 256],
        expires: Timestamp,
        limit: usize,
    ) {
        while self.len() >= limit {
            let Some(oldest) = self.order.pop_front() else { break };
            self.take(&oldest);
        }
        let secret = outcome.secret.id();
        self.by_random.insert(random, secret);
        self.order.push_back(secret);
        self.by_secret.insert(secret, Pending { random, outcome, keys, reply, expires });
    }

    /// The entry whose keys a packet names.
    pub(crate) fn get_mut(&mut self, secret: &SecretId) -> Option<&mut Pending> {
        self.by_secret.get_mut(secret)
    }

    /// Removes an entry.
    pub(crate) fn take(&mut self, secret: &SecretId) -> Option<Pending> {
        let pending = self.by_secret.remove(secret)?;
        self.by_random.remove(&pending.random);
        Some(pending)
    }

    /// Removes what has expired.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        while let Some(secret) = self.order.front() {
            match self.by_secret.get(secret) {
                Some(pending) if pending.expires > now => return,
                _ => {
                    let secret = *secret;
                    self.order.pop_front();
                    self.take(&secret);
                }
            }
        }
    }
}
