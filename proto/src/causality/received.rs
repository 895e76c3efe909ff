//! What a receiver knows of the calls of one peer on which others depend, and who waits for them
//! (spec 7.5).

use std::collections::VecDeque;

use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::{
    id::StreamId,
    wire::frame::{DependencyKind, Failure, WaitPoint},
};

/// Ended calls that are remembered per peer. A dependant that overtakes the end of what it depends
/// on finds it here; the sender names nothing that it knows to have ended.
const REMEMBERED: usize = 4_096;

/// The calls of one peer that others depend on, and the streams that wait for them.
#[derive(Debug, Default)]
pub(crate) struct Received {
    calls: HashMap<StreamId, Entry>,
    /// Ended calls, oldest first.
    ended: VecDeque<StreamId>,
    /// Streams for which something has changed, and what has.
    woken: VecDeque<(StreamId, StreamId)>,
}

#[derive(Debug)]
struct Entry {
    state: State,
    waiting: SmallVec<[StreamId; 2]>,
}

/// How far a call has come here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Something depends on it; it has not come itself.
    Named,
    /// It has come, and the application has not got its request.
    Announced,
    /// The application has its request.
    Delivered,
    /// It was answered with success.
    Answered,
    /// It has ended in another way; the application had its request, or not.
    Failed { delivered: bool },
}

impl State {
    fn has_ended(self) -> bool {
        matches!(self, Self::Answered | Self::Failed { .. })
    }
}

/// How a dependency stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is out of the way.
    Reached,
    /// It has failed, and what depends on it fails too.
    Failed,
    /// It is still to come.
    Waiting,
}

impl Received {
    /// A call has come.
    pub(crate) fn on_announced(&mut self, call: StreamId) {
        self.set(call, State::Announced);
    }

    /// The application has its request.
    pub(crate) fn on_delivered(&mut self, call: StreamId) {
        self.set(call, State::Delivered);
    }

    /// It was answered.
    pub(crate) fn on_answered(&mut self, call: StreamId, success: bool) {
        if success {
            self.set(call, State::Answered);
        } else {
            self.on_failed(call);
        }
    }

    /// It has ended without an answer, unless it was answered.
    pub(crate) fn on_failed(&mut self, call: StreamId) {
        let state = self.calls.get(&call).map(|entry| entry.state);
        let delivered = state == Some(State::Delivered);
        self.set(call, State::Failed { delivered });
    }

    /// How a dependency stands.
    pub(crate) fn check(&self, call: StreamId, kind: DependencyKind) -> Verdict {
        let Some(entry) = self.calls.get(&call) else { return Verdict::Waiting };
        match (entry.state, kind.wait) {
            (State::Answered, _)
            | (State::Delivered | State::Failed { delivered: true }, WaitPoint::RequestSent) => {
                Verdict::Reached
            }
            (State::Failed { .. }, _) => match kind.failure {
                Failure::Cascade => Verdict::Failed,
                Failure::Ignore => Verdict::Reached,
            },
            _ => Verdict::Waiting,
        }
    }

    /// Wakes `stream` when `call` changes, once.
    pub(crate) fn wait(&mut self, call: StreamId, stream: StreamId) {
        self.entry(call).waiting.push(stream);
    }

    /// A stream that waited for `call` does so no longer.
    pub(crate) fn stop_waiting(&mut self, call: StreamId, stream: StreamId) {
        let Some(entry) = self.calls.get_mut(&call) else { return };
        entry.waiting.retain(|waiting| *waiting != stream);
        if entry.state == State::Named && entry.waiting.is_empty() {
            self.calls.remove(&call);
        }
    }

    /// A stream that waits, and the call that has changed.
    pub(crate) fn next_woken(&mut self) -> Option<(StreamId, StreamId)> {
        self.woken.pop_front()
    }

    fn entry(&mut self, call: StreamId) -> &mut Entry {
        let new = || Entry { state: State::Named, waiting: SmallVec::new() };
        self.calls.entry(call).or_insert_with(new)
    }

    fn set(&mut self, call: StreamId, state: State) {
        let entry = self.entry(call);
        if entry.state.has_ended() {
            return;
        }
        entry.state = state;
        let waiting = core::mem::take(&mut entry.waiting);
        self.woken.extend(waiting.into_iter().map(|stream| (stream, call)));
        if state.has_ended() {
            self.ended.push_back(call);
            if self.ended.len() > REMEMBERED
                && let Some(oldest) = self.ended.pop_front()
            {
                self.calls.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Role;

    const SENT: WaitPoint = WaitPoint::RequestSent;
    const ANSWERED: WaitPoint = WaitPoint::ResponseReceived;

    fn stream(slot: u32) -> StreamId {
        StreamId::new(Role::Initiator, 0, slot)
    }

    fn cascade(wait: WaitPoint) -> DependencyKind {
        DependencyKind { wait, failure: Failure::Cascade }
    }

    /// [CAUS-10]
    #[test]
    fn each_state_answers_each_kind() {
        use Verdict::{Failed, Reached, Waiting};
        let mut received = Received::default();
        let all = |received: &Received| {
            [SENT, ANSWERED].map(|wait| {
                [Failure::Cascade, Failure::Ignore]
                    .map(|failure| received.check(stream(1), DependencyKind { wait, failure }))
            })
        };
        assert_eq!(all(&received), [[Waiting; 2]; 2]);
        received.on_announced(stream(1));
        assert_eq!(all(&received), [[Waiting; 2]; 2]);
        received.on_delivered(stream(1));
        assert_eq!(all(&received), [[Reached; 2], [Waiting; 2]]);
        received.on_failed(stream(1));
        assert_eq!(all(&received), [[Reached; 2], [Failed, Reached]]);
        let mut received = Received::default();
        received.on_failed(stream(1));
        assert_eq!(all(&received), [[Failed, Reached]; 2], "closed before it came");
    }

    #[test]
    fn an_answer_is_the_end_and_nothing_changes_it() {
        let mut received = Received::default();
        received.on_delivered(stream(1));
        received.on_answered(stream(1), true);
        received.on_failed(stream(1));
        assert_eq!(received.check(stream(1), cascade(ANSWERED)), Verdict::Reached);
    }

    #[test]
    fn who_waits_is_woken_once_per_change_even_ahead_of_the_call() {
        let mut received = Received::default();
        received.wait(stream(7), stream(1));
        assert_eq!(received.next_woken(), None);
        received.on_announced(stream(7));
        assert_eq!(received.next_woken(), Some((stream(1), stream(7))));
        received.on_delivered(stream(7));
        assert_eq!(received.next_woken(), None, "it did not wait again");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut received = Received::default();
        for slot in 0..3 * REMEMBERED as u32 {
            received.on_announced(stream(slot));
            received.on_answered(stream(slot), true);
            received.wait(stream(slot | 1 << 23), stream(1));
            received.stop_waiting(stream(slot | 1 << 23), stream(1));
        }
        assert_eq!((received.calls.len(), received.ended.len()), (REMEMBERED, REMEMBERED));
        let last = stream(3 * REMEMBERED as u32 - 1);
        assert_eq!(received.check(last, cascade(ANSWERED)), Verdict::Reached);
    }
}
