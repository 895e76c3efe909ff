//! Calls that have to wait for others (spec chapter 7).
//!
//! What depends on open calls to the same peer is sent at once, and the peer keeps the order. What
//! depends on a call to another peer waits here. So does what depends on a call to the same peer
//! that waits itself, until that one is sent: a chain that waits for its first call goes out whole.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use hashbrown::HashMap;

use crate::{
    causality::{
        Dependency, DependencyKind, Failure, Progress, Readiness, Resolution, Token, WaitPoint,
        Waiter,
    },
    endpoint::After,
    id::{PeerId, StreamHandle},
    pool::{CallCause, Cell, Command, Shared, Start},
    time::Timestamp,
};

/// What is known of the calls that have tokens.
#[derive(Debug, Default)]
pub(super) struct Dependants {
    /// Those that were sent, by their streams.
    open: HashMap<Token, StreamHandle>,
    /// Those that wait for others, and whom they call.
    held: HashMap<Token, core::net::SocketAddr>,
    /// Calls that go out when one that is held does.
    parked: HashMap<Token, Vec<Start>>,
    /// Calls that the peer keeps behind another.
    followers: HashMap<Token, Vec<Follower>>,
    /// Calls that wait here and have a deadline.
    expiring: BTreeMap<(Timestamp, u64), Arc<Cell>>,
    expiries: u64,
}

/// A call that the peer keeps behind another one.
#[derive(Debug)]
pub(super) struct Follower {
    pub(super) stream: StreamHandle,
    pub(super) cell: Arc<Cell>,
    kind: DependencyKind,
}

/// What may become of a call that is to start.
pub(super) enum Next {
    /// It goes out, behind these calls of its peer.
    Go(Start, Vec<Dependency>),
    /// It waits.
    Waits,
    /// What it depends on has failed.
    Failed(Start),
}

/// Puts a call back into its worker's queue.
struct Return {
    start: Start,
    behind: Vec<Dependency>,
    shared: Arc<Shared>,
}

impl Waiter for Return {
    fn resolved(self, resolution: Resolution) {
        let Self { start, behind, shared } = self;
        let failed = resolution != Resolution::Ready;
        shared.follow_up(Command::Released { start: Box::new(start), behind, failed });
    }
}

impl Dependants {
    /// Looks at what a call depends on.
    pub(super) fn hold(
        &mut self,
        shared: &Arc<Shared>,
        now: Timestamp,
        peer: PeerId,
        mut start: Start,
    ) -> Next {
        let Some(mut dependent) = start.dependent.take() else {
            return Next::Go(start, Vec::new());
        };
        if start.expires.is_none() {
            start.expires = start.options.deadline.map(|span| now + span);
        }
        let in_front = dependent.dependencies().iter().map(|dependency| dependency.on.token());
        let parked = in_front.clone().find(|on| self.held.get(on) == Some(&start.remote));
        if let Some(on) = parked {
            self.watch(&start);
            start.dependent = Some(dependent);
            self.parked.entry(on).or_default().push(start);
            return Next::Waits;
        }
        // the peer keeps the order behind all of its own that are open then, waited for or not
        let behind = dependent.dependencies().to_vec();
        let open = &self.open;
        let _seen_to_there = dependent.set_aside(|dependency| {
            open.get(&dependency.on.token()).is_some_and(|stream| stream.peer == peer)
        });
        let (token, remote) = (dependent.token(), start.remote);
        // before anybody can resolve it
        self.held.insert(token, remote);
        self.watch(&start);
        let waiter = Return { start, behind, shared: Arc::clone(shared) };
        match dependent.wait(waiter) {
            Readiness::Waiting(_) => Next::Waits,
            Readiness::Ready(Return { start, behind, .. }) => {
                self.held.remove(&token);
                Next::Go(start, behind)
            }
            Readiness::Failed { waiter, .. } => {
                self.held.remove(&token);
                Next::Failed(waiter.start)
            }
        }
    }

    /// Sees to the deadline of a call that waits.
    pub(super) fn watch(&mut self, start: &Start) {
        if let Some(at) = start.expires {
            self.expiries += 1;
            self.expiring.insert((at, self.expiries), Arc::clone(&start.cell));
        }
    }

