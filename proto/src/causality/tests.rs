#[cfg(loom)]
mod interleavings;
mod model;
mod threads;

use std::sync::Mutex;

use super::*;

const KINDS: [(WaitPoint, Failure); 4] = [
    (WaitPoint::RequestSent, Failure::Cascade),
    (WaitPoint::RequestSent, Failure::Ignore),
    (WaitPoint::ResponseReceived, Failure::Cascade),
    (WaitPoint::ResponseReceived, Failure::Ignore),
];

const COMPLETED: DependencyKind =
    DependencyKind { wait: WaitPoint::ResponseReceived, failure: Failure::Cascade };

fn map(initial: u32, max: u32) -> CausalityMap {
    CausalityMap::new(MapId(1), CausalityConfig { initial, max }).unwrap()
}

fn on(guard: &TokenGuard, kind: DependencyKind) -> Dependency {
    Dependency { on: guard.clone(), kind }
}

/// A transfer without dependencies that has started.
fn started(map: &CausalityMap) -> TokenGuard {
    let transfer = map.allocate([]).unwrap();
    let guard = transfer.guard().clone();
    assert!(matches!(transfer.wait(Told::default()), Readiness::Ready(_)));
    guard
}

/// Writes down what its waiters are told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Resolution>>>);

impl Told {
    fn all(&self) -> Vec<Resolution> {
        self.0.lock().unwrap().clone()
    }
}

impl Waiter for Told {
    fn resolved(self, resolution: Resolution) {
        self.0.lock().unwrap().push(resolution);
    }
}

/// How a transfer that waits for one other is told, if it is.
fn told(readiness: &Readiness<Told>, told: &Told) -> Option<Resolution> {
    let told = told.all();
    match readiness {
        Readiness::Waiting(_) => {
            assert!(told.len() <= 1, "told twice");
            told.first().copied()
        }
        _ if !told.is_empty() => panic!("told, and came back"),
        Readiness::Ready(_) => Some(Resolution::Ready),
        Readiness::Failed { cause, .. } => Some(Resolution::Failed { cause: *cause }),
    }
}

/// All kinds of dependencies, registered before every step of every life, come out as the life
/// does, whenever they came to wait. [CAUS-3]
#[test]
fn four_kinds_whenever_they_come() {
    type Step = fn(&CausalityMap, Token) -> Result<bool, TokenError>;
    let lives: [&[Step]; 4] = [
        &[CausalityMap::sent, CausalityMap::complete],
        &[CausalityMap::complete],
        &[CausalityMap::sent, CausalityMap::fail],
        &[CausalityMap::fail],
    ];
    for (life, steps) in lives.iter().enumerate() {
        for (wait, failure) in KINDS {
            for registered in 0..=steps.len() {
                let map = map(4, 4);
                let first = started(&map);
                let mut waiting = None;
                for at in 0..=steps.len() {
                    if at == registered {
                        let kind = DependencyKind { wait, failure };
                        let transfer = map.allocate([on(&first, kind)]).unwrap();
                        let guard = transfer.guard().clone();
                        let log = Told::default();
                        waiting = Some((transfer.wait(log.clone()), log, guard));
                    }
                    if let Some((readiness, log, dependant)) = &waiting {
                        let sent = at > 0 && matches!(life, 0 | 2);
                        let ended = at == steps.len();
                        let succeeds = life < 2;
                        let expected = match (wait, failure) {
                            (WaitPoint::RequestSent, _) if sent => Some(Resolution::Ready),
                            _ if !ended => None,
                            _ if succeeds => Some(Resolution::Ready),
                            (_, Failure::Ignore) => Some(Resolution::Ready),
                            (_, Failure::Cascade) => {
                                Some(Resolution::Failed { cause: first.token() })
                            }
                        };
                        let case = (life, wait, failure, registered, at);
                        assert_eq!(told(readiness, log), expected, "{case:?}");
                        let failed = matches!(expected, Some(Resolution::Failed { .. }));
                        let progress = if failed {
                            Progress::Failed { sent: false }
                        } else {
                            Progress::Pending
                        };
                        assert_eq!(dependant.progress(), progress, "{case:?}");
                    }
                    if let Some(step) = steps.get(at) {
                        assert_eq!(step(&map, first.token()), Ok(true));
                    }
                }
                assert_eq!(map.inner.waiters.len(), 0);
            }
        }
    }
}

/// [CAUS-7]
#[test]
fn progress_has_no_way_back() {
    let map = map(4, 4);
    let (done, failed) = (started(&map), started(&map));
    assert_eq!(done.progress(), Progress::Pending);
    for guard in [&done, &failed] {
        assert_eq!(map.sent(guard.token()), Ok(true));
        assert_eq!(map.sent(guard.token()), Ok(false));
        assert_eq!(guard.progress(), Progress::Sent);
        assert_eq!(map.progress(guard.token()), Ok(Progress::Sent));
    }
    assert_eq!(map.complete(done.token()), Ok(true));
    assert_eq!(map.fail(failed.token()), Ok(true));
    for report in [CausalityMap::sent, CausalityMap::complete, CausalityMap::fail] {
        assert_eq!(report(&map, done.token()), Ok(false));
        assert_eq!(report(&map, failed.token()), Ok(false));
        assert_eq!(done.progress(), Progress::Completed);
        assert_eq!(failed.progress(), Progress::Failed { sent: true });
    }
}

