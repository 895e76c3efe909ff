//! Opens what a peer's workers sent: each packet once, and nothing that is not authentic.

use core::fmt;

use aws_lc_rs::error::Unspecified;
use smallvec::SmallVec;
use thiserror::Error;

use super::super::{
    control_key::{ControlKey, KeyName},
    limits::KeyLimits,
    path_secret::PathSecret,
    replay::{ReplayError, ReplayWindow},
    suite::Suite,
};
use crate::{
    id::{Epoch, PacketNumber, PathId, Role, WorkerId},
    time::Timestamp,
    wire::DecodeError,
};

/// The keys and replay windows of a peer's workers.
pub(super) struct Opener {
    sender: Role,
    suite: Suite,
    workers: Vec<Option<Box<WorkerOpener>>>,
}

/// Where a packet claims to stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) worker: WorkerId,
    pub(super) epoch: Epoch,
    pub(super) path: PathId,
    pub(super) number: PacketNumber,
}

impl Opener {
    pub(super) fn new(sender: Role, suite: Suite) -> Self {
        Self { sender, suite, workers: Vec::new() }
    }

    /// Has `attempt` open a packet with the key that its claim names.
    ///
    /// Nothing that a peer could notice changes unless `attempt` succeeds.
    pub(super) fn open<T>(
        &mut self,
        secret: &PathSecret,
        limits: &KeyLimits,
        now: Timestamp,
        claim: Claim,
        attempt: impl FnOnce(&ControlKey) -> Result<T, Unspecified>,
    ) -> Result<T, OpenError> {
        // [SEC-22] Asked first, so that a claim alone takes no memory.
        let index = usize::from(claim.worker.0);
        if index >= usize::from(limits.remote_workers()) {
            return Err(OpenError::TooManyWorkers);
        }
        if u16::from(claim.path.0) >= limits.paths() {
            return Err(OpenError::TooManyPaths);
        }
        if index >= self.workers.len() {
            self.workers.resize_with(index + 1, || None);
        }
        let name = KeyName {
            sender: self.sender,
            worker: claim.worker,
            epoch: claim.epoch,
            suite: self.suite,
        };
        let worker = self.workers[index].get_or_insert_default();
        worker.open(secret, limits, now, name, claim, attempt)
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").field("workers", &self.workers).finish_non_exhaustive()
    }
}

/// The epochs of one worker that can still be opened, or soon.
#[derive(Debug, Default)]
struct WorkerOpener {
    /// The newest epoch that an authentic packet came in.
    current: Option<Box<EpochOpener>>,
    /// The one before, until the given time.
    previous: Option<(Box<EpochOpener>, Timestamp)>,
    /// The one after, derived once however many packets only claim to be of it.
    next: Option<Box<EpochOpener>>,
}

impl WorkerOpener {
    fn open<T>(
        &mut self,
        secret: &PathSecret,
        limits: &KeyLimits,
        now: Timestamp,
        name: KeyName,
        claim: Claim,
        attempt: impl FnOnce(&ControlKey) -> Result<T, Unspecified>,
    ) -> Result<T, OpenError> {
        // [SEC-19]
        if self.previous.as_ref().is_some_and(|(_, until)| now >= *until) {
            self.previous = None;
        }
        if let Some(current) = self.current.as_mut().filter(|current| current.epoch == claim.epoch)
        {
            return current.open(limits, claim, attempt);
        }
        if let Some((previous, _)) = &mut self.previous
            && previous.epoch == claim.epoch
        {
            return previous.open(limits, claim, attempt);
        }
        if self.next_epoch() != Some(claim.epoch) {
            return Err(OpenError::UnknownEpoch);
        }
        // [SEC-18] A forged packet of the next epoch costs one derivation, once.
        let next = self.next.get_or_insert_with(|| Box::new(EpochOpener::new(secret, name)));
        let opened = next.open(limits, claim, attempt)?;
        // [SEC-17] Authentic: the worker has moved on, and so does this side.
        let until = now + limits.keep_previous();
        let retired = core::mem::replace(&mut self.current, self.next.take());
        self.previous = retired.map(|retired| (retired, until));
        Ok(opened)
    }

    fn next_epoch(&self) -> Option<Epoch> {
        match &self.current {
            None => Some(Epoch(0)),
            Some(current) => current.epoch.0.checked_add(1).map(Epoch),
        }
    }
}

/// One key, and what was already opened with it.
struct EpochOpener {
    epoch: Epoch,
    key: ControlKey,
    windows: SmallVec<[(PathId, ReplayWindow); 1]>,
    forgeries: u64,
}

impl EpochOpener {
    fn new(secret: &PathSecret, name: KeyName) -> Self {
        Self {
            epoch: name.epoch,
            key: ControlKey::derive(secret, name),
            windows: SmallVec::new(),
            forgeries: 0,
        }
    }

    fn open<T>(
        &mut self,
        limits: &KeyLimits,
        claim: Claim,
        attempt: impl FnOnce(&ControlKey) -> Result<T, Unspecified>,
    ) -> Result<T, OpenError> {
        let index = self.windows.iter().position(|(path, _)| *path == claim.path);
        // [SEC-21] Asked before the packet is opened, recorded only after.
        if let Some(index) = index {
            self.windows[index].1.check(claim.number)?;
        }
        // [SEC-23]
        if self.forgeries >= limits.epoch_forgeries() {
            return Err(OpenError::ForgeryLimit);
        }
        let Ok(opened) = attempt(&self.key) else {
            self.forgeries += 1;
            return Err(OpenError::NotAuthentic);
        };
        let index = index.unwrap_or_else(|| {
            self.windows.push((claim.path, ReplayWindow::new(limits.replay_window())));
            self.windows.len() - 1
        });
        self.windows[index].1.record(claim.number)?;
        Ok(opened)
    }
}

impl fmt::Debug for EpochOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EpochOpener")
            .field("epoch", &self.epoch)
            .field("windows", &self.windows)
            .field("forgeries", &self.forgeries)
            .finish_non_exhaustive()
    }
}

/// Why a packet was dropped instead of opened. Nothing has changed for the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// The bytes are no packet of the expected kind.
    #[error("malformed packet: {0}")]
    Malformed(#[from] DecodeError),
    /// The packet is of another kind.
    #[error("the packet is of another kind")]
    WrongKind,
    /// The epoch is neither the current one nor next to it, or was let go.
    #[error("the packet's epoch is not in use")]
    UnknownEpoch,
    /// A packet with this number was opened before.
    #[error("the packet was seen before")]
    Replayed,
    /// The number is older than the replay window reaches.
    #[error("the packet is older than the replay window")]
    TooOld,
    /// The number is above what a sender counts to.
    #[error("the packet's number is out of range")]
    NumberOutOfRange,
    /// The tag is not the peer's.
    #[error("the packet is not authentic")]
    NotAuthentic,
    /// The worker id is above what the peer may use.
    #[error("the packet's worker is out of range")]
    TooManyWorkers,
    /// The path id is above what the peer may use.
    #[error("the packet's path is out of range")]
    TooManyPaths,
    /// So many packets failed to open that the key is no longer trusted.
    #[error("too many forged packets under this key")]
    ForgeryLimit,
}

impl From<ReplayError> for OpenError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Replayed => Self::Replayed,
            ReplayError::TooOld => Self::TooOld,
            ReplayError::OutOfRange => Self::NumberOutOfRange,
        }
    }
}
