//! What all handles of a map share: transitions, and who is told of them.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{
    Dependency,
    slots::{Miss, Slots, Update},
    token::{MapId, Name, Token, TokenError},
    wait::{Join, Readiness, Registration, Waiter},
    waiters::{Entries, Entry, Waiters},
    word::{Answer, Phase, Word},
};
use crate::wire::frame::{Failure, WaitPoint};

/// See the module.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) id: MapId,
    pub(super) slots: Slots,
    pub(super) waiters: Waiters,
}

/// A transfer that has just failed, and those who wait for it.
struct Failed {
    name: Name,
    sent: bool,
    entries: Entries,
}

impl Inner {
    pub(super) fn token(&self, name: Name) -> Token {
        Token { map: self.id, name }
    }

    /// The name of one of our tokens. [CAUS-9]
    pub(super) fn name_of(&self, token: Token) -> Result<Name, TokenError> {
        if token.map == self.id { Ok(token.name) } else { Err(TokenError::Foreign { token }) }
    }

    pub(super) fn error(&self, name: Name, miss: Miss) -> TokenError {
        let token = self.token(name);
        match miss {
            Miss::Unknown => TokenError::Unknown { token },
            Miss::Ended => TokenError::Ended { token },
        }
    }

    /// The request was handed over; true if that is news.
    pub(super) fn sent(&self, name: Name) -> Result<bool, Miss> {
        let Update::Changed { before, .. } = self.slots.update(name, Word::sent)? else {
            return Ok(false);
        };
        if before.has_waiters() {
            for entry in self.waiters.take_sent(name) {
                entry.join.reached();
            }
        }
        Ok(true)
    }

    /// The transfer has succeeded; true if that is news.
    pub(super) fn complete(&self, name: Name) -> Result<bool, Miss> {
        let Update::Changed { before, .. } = self.slots.update(name, Word::completed)? else {
            return Ok(false);
        };
        if before.has_waiters() {
            for entry in self.waiters.take(name) {
                entry.join.reached();
            }
        }
        Ok(true)
    }

    /// The transfer has failed, and with it whoever waits and must not go on; true if that is news.
    ///
    /// What fails in turn goes to a list: a chain of any length needs no more stack. [CAUS-4]
    pub(super) fn fail(&self, name: Name) -> Result<bool, Miss> {
        let Some(first) = self.move_to_failed(name)? else { return Ok(false) };
        let mut failed = SmallVec::<[Failed; 1]>::new();
        failed.push(first);
        while let Some(Failed { name, sent, entries }) = failed.pop() {
            let cause = self.token(name);
            for Entry { kind, join } in entries {
                let was_reached = sent && kind.wait == WaitPoint::RequestSent;
                if was_reached || kind.failure == Failure::Ignore {
                    join.reached();
                } else {
                    join.failed(cause, &mut |dependant| {
                        // it may have ended by itself
                        failed.extend(self.move_to_failed(dependant).ok().flatten());
                    });
                }
            }
        }
        Ok(true)
    }

    /// Fails one transfer and takes out who waits for it; `None` if it had ended.
    fn move_to_failed(&self, name: Name) -> Result<Option<Failed>, Miss> {
        let Update::Changed { before, .. } = self.slots.update(name, Word::failed)? else {
            return Ok(None);
        };
        let entries = if before.has_waiters() { self.waiters.take(name) } else { Entries::new() };
        Ok(Some(Failed { name, sent: before.phase() == Phase::Sent, entries }))
    }

    /// See [`Dependent::wait`](super::Dependent::wait).
    pub(super) fn wait<W: Waiter>(
        &self,
        dependant: Name,
        dependencies: &[Dependency],
        waiter: W,
    ) -> Readiness<W> {
        let mut unresolved = SmallVec::<[&Dependency; 8]>::new();
        for dependency in dependencies {
            match self.answer(dependency) {
                Answer::Unresolved => unresolved.push(dependency),
                Answer::Failed => return self.fail_with(dependant, dependency, waiter),
                Answer::Reached => {}
            }
        }
        if unresolved.is_empty() {
            return Readiness::Ready(waiter);
        }
        let join = Arc::new(Join::new(dependant, unresolved.len(), waiter));
        // what was reached meanwhile: counted at the end, so that nobody is told before
        let mut reached = 0;
        for dependency in unresolved {
            let entry = Entry { kind: dependency.kind, join: Arc::clone(&join) as _ };
            match self.waiters.register(&self.slots, dependency.on.name, entry) {
                Answer::Unresolved => {}
                Answer::Failed if dependency.kind.failure == Failure::Cascade => {
                    return match join.take() {
                        Some(waiter) => self.fail_with(dependant, dependency, waiter),
                        None => Readiness::Waiting(Registration::new(join)),
                    };
                }
                Answer::Failed | Answer::Reached => reached += 1,
            }
        }
        match join.reached_some(reached) {
            Some(waiter) => Readiness::Ready(waiter),
            None => Readiness::Waiting(Registration::new(join)),
        }
    }

    /// How a dependency stands; a failure that is to be ignored counts as reached. [CAUS-3]
    fn answer(&self, dependency: &Dependency) -> Answer {
        let Dependency { on, kind } = dependency;
        // what is held and gone has succeeded
        let word = self.slots.load(on.name);
        match word.map_or(Answer::Reached, |word| word.answer(kind.wait)) {
            Answer::Failed if kind.failure == Failure::Ignore => Answer::Reached,
            answer => answer,
        }
    }

    fn fail_with<W>(&self, dependant: Name, on: &Dependency, waiter: W) -> Readiness<W> {
        // it may have ended by itself
        let _ = self.fail(dependant);
        Readiness::Failed { cause: on.on.token(), waiter }
    }
}