/// [CAUS-6]
#[test]
fn a_success_frees_its_slot_and_a_failure_when_nobody_holds_it() {
    let map = map(1, 1);
    let full = AllocateError::Full { max: 1 };
    let done = started(&map);
    map.complete(done.token()).unwrap();
    let failed = started(&map);
    assert_eq!(failed.token().to_wire(), done.token().to_wire() + (1 << 24));
    map.fail(failed.token()).unwrap();
    assert_eq!(map.allocate([]).unwrap_err(), full);
    let again = map.hold(failed.token()).unwrap();
    let copy = failed.clone();
    drop((failed, copy));
    assert_eq!(map.allocate([]).unwrap_err(), full);
    assert_eq!(again.progress(), Progress::Failed { sent: false });
    let token = again.token();
    drop(again);
    let next = started(&map);
    // whoever held it knows what became of it, in all generations that follow
    let late = done.clone();
    drop(done);
    assert_eq!(late.progress(), Progress::Completed);
    for ended in [token, late.token()] {
        assert_eq!(map.hold(ended).unwrap_err(), TokenError::Ended { token: ended });
        assert_eq!(map.progress(ended), Err(TokenError::Ended { token: ended }));
    }
    drop(late);
    assert_eq!(next.progress(), Progress::Pending);
    let transfer = next.token();
    drop(next);
    assert_eq!(map.progress(transfer), Ok(Progress::Pending));
    assert_eq!(map.fail(transfer), Ok(true));
    assert_eq!(map.live(), 0);
}

/// [CAUS-8, CAUS-9]
#[test]
fn every_error() {
    let map = map(1, 2);
    let other = CausalityMap::new(MapId(2), CausalityConfig::default()).unwrap();
    let twin = CausalityMap::new(MapId(1), CausalityConfig::default()).unwrap();
    let ours = started(&map);
    let token = ours.token();
    assert_eq!(Token::from_wire(map.id(), token.to_wire()), token);
    for report in [CausalityMap::sent, CausalityMap::complete, CausalityMap::fail] {
        assert_eq!(report(&other, token), Err(TokenError::Foreign { token }));
        assert_eq!(report(&twin, token), Err(TokenError::Unknown { token }));
    }
    assert_eq!(other.hold(token).unwrap_err(), TokenError::Foreign { token });
    assert_eq!(other.progress(token).unwrap_err(), TokenError::Foreign { token });
    assert_eq!(twin.hold(token).unwrap_err(), TokenError::Unknown { token });
    // even a map of the same id is not the same map
    for stranger in [&other, &twin] {
        let error = stranger.allocate([on(&ours, COMPLETED)]).unwrap_err();
        assert_eq!(error, AllocateError::ForeignDependency { token });
        assert_eq!(stranger.live(), 0);
    }
    assert_eq!(ours.progress(), Progress::Pending);
    let bad = CausalityMap::new(MapId(1), CausalityConfig { initial: 0, max: 1 }).unwrap_err();
    assert_eq!(bad, CausalityConfigError::Initial { initial: 0, max: 1 });
}

/// [CAUS-2, CAUS-5]
#[test]
fn the_last_of_many_dependencies_releases() {
    let map = map(16, 16);
    let firsts: Vec<_> = (0..8).map(|_| started(&map)).collect();
    let last = map.allocate(firsts.iter().map(|guard| on(guard, COMPLETED))).unwrap();
    assert_eq!(last.dependencies().len(), 8);
    assert_eq!(last.dependencies()[3].on.token(), firsts[3].token());
    map.complete(firsts[7].token()).unwrap();
    let log = Told::default();
    let readiness = last.wait(log.clone());
    for guard in &firsts[..7] {
        assert_eq!(told(&readiness, &log), None);
        map.sent(guard.token()).unwrap();
        map.complete(guard.token()).unwrap();
    }
    assert_eq!(told(&readiness, &log), Some(Resolution::Ready));
    assert_eq!(map.inner.waiters.len(), 0);
}

#[test]
fn what_is_set_aside_is_not_waited_for() {
    let map = map(4, 4);
    let (near, far) = (started(&map), started(&map));
    let mut transfer = map.allocate([on(&near, COMPLETED), on(&far, COMPLETED)]).unwrap();
    let aside = transfer.set_aside(|dependency| dependency.on.token() == near.token());
    assert_eq!(aside.len(), 1);
    assert_eq!(aside[0].on.token(), near.token());
    let log = Told::default();
    let readiness = transfer.wait(log.clone());
    assert_eq!(map.fail(near.token()), Ok(true));
    assert_eq!(told(&readiness, &log), None);
    assert_eq!(map.complete(far.token()), Ok(true));
    assert_eq!(told(&readiness, &log), Some(Resolution::Ready));
}