    /// A call waits no longer: the calls that were to go out with it.
    pub(super) fn release(&mut self, cell: &Cell) -> Vec<Start> {
        let Some(token) = cell.token() else { return Vec::new() };
        self.held.remove(&token);
        self.parked.remove(&token).unwrap_or_default()
    }

    /// Whether some of these calls go to another peer than `peer`: an earlier one with the same
    /// address. It cannot keep the order, and they have to be waited for here.
    pub(super) fn are_elsewhere(&self, peer: Option<PeerId>, dependencies: &[Dependency]) -> bool {
        dependencies.iter().any(|Dependency { on, kind }| {
            let elsewhere = self.open.get(&on.token()).is_some_and(|s| Some(s.peer) != peer);
            elsewhere && is_in_the_way(*kind, on.progress())
        })
    }

    /// The calls of the same peer that a call has to stay behind; none if one has failed that must
    /// not.
    pub(super) fn behind(&self, peer: PeerId, dependencies: &[Dependency]) -> Option<Vec<After>> {
        let mut behind = Vec::with_capacity(dependencies.len());
        for Dependency { on, kind } in dependencies {
            match (on.progress(), self.open.get(&on.token())) {
                // its stream may have ended in this turn, which no event has told yet
                (Progress::Failed { sent }, _) if stops(*kind, sent) => return None,
                (Progress::Failed { .. } | Progress::Completed, _) => {}
                // even if it was sent: the peer may not have handed it out yet
                (_, Some(&stream)) if stream.peer == peer => {
                    behind.push(After { stream, kind: *kind });
                }
                _ => {}
            }
        }
        Some(behind)
    }

    /// A call was sent, behind others.
    pub(super) fn on_open(
        &mut self,
        cell: &Arc<Cell>,
        stream: StreamHandle,
        behind: &[Dependency],
    ) {
        if let Some(token) = cell.token() {
            self.open.insert(token, stream);
        }
        // no end will be told of those that have ended
        let open = &self.open;
        let here = |on: &&Dependency| {
            open.get(&on.on.token()).is_some_and(|other| other.peer == stream.peer)
        };
        for Dependency { on, kind } in behind.iter().filter(here) {
            let follower = Follower { stream, cell: Arc::clone(cell), kind: *kind };
            self.followers.entry(on.token()).or_default().push(follower);
        }
    }

    /// A call that was sent has ended: those behind it that fail with it. Call this after its token
    /// was told of the end.
    pub(super) fn on_closed(&mut self, cell: &Cell) -> VecDeque<Follower> {
        let Some(token) = cell.token() else { return VecDeque::new() };
        self.open.remove(&token);
        let Some(followers) = self.followers.remove(&token) else { return VecDeque::new() };
        match cell.progress() {
            Some(Progress::Failed { sent }) => {
                followers.into_iter().filter(|follower| stops(follower.kind, sent)).collect()
            }
            _ => VecDeque::new(),
        }
    }

    /// When the next call that waits here is given up.
    pub(super) fn next_expiry(&self) -> Option<Timestamp> {
        self.expiring.first_key_value().map(|((at, _), _)| *at)
    }

    /// A call whose deadline has passed while it waited.
    pub(super) fn expire(&mut self, now: Timestamp) -> Option<Arc<Cell>> {
        loop {
            let entry = self.expiring.first_entry()?;
            if entry.key().0 > now {
                return None;
            }
            let cell = entry.remove();
            // one that was sent has its deadline there
            if cell.stream().is_none() && !cell.is_ended() {
                return Some(cell);
            }
        }
    }

    /// Ends what waits.
    pub(super) fn fail_all(&mut self, cause: CallCause) {
        let mut parked: Vec<_> = self.parked.drain().collect();
        parked.sort_unstable_by_key(|(token, _)| *token);
        for start in parked.into_iter().flat_map(|(_, starts)| starts) {
            start.cell.fail(cause);
        }
    }
}

/// Whether the failure of a call stops one that depends on it; `sent` says that its request had
/// been.
fn stops(kind: DependencyKind, sent: bool) -> bool {
    kind.failure == Failure::Cascade && !(sent && kind.wait == WaitPoint::RequestSent)
}

/// Whether a call that depends on another has to wait for it.
fn is_in_the_way(kind: DependencyKind, progress: Progress) -> bool {
    match progress {
        Progress::Pending => true,
        Progress::Sent => kind.wait == WaitPoint::ResponseReceived,
        Progress::Completed | Progress::Failed { .. } => false,
    }
}
