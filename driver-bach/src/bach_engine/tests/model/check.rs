//! Whether what came of a run is what may have come of it.

use dcquic_proto::{id::Status, pool::CallCause};

use super::{
    log::{CallLog, End, Read, Side, Way, body, headers},
    plan::{After, Call, Ending, Kind, Message, Plan, Read as Taking},
    reference::{Expected, expect},
};
use crate::net::Picos;

/// What the end of a deadline may be late: timers, and the application's turn.
const LATE: Picos = Picos::from_micros(2_000);

/// Everything that is wrong with a run.
pub(super) fn check(plan: &Plan, logs: &[CallLog]) -> Vec<String> {
    let expected = expect(plan);
    let mut problems = Vec::new();
    for call in &plan.calls {
        let check = Check { plan, logs, call, log: &logs[call.index] };
        if let Err(problem) = check.run(&expected[call.index]) {
            let expected = &expected[call.index];
            let what = describe(call, check.log);
            problems.push(format!("call {}: {problem}\n{what}\nexpected {expected:?}", call.index));
        }
    }
    problems
}

/// A call, and what both ends saw of it.
pub(super) fn describe(call: &Call, log: &CallLog) -> String {
    let answerers: Vec<_> = log.answerers.iter().map(show).collect();
    format!("{call:?}\ncaller {}\nanswerers {}", show(&log.caller), answerers.join(", "))
}

fn show(side: &Side) -> String {
    let Side { began, read, read_all, answered, ended, sent } = side;
    let read: Vec<_> = read.iter().map(|(_, body)| body.len()).collect();
    format!(
        "began {began:?}, read {read:?} (all: {read_all}), answered {answered:?}, \
         ended {ended:?}, sent {sent:?}"
    )
}

type Checked = Result<(), String>;

fn ensure(condition: bool, problem: &str) -> Checked {
    if condition { Ok(()) } else { Err(problem.into()) }
}

struct Check<'a> {
    plan: &'a Plan,
    logs: &'a [CallLog],
    call: &'a Call,
    log: &'a CallLog,
}

impl Check<'_> {
    fn run(&self, expected: &Expected) -> Checked {
        let Some((_, _, end)) = self.log.caller.ended else {
            return Err("it has not ended".into());
        };
        ensure(expected.allows(end), "it must not end like this")?;
        ensure(self.log.answerers.len() <= 1, "it was handed over more than once")?;
        self.contents()?;
        self.deadline(end)?;
        if let End::Done(_) = end {
            self.done()?;
        }
        for answerer in &self.log.answerers {
            self.answerer(expected, answerer, end)?;
        }
        self.call.after.iter().try_for_each(|after| self.dependency(after))
    }

    /// What was read is the beginning of what was sent.
    fn contents(&self) -> Checked {
        let call = self.call;
        let is_right = |way, (at, read): (usize, &Read), sent: Option<&Message>, bare| {
            sent.is_some_and(|sent| {
                let len = if bare { 0 } else { sent.headers };
                read.0 == headers(call.index, way, at, len)
                    && read.1 == body(call.index, way, at, *sent)
            })
        };
        let responses = &call.answer.responses;
        let mut read = self.log.caller.read.iter().enumerate();
        let right = read.all(|one| is_right(Way::Response, one, responses.get(one.0), false));
        ensure(right, "a response is not the one that was sent")?;
        let bare = !call.kind.pattern().has_many_requests();
        for answerer in &self.log.answerers {
            let mut read = answerer.read.iter().enumerate();
            let right = read.all(|one| is_right(Way::Request, one, call.requests.get(one.0), bare));
            ensure(right, "a request is not the one that was sent")?;
        }
        Ok(())
    }

    /// A deadline comes neither early nor late.
    fn deadline(&self, end: End) -> Checked {
        let (Some(deadline), End::Failed(CallCause::Deadline)) = (self.call.deadline, end) else {
            return Ok(());
        };
        let span = Picos::from_nanos(deadline.as_nanos() as u64);
        let (Some((_, began)), Some((_, ended, _))) =
            (self.log.caller.began, self.log.caller.ended)
        else {
            return Err("it has not begun".into());
        };
        let took = ended.saturating_since(began);
        ensure(took >= span, "its deadline came early")?;
        let waits = matches!(self.call.kind, Kind::Unary | Kind::Bulk | Kind::Requests);
        ensure(!waits || took.0 <= span.0 + LATE.0, "its deadline came late")
    }

    /// A call that was answered has done all that it should.
    fn done(&self) -> Checked {
        let call = self.call;
        let [answerer] = &self.log.answerers[..] else {
            return Err("it was answered by nobody".into());
        };
        ensure(answerer.answered.is_some(), "it was answered before the answer")?;
        let caller = &self.log.caller;
        let all = caller.read_all && caller.read.len() == call.answer.responses.len();
        ensure(all, "not all responses were read")?;
        let (count, must_end) = match call.answer.read {
            Taking::First(limit) => (limit.min(call.requests.len()), false),
            Taking::All | Taking::Records => (call.requests.len(), true),
        };
        ensure(answerer.read.len() == count, "not all requests were read")?;
        ensure(answerer.read_all || !must_end, "the requests did not end")
    }

    fn answerer(&self, expected: &Expected, answerer: &Side, caller: End) -> Checked {
        ensure(expected.may_start, "it must not have been started")?;
        let Some((_, _, end)) = answerer.ended else {
            return Err("its answerer has not ended".into());
        };
        let answers = matches!(self.call.answer.ending, Ending::Answer(_));
        ensure(expected.allows_answerer(end, answers), "its answerer must not end like this")?;
        let conditions = &self.plan.conditions;
        let fragile = conditions.is_fragile(self.call.from) || conditions.is_fragile(self.call.to);
        let excused = fragile || self.call.dropped.is_some() || self.call.deadline.is_some();
        let both = matches!(end, End::Done(_)) == matches!(caller, End::Done(_));
        ensure(both || excused, "the two ends disagree on whether it was answered")
    }

    /// A call that was handed over was behind those that it depends on.
    fn dependency(&self, after: &After) -> Checked {
        let Some(began) = self.log.answerers.first().and_then(|side| side.began) else {
            return Ok(());
        };
        let (on, other) = (&self.logs[after.on], &self.plan.calls[after.on]);
        let succeeded = matches!(on.caller.ended, Some((_, _, End::Done(Status::OK))));
        let answerer = on.answerers.first();
        if after.answered && (succeeded || !after.optional) {
            let is_ok = other.answer.ending == Ending::Answer(Status::OK);
            let answered = answerer.and_then(|side| side.answered);
            let before = answered.is_some_and(|answered| answered.0 < began.0);
            return ensure(is_ok && before, "it came before what it depends on was answered");
        }
        // the peer may hold one back that has been sent
        if succeeded && other.after.is_empty() && other.to == self.call.to {
            let first = answerer.and_then(|side| side.began);
            let before = first.is_some_and(|first| first.0 < began.0);
            return ensure(before, "it came before what it depends on had come");
        }
        Ok(())
    }
}
