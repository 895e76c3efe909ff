//! Which message is announced next: notifies by priority, within the credit and the grant that the
//! peer gave.

use super::Peer;
use crate::{
    endpoint::context::Context,
    schedule::levels::{Claim, Place},
    slots::SlotRef,
    transfer::sender::{NotifyState, SendBody, SendTransfer},
};

/// What notifies share: the credit for new ones, and the grant of bytes that come unasked.
const CREDIT: u8 = 1;
const GRANT: u8 = 2;

/// A level leaves a part of credit and grant to those that are more urgent, so that what they open
/// need not wait for an accept first [SCHED-8]: for each of them one in this many,
const RESERVE_PART: u64 = 32;

/// but no more than so many notifies,
const RESERVE_NOTIFIES: u64 = 2;

/// and so many bytes of the grant.
const RESERVE_BYTES: u64 = 512;

/// A payload of up to this many bytes takes nothing of the grant: it is little beside its notify,
/// which takes credit.
pub(super) const TINY: u64 = 128;

impl Peer {
    /// Queues a notify, for the first time or again.
    pub(crate) fn queue_notify(&mut self, cx: &mut Context, slot: SlotRef) {
        let Some(transfer) = self.outgoing.get_mut(slot) else { return };
        if !transfer.notify.queued {
            transfer.notify.queued = true;
            // repeats need no credit: they must not stand behind those that wait for some, since
            // what they announce may be what the credit waits for
            if transfer.notify.sent > 0 {
                self.notify_queue.push_ahead(slot);
            } else {
                self.notify_queue.push(usize::from(transfer.priority.level()), slot);
            }
            self.wants_to_send(cx);
        }
    }

    /// Where the notify waits that may leave now.
    pub(crate) fn next_notify(&self) -> Option<Place> {
        self.notify_queue.next(|level, &slot| match self.outgoing.get(slot) {
            Some(transfer) => self.claim(level as u8, transfer),
            None => Claim::default(),
        })
    }

    /// What a first notify takes, and what it waits for.
    fn claim(&self, level: u8, transfer: &SendTransfer) -> Claim {
        let undecided = matches!(transfer.body, SendBody::Undecided(_));
        let (size, grant) = (transfer.size, self.params.unscheduled_bytes);
        let unasked = undecided && size > TINY && size <= grant;
        let takes = if unasked { CREDIT | GRANT } else { CREDIT };
        let mut lacks = if self.has_notify_credit(level) { 0 } else { CREDIT };
        // a message that fits the grant waits until others of the grant are accepted: to be pulled
        // instead would cost it another round trip, and both sides much more work
        if unasked
            && size <= self.max_inline as u64
            && self.unscheduled + size > self.grant_of(level)
        {
            lacks |= GRANT;
        }
        Claim { takes, lacks }
    }

    /// Whether a first notify of a level may be sent for the credit that the peer gave. While none
    /// is on its way, all that is left may be used: nobody would give more.
    fn has_notify_credit(&self, level: u8) -> bool {
        let left = self.notify_limit.saturating_sub(self.notifies_sent);
        left > reserve(level, left + self.notifies_pending, RESERVE_NOTIFIES)
    }

    /// Bytes that may be on their way unasked once a message of a level has left. While none are,
    /// that is all of the grant.
    pub(crate) fn grant_of(&self, level: u8) -> u64 {
        let grant = self.params.unscheduled_bytes;
        match self.unscheduled {
            0 => grant,
            _ => grant - reserve(level, grant, RESERVE_BYTES),
        }
    }

    /// Whether no new message can be announced before the peer gives more credit.
    pub(crate) fn lacks_notify_credit(&self) -> bool {
        let level = self.notify_queue.most_urgent();
        level.is_some_and(|level| !self.has_notify_credit(level as u8))
    }

    /// The receiver has a notify, or it is given up; it was in the state `notify` until now. It no
    /// longer counts as on its way, nor does what was sent unasked with it.
    pub(crate) fn return_notify_credit(&mut self, cx: &mut Context, notify: &NotifyState) {
        let was_pending = notify.sent > 0 && !notify.accepted;
        self.notifies_pending -= u64::from(was_pending);
        self.unscheduled -= notify.unscheduled;
        if (was_pending || notify.unscheduled > 0) && !self.notify_queue.is_empty() {
            self.wants_to_send(cx);
        }
    }

    /// A message has ended: its first notify waits no more.
    pub(crate) fn forget_notify(&mut self, level: u8, notify: &NotifyState) {
        if notify.queued && notify.sent == 0 {
            let outgoing = &self.outgoing;
            let is_alive = |slot: &SlotRef| outgoing.get(*slot).is_some();
            self.notify_queue.note_gone(usize::from(level), is_alive);
        }
    }
}

/// What a level leaves of `all` to the more urgent ones, with at most `each` for each of them.
const fn reserve(level: u8, all: u64, each: u64) -> u64 {
    let level = level as u64;
    let (part, most) = (all.saturating_mul(level) / RESERVE_PART, each * level);
    if part < most { part } else { most }
}