/// [CAUS-4, CAUS-5]
#[test]
fn the_first_failure_decides() {
    let map = map(16, 16);
    let firsts: Vec<_> = (0..3).map(|_| started(&map)).collect();
    let dependant = map.allocate(firsts.iter().map(|guard| on(guard, COMPLETED))).unwrap();
    let guard = dependant.guard().clone();
    let log = Told::default();
    let readiness = dependant.wait(log.clone());
    let cause = firsts[1].token();
    for (index, end) in [
        (1, CausalityMap::fail as fn(&_, _) -> _),
        (0, CausalityMap::complete),
        (2, CausalityMap::fail),
    ] {
        assert_eq!(end(&map, firsts[index].token()), Ok(true));
        assert_eq!(told(&readiness, &log), Some(Resolution::Failed { cause }));
        assert_eq!(guard.progress(), Progress::Failed { sent: false });
    }
}

#[test]
fn a_cancelled_waiter_comes_back_and_is_not_told() {
    let map = map(4, 4);
    let first = started(&map);
    let log = Told::default();
    let readiness = map.allocate([on(&first, COMPLETED)]).unwrap().wait(log.clone());
    let Readiness::Waiting(registration) = readiness else { panic!("{:?}", first) };
    assert!(registration.cancel().is_some());
    map.complete(first.token()).unwrap();
    assert_eq!(log.all(), []);

    let second = started(&map);
    let readiness = map.allocate([on(&second, COMPLETED)]).unwrap().wait(log.clone());
    map.complete(second.token()).unwrap();
    let Readiness::Waiting(registration) = readiness else { panic!("{:?}", second) };
    assert!(registration.cancel().is_none());
    assert_eq!(log.all(), [Resolution::Ready]);
}

#[test]
fn what_is_dropped_before_it_waits_fails() {
    let map = map(4, 4);
    let first = map.allocate([]).unwrap();
    let cause = first.token();
    let log = Told::default();
    let readiness = map.allocate([on(first.guard(), COMPLETED)]).unwrap().wait(log.clone());
    drop(first);
    assert_eq!(told(&readiness, &log), Some(Resolution::Failed { cause }));
    assert_eq!(map.live(), 0);
}

/// Each fails with the one before, and each is told. [CAUS-4]
#[test]
fn a_chain_of_100_000_failures_needs_no_stack() {
    const LENGTH: u32 = 100_000;
    let map = map(1, LENGTH);
    let first = started(&map);
    let log = Told::default();
    let mut last = first.clone();
    let mut registrations = Vec::new();
    for _ in 1..LENGTH {
        let next = map.allocate([on(&last, COMPLETED)]).unwrap();
        last = next.guard().clone();
        registrations.push(next.wait(log.clone()));
    }
    assert_eq!(map.live(), LENGTH as usize);
    assert_eq!(map.fail(first.token()), Ok(true));
    assert_eq!(log.all().len(), LENGTH as usize - 1);
    assert_eq!(log.all()[0], Resolution::Failed { cause: first.token() });
    assert_eq!(last.progress(), Progress::Failed { sent: false });
    drop((first, last));
    assert_eq!((map.live(), map.inner.waiters.len()), (0, 0));
}

/// Those that wait for a long-lived token and fail for other reasons do not pile up there.
#[test]
fn decided_waiters_are_cleaned_up() {
    let map = map(4, 64);
    let long = started(&map);
    for _ in 0..10_000 {
        let short = started(&map);
        let both = [on(&long, COMPLETED), on(&short, COMPLETED)];
        let log = Told::default();
        let readiness = map.allocate(both).unwrap().wait(log.clone());
        let cause = short.token();
        assert_eq!(map.fail(cause), Ok(true));
        assert_eq!(told(&readiness, &log), Some(Resolution::Failed { cause }));
    }
    assert!(map.inner.waiters.len() <= 4, "{} entries", map.inner.waiters.len());
    assert_eq!(map.live(), 1);
}

/// The default maximum holds a million transfers at once, in 8 bytes each. [CAUS-8]
#[test]
fn a_million_live_slots_in_little_memory() {
    const LIVE: usize = 1_000_000;
    let map = CausalityMap::new(MapId(1), CausalityConfig::default()).unwrap();
    let tokens: Vec<_> = (0..LIVE).map(|_| started(&map).token()).collect();
    assert_eq!(map.live(), LIVE);
    assert!(tokens.iter().all(|token| map.progress(*token) == Ok(Progress::Pending)));
    let bytes = map.capacity() * size_of::<sync::AtomicU64>();
    println!("{:.2} bytes for each of {LIVE} slots", bytes as f64 / LIVE as f64);
    assert!(bytes <= 9 * LIVE, "{bytes} bytes");
    for token in tokens {
        assert_eq!(map.complete(token), Ok(true));
    }
    assert_eq!(map.live(), 0);
}
