//! What may come of each call, by the plan alone: no network, no time but the plan's.

use dcquic_proto::{endpoint::StartError, id::Status, pool::CallCause};

use super::{
    log::End,
    plan::{Call, Dropped, Ending, Plan},
};
use crate::net::Picos;

/// A reason for a call to come to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// What it depends on may fail.
    Dependency,
    Deadline,
    /// The answerer ends it without an answer.
    Closed(Status),
    /// The caller gives it up.
    GivenUp,
    /// The network or the other host.
    Fault,
    /// The caller's worker.
    Gone,
}

/// What may come of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    /// The status of the answer, if there may be one.
    pub(super) answer: Option<Status>,
    /// Why it may end without; if there is no reason, it must not.
    pub(super) failures: Vec<Why>,
    /// Its handles may be dropped before it ends.
    pub(super) dropped: bool,
    /// The peer's worker may hear of it, and its application too.
    pub(super) may_be_sent: bool,
    pub(super) may_start: bool,
}

impl Expected {
    pub(super) fn must_succeed(&self) -> bool {
        self.answer == Some(Status::OK) && self.failures.is_empty() && !self.dropped
    }

    fn may_succeed(&self) -> bool {
        self.answer == Some(Status::OK)
    }

    /// Whether the caller's end may be this one.
    pub(super) fn allows(&self, end: End) -> bool {
        match end {
            End::Done(status) => self.answer == Some(status),
            End::Dropped => self.dropped,
            End::Unknown => false,
            End::Failed(cause) => self.failures.iter().any(|why| why.explains(cause)),
        }
    }

    /// Whether an answerer that did not drop the call may see this end.
    pub(super) fn allows_answerer(&self, end: End, answers: bool) -> bool {
        // the close, or the caller's worker asked for what it no longer sends
        let drops = [Status::CANCELLED, Status::UNKNOWN_ID].map(CallCause::ClosedByPeer);
        let peer_drops = |cause| drops.contains(&cause);
        match end {
            End::Done(status) => self.answer == Some(status),
            End::Dropped => !answers,
            End::Unknown => false,
            End::Failed(cause) => {
                (self.dropped || self.failures.contains(&Why::GivenUp)) && peer_drops(cause)
                    || self.failures.iter().any(|why| why.explains_to_answerer(cause))
            }
        }
    }
}

impl Why {
    fn explains(self, cause: CallCause) -> bool {
        match self {
            Self::Dependency => cause == CallCause::DependencyFailed,
            Self::Deadline => {
                matches!(cause, CallCause::Deadline | CallCause::ClosedByPeer(Status::DEADLINE))
            }
            Self::Closed(status) => cause == CallCause::ClosedByPeer(status),
            Self::GivenUp => cause == CallCause::Cancelled,
            Self::Fault => is_fault(cause),
            Self::Gone => cause == CallCause::WorkerGone,
        }
    }

    fn explains_to_answerer(self, cause: CallCause) -> bool {
        match self {
            Self::Dependency => matches!(
                cause,
                CallCause::DependencyFailed | CallCause::ClosedByPeer(Status::DEPENDENCY)
            ),
            Self::Deadline => self.explains(cause),
            Self::Closed(_) | Self::GivenUp => false,
            // whose worker has gone, and whose peer, is the same crash
            Self::Fault | Self::Gone => {
                is_fault(cause)
                    || cause == CallCause::WorkerGone
                    || cause == CallCause::ClosedByPeer(Status::CANCELLED)
            }
        }
    }
}

/// What a host hears when another one, or the way to it, has failed.
fn is_fault(cause: CallCause) -> bool {
    match cause {
        CallCause::PeerFailed(_) | CallCause::Unanswered => true,
        CallCause::Start(error) => matches!(
            error,
            StartError::PeerUnavailable | StartError::PeerProbing | StartError::PeerFailed
        ),
        CallCause::ClosedByPeer(status) => status == Status::UNKNOWN_ID,
        _ => false,
    }
}

/// What may come of each call of a plan.
pub(super) fn expect(plan: &Plan) -> Vec<Expected> {
    let mut expected: Vec<Expected> = Vec::new();
    for call in &plan.calls {
        let of_call = expect_call(plan, call, &expected);
        expected.push(of_call);
    }
    expected
}

fn expect_call(plan: &Plan, call: &Call, before: &[Expected]) -> Expected {
    let conditions = &plan.conditions;
    let dropped = call.dropped.map(|(_, which)| which);
    let mut expected = Expected {
        answer: None,
        failures: Vec::new(),
        dropped: matches!(dropped, Some(Dropped::All | Dropped::Receiver)),
        may_start: false,
        may_be_sent: false,
    };
    if is_never_started(call) {
        return expected;
    }
    let starts = Picos(call.at.0 + call.lag.0);
    let is_gone = conditions.is_crashed(call.from)
        && conditions.life(call.from, call.at) == 0
        && conditions.crash.is_some_and(|crash| starts >= crash.at);
    if is_gone {
        expected.failures.push(Why::Gone);
        // its name is known to have failed before it is started
        expected.failures.extend((!call.after.is_empty()).then_some(Why::Dependency));
        return expected;
    }
    let failures = &mut expected.failures;
    failures.extend(call.deadline.map(|_| Why::Deadline));
    if dropped == Some(Dropped::Sender) {
        failures.push(Why::GivenUp);
    }
    if conditions.is_crashed(call.from) {
        failures.push(Why::Gone);
    }
    if conditions.is_fragile(call.from) || conditions.is_fragile(call.to) {
        failures.push(Why::Fault);
    }
    expected.may_start = !is_sender_unused(call);
    expected.may_be_sent = expected.may_start;
    for after in call.after.iter().filter(|after| !after.optional) {
        let on = &before[after.on];
        if !on.must_succeed() && !failures.contains(&Why::Dependency) {
            failures.push(Why::Dependency);
        }
        let same_peer = plan.calls[after.on].to == call.to;
        let may_be_reached = if after.answered { on.may_succeed() } else { on.may_be_sent };
        expected.may_start &= may_be_reached;
        // the peer takes what it has to hold back
        expected.may_be_sent &= if same_peer { on.may_be_sent } else { may_be_reached };
    }
    if expected.may_start {
        match call.answer.ending {
            Ending::Answer(status) => expected.answer = Some(status),
            Ending::Reject(status) => failures.push(Why::Closed(status)),
            Ending::Drop(_) => failures.push(Why::Closed(Status::INTERNAL)),
        }
    }
    expected
}

/// Whether the caller drops its handles before it uses them.
pub(super) fn is_never_started(call: &Call) -> bool {
    call.dropped == Some((Picos::ZERO, Dropped::All))
}

/// Whether the caller drops the sender of a call of two handles before it uses it.
pub(super) fn is_sender_unused(call: &Call) -> bool {
    call.dropped == Some((Picos::ZERO, Dropped::Sender))
}
