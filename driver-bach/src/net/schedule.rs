//! When the scheduled faults begin and end.

use super::{Picos, spec::Fault};

/// A fault that begins or ends. At the same time, ends come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Change {
    pub(super) at: Picos,
    pub(super) begins: bool,
    /// The fault, by its place in the specification.
    pub(super) fault: usize,
}

/// All changes to come, and which faults are in force.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    faults: Vec<Fault>,
    /// The last comes first.
    changes: Vec<Change>,
    in_force: Vec<usize>,
}

impl Schedule {
    pub(super) fn new(faults: &[Fault]) -> Self {
        let mut changes = Vec::new();
        for (index, fault) in faults.iter().enumerate() {
            let (at_ns, for_ns) = fault.span_ns();
            let at = Picos::from_nanos(at_ns);
            changes.push(Change { at, begins: true, fault: index });
            if let Some(for_ns) = for_ns {
                let at = at + Picos::from_nanos(for_ns);
                changes.push(Change { at, begins: false, fault: index });
            }
        }
        changes.sort_unstable_by(|a, b| b.cmp(a));
        Self { faults: faults.to_vec(), changes, in_force: Vec::new() }
    }

    /// When the next change is due.
    pub(super) fn next(&self) -> Option<Picos> {
        self.changes.last().map(|change| change.at)
    }

    /// Takes the next change that is due by `now`, and notes it.
    pub(super) fn take(&mut self, now: Picos) -> Option<Change> {
        let change = self.changes.pop_if(|change| change.at <= now)?;
        if change.begins {
            self.in_force.push(change.fault);
        } else {
            self.in_force.retain(|fault| *fault != change.fault);
        }
        Some(change)
    }

    /// A fault.
    pub(super) fn fault(&self, index: usize) -> &Fault {
        &self.faults[index]
    }

    /// The faults in force.
    pub(super) fn in_force(&self) -> impl Iterator<Item = &Fault> {
        self.in_force.iter().map(|&index| &self.faults[index])
    }
}
