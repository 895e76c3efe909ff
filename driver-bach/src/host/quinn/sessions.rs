//! The sessions of a host, and which of them have something to do.

use std::{
    collections::{BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use quinn_proto::ConnectionHandle;

use super::session::Session;

/// When a session is asked again that is due and waits to send first; quinn's timer granularity.
const ASK_AGAIN: Duration = Duration::from_millis(1);

/// All sessions of a host by their handles, which are small numbers.
pub(super) struct Sessions {
    clock: Clock,
    table: Vec<Option<Session>>,
    /// The deadlines of all sessions that have one.
    timers: BTreeSet<(Instant, usize)>,
    /// Sessions that may have something to send, in the order of their turns.
    ready: VecDeque<ConnectionHandle>,
}

/// A timer of finite granularity: it fires at its ticks alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// Some tick, before all others that matter.
    pub(super) first: Instant,
    /// The span from tick to tick; zero for a timer that is exact.
    pub(super) tick: Duration,
}

impl Clock {
    /// When a timer that is set to `deadline` fires.
    fn fires(self, deadline: Instant) -> Instant {
        let since = deadline.saturating_duration_since(self.first).as_nanos();
        let late = match since.checked_rem(self.tick.as_nanos()) {
            None | Some(0) => 0,
            Some(past) => self.tick.as_nanos() - past,
        };
        deadline + Duration::from_nanos(u64::try_from(late).unwrap_or(u64::MAX))
    }
}

impl Sessions {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, table: Vec::new(), timers: BTreeSet::new(), ready: VecDeque::new() }
    }

    pub(super) fn insert(&mut self, handle: ConnectionHandle, session: Session) {
        if handle.0 >= self.table.len() {
            self.table.resize_with(handle.0 + 1, || None);
        }
        self.table[handle.0] = Some(session);
    }

    pub(super) fn get(&mut self, handle: ConnectionHandle) -> Option<&mut Session> {
        self.table.get_mut(handle.0)?.as_mut()
    }

    pub(super) fn remove(&mut self, handle: ConnectionHandle) -> Option<Session> {
        let session = self.table.get_mut(handle.0)?.take()?;
        if let Some(deadline) = session.deadline {
            self.timers.remove(&(deadline, handle.0));
        }
        self.ready.retain(|queued| *queued != handle);
        Some(session)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Session> {
        self.table.iter().flatten()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.table.iter_mut().flatten()
    }

    /// Gives a session a turn to send, after those that have one already.
    pub(super) fn queue(&mut self, handle: ConnectionHandle) {
        if let Some(session) = self.get(handle)
            && !session.queued
        {
            session.queued = true;
            self.ready.push_back(handle);
        }
    }

    /// Whose turn it is to send. It has no other one until it is queued again.
    pub(super) fn next_turn(&mut self) -> Option<ConnectionHandle> {
        let handle = self.ready.pop_front()?;
        self.get(handle)?.queued = false;
        Some(handle)
    }

    pub(super) fn has_turns(&self) -> bool {
        !self.ready.is_empty()
    }

    /// When the first session is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.timers.first().map(|(deadline, _)| *deadline)
    }

    /// The sessions that are due, each once.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<ConnectionHandle> {
        let mut due = Vec::new();
        while let Some(&(deadline, handle)) = self.timers.first()
            && deadline <= now
        {
            self.timers.pop_first();
            let handle = ConnectionHandle(handle);
            if let Some(session) = self.get(handle) {
                session.deadline = None;
                due.push(handle);
            }
        }
        due
    }

    /// Takes over the deadline that a session has now.
    ///
    /// `called_at` is the time of its deadline that was just handled, if one was. A probe timeout
    /// whose backoff has reached its limit stays due until the probe is sent, which a busy NIC may
    /// delay: without a pause the host would be called for ever at this instant.
    pub(super) fn set_timer(&mut self, handle: ConnectionHandle, called_at: Option<Instant>) {
        let Some(session) = self.table.get_mut(handle.0).and_then(Option::as_mut) else { return };
        let mut deadline = session.quic.poll_timeout();
        if let (Some(at), Some(now)) = (deadline, called_at)
            && at <= now
        {
            deadline = Some(now + ASK_AGAIN);
        }
        let deadline = deadline.map(|at| self.clock.fires(at));
        if deadline == session.deadline {
            return;
        }
        if let Some(old) = session.deadline {
            self.timers.remove(&(old, handle.0));
        }
        self.timers.extend(deadline.map(|new| (new, handle.0)));
        session.deadline = deadline;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_fire_at_the_next_tick() {
        let first = Instant::now();
        let clock = Clock { first, tick: Duration::from_nanos(1_000) };
        for (set, fires) in [(0, 0), (1, 1_000), (999, 1_000), (1_000, 1_000), (1_001, 2_000)] {
            let after = |nanos| first + Duration::from_nanos(nanos);
            assert_eq!(clock.fires(after(set)), after(fires));
            let exact = Clock { first, tick: Duration::ZERO };
            assert_eq!(exact.fires(after(set)), after(set));
        }
    }
}
