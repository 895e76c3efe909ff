//! Hosts that crash and come back, and the application that tries transfers again.

use serde::{Deserialize, Serialize};

use super::{Engine, happening::Happening};
use crate::net::{HostFault, HostFaultKind, NicId, Picos};

/// Between a failure and the second attempt; each further one waits twice as long.
const BACKOFF: Picos = Picos::from_micros(100);

/// What the application does about transfers that fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// How often it starts a transfer at most, the first time included. With several NICs, each
    /// attempt takes the next, at both ends.
    pub attempts: u32,
    /// It also starts anew what was not delivered so long after an attempt began, in nanoseconds.
    pub patience_ns: Option<u64>,
}

impl Engine {
    pub(super) fn begin_host_fault(&mut self, index: u32) {
        let HostFault { host, kind, .. } = self.host_faults[index as usize];
        for nic in host * self.nics_per_host..(host + 1) * self.nics_per_host {
            match kind {
                HostFaultKind::Pause { for_ns } => {
                    self.nodes[nic as usize].paused = true;
                    self.events
                        .insert(self.now + Picos::from_nanos(for_ns), Happening::Resume(nic));
                }
                HostFaultKind::Crash => self.crash(nic),
                HostFaultKind::Restart { after_ns } => {
                    self.crash(nic);
                    let at = self.now + Picos::from_nanos(after_ns);
                    self.events.insert(at, Happening::Rise(nic));
                }
            }
        }
    }

    /// A host ends without a word. What it was sending fails at once, for its application is gone
    /// too; what was sent to it fails when the senders find out.
    fn crash(&mut self, nic: u32) {
        let node = &mut self.nodes[nic as usize];
        node.crashed = true;
        node.wake = None;
        node.inbox.clear();
        for order in self.recorder.unfinished_from(NicId(nic), self.next_transfer) {
            self.attempt_failed(order, "the sender crashed".to_owned());
        }
    }

    /// A crashed host starts afresh, and remembers nothing.
    pub(super) fn rise(&mut self, nic: u32) {
        let node = &mut self.nodes[nic as usize];
        if !node.crashed {
            // an earlier restart has brought it back already, and it is at work
            return;
        }
        node.incarnation += 1;
        match (self.make_host)(NicId(nic), node.incarnation) {
            Ok(host) => {
                self.recorder.retire(&*core::mem::replace(&mut node.host, host));
                node.crashed = false;
                self.touch(nic);
            }
            Err(error) => self.recorder.problem(format!("host {nic} does not restart: {error}")),
        }
    }

    /// An attempt has failed: there is another one, or the transfer has failed.
    pub(super) fn attempt_failed(&mut self, order: u32, cause: String) {
        let Some((transfer, attempt)) = self.recorder.end_attempt(order) else { return };
        if self.retry.is_some_and(|retry| attempt + 1 < retry.attempts) {
            let backoff = Picos(BACKOFF.0 << attempt.min(20));
            self.events.insert(self.now + backoff, Happening::Retry(transfer, attempt + 1));
        } else {
            self.recorder.fail(self.now, transfer, cause);
        }
    }

    /// The application waits for an attempt only so long.
    pub(super) fn watch_attempt(&mut self, transfer: u32, attempt: u32) {
        let Some(Retry { attempts, patience_ns: Some(patience) }) = self.retry else { return };
        if attempt + 1 < attempts {
            // each attempt gets twice the time of the one before
            let patience = Picos::from_nanos(patience.saturating_mul(1 << attempt.min(20)));
            self.events.insert(self.now + patience, Happening::Retry(transfer, attempt + 1));
        }
    }

    /// Starts a transfer for another time, unless it has ended or that was done already.
    pub(super) fn attempt_again(&mut self, transfer: u32, attempt: u32) {
        let Some(order) = self.recorder.new_attempt(transfer, attempt) else { return };
        let ends = {
            let transfer = self.transfers[transfer as usize];
            [transfer.from, transfer.to].map(|nic| {
                let host = nic.0 / self.nics_per_host;
                NicId(host * self.nics_per_host + (nic.0 + attempt) % self.nics_per_host)
            })
        };
        self.order(order, transfer, attempt, (ends[0], ends[1]));
    }
}
