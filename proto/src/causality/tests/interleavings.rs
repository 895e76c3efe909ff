//! Every interleaving of a few threads.

use loom::thread;

use super::*;

type Report = fn(&CausalityMap, Token) -> Result<bool, TokenError>;

const SENT: DependencyKind =
    DependencyKind { wait: WaitPoint::RequestSent, failure: Failure::Cascade };

fn report(map: &CausalityMap, guard: &TokenGuard, report: Report) -> thread::JoinHandle<bool> {
    let (map, token) = (map.clone(), guard.token());
    thread::spawn(move || report(&map, token).unwrap())
}

/// One waits while another ends what it waits for.
fn wait_while_it_ends(end: Report, fails: bool) {
    loom::model(move || {
        let map = map(2, 2);
        let first = started(&map);
        let second = map.allocate([on(&first, COMPLETED)]).unwrap();
        let dependant = second.guard().clone();
        let ender = report(&map, &first, end);
        let log = Told::default();
        let readiness = second.wait(log.clone());
        assert!(ender.join().unwrap());
        let (resolution, progress) = if fails {
            (Resolution::Failed { cause: first.token() }, Progress::Failed { sent: false })
        } else {
            (Resolution::Ready, Progress::Pending)
        };
        assert_eq!(told(&readiness, &log), Some(resolution));
        assert_eq!(dependant.progress(), progress);
        assert_eq!(map.inner.waiters.len(), 0);
    });
}

/// [CAUS-5]
#[test]
fn loom_complete_while_one_comes_to_wait() {
    wait_while_it_ends(CausalityMap::complete, false);
}

/// [CAUS-5]
#[test]
fn loom_fail_while_one_comes_to_wait() {
    wait_while_it_ends(CausalityMap::fail, true);
}

/// Sent by one thread and ended by another, while one waits for both wait points. [CAUS-5, CAUS-7]
fn sent_while_it_ends(end: Report, fails: bool) {
    loom::model(move || {
        let map = map(2, 2);
        let first = started(&map);
        let log = Told::default();
        let second = map.allocate([on(&first, SENT), on(&first, COMPLETED)]).unwrap();
        let sender = report(&map, &first, CausalityMap::sent);
        let ender = report(&map, &first, end);
        let readiness = second.wait(log.clone());
        let was_sent = sender.join().unwrap();
        assert!(ender.join().unwrap());
        let cause = first.token();
        let resolution = if fails { Resolution::Failed { cause } } else { Resolution::Ready };
        assert_eq!(told(&readiness, &log), Some(resolution));
        let progress =
            if fails { Progress::Failed { sent: was_sent } } else { Progress::Completed };
        assert_eq!(first.progress(), progress);
    });
}

#[test]
fn loom_sent_while_it_completes() {
    sent_while_it_ends(CausalityMap::complete, false);
}

#[test]
fn loom_sent_while_it_fails() {
    sent_while_it_ends(CausalityMap::fail, true);
}

/// A request that is sent by one thread and failed by another: what waits for the request goes the
/// way that the transfer went. [CAUS-3]
#[test]
fn loom_what_waits_for_the_request_follows_the_order() {
    loom::model(|| {
        let map = map(2, 2);
        let first = started(&map);
        let log = Told::default();
        let readiness = map.allocate([on(&first, SENT)]).unwrap().wait(log.clone());
        let sender = report(&map, &first, CausalityMap::sent);
        assert_eq!(map.fail(first.token()), Ok(true));
        let resolution = if sender.join().unwrap() {
            Resolution::Ready
        } else {
            Resolution::Failed { cause: first.token() }
        };
        assert_eq!(told(&readiness, &log), Some(resolution));
    });
}

/// Two dependencies resolve at once; whoever comes last tells, or the one that failed. [CAUS-5]
fn both_at_once(ends: [Report; 2], failed: Option<usize>) {
    loom::model(move || {
        let map = map(4, 4);
        let firsts = [started(&map), started(&map)];
        let log = Told::default();
        let both = [on(&firsts[0], COMPLETED), on(&firsts[1], COMPLETED)];
        let readiness = map.allocate(both).unwrap().wait(log.clone());
        let other = report(&map, &firsts[0], ends[0]);
        assert_eq!(ends[1](&map, firsts[1].token()), Ok(true));
        assert!(other.join().unwrap());
        let resolution =
            failed.map_or(Resolution::Ready, |at| Resolution::Failed { cause: firsts[at].token() });
        assert_eq!(told(&readiness, &log), Some(resolution));
    });
}

#[test]
fn loom_two_dependencies_complete_at_once() {
    both_at_once([CausalityMap::complete; 2], None);
}

#[test]
fn loom_one_dependency_completes_while_the_other_fails() {
    both_at_once([CausalityMap::complete, CausalityMap::fail], Some(1));
}

/// Two dependencies fail at once: one of them is the cause, and the dependant fails once.
#[test]
fn loom_two_dependencies_fail_at_once() {
    loom::model(|| {
        let map = map(4, 4);
        let firsts = [started(&map), started(&map)];
        let log = Told::default();
        let both = [on(&firsts[0], COMPLETED), on(&firsts[1], COMPLETED)];
        let readiness = map.allocate(both).unwrap().wait(log.clone());
        let other = report(&map, &firsts[0], CausalityMap::fail);
        assert_eq!(map.fail(firsts[1].token()), Ok(true));
        assert!(other.join().unwrap());
        let Some(Resolution::Failed { cause }) = told(&readiness, &log) else {
            panic!("not told of the failure");
        };
        assert!(firsts.iter().any(|first| first.token() == cause));
    });
}

/// A slot is freed and allocated again while others move its old transfer on. [CAUS-1, CAUS-6]
#[test]
fn loom_a_slot_is_used_again_while_its_old_token_is_moved_on() {
    loom::model(|| {
        let map = map(1, 1);
        let first = started(&map);
        let late = report(&map, &first, CausalityMap::sent);
        let again = report(&map, &first, CausalityMap::fail);
        let news = map.complete(first.token()).unwrap();
        let next = map.allocate([]);
        let failed = again.join().unwrap();
        late.join().unwrap();
        assert_ne!(news, failed);
        if let Ok(next) = next {
            assert!(news);
            assert_ne!(next.token(), first.token());
            assert_eq!(next.guard().progress(), Progress::Pending);
        } else {
            assert!(failed);
        }
        let expected = if news { Progress::Completed } else { first.progress() };
        assert_eq!(first.progress(), expected);
        assert_eq!(matches!(first.progress(), Progress::Failed { .. }), failed);
    });
}

/// A late report of an old token does not wake those who wait for the next one in its slot.
/// [CAUS-1, CAUS-5]
#[test]
fn loom_a_late_report_wakes_nobody_else() {
    loom::model(|| {
        let map = map(2, 3);
        let first = started(&map);
        let (old, new) = (Told::default(), Told::default());
        let waits = map.allocate([on(&first, COMPLETED)]).unwrap().wait(old.clone());
        let late = report(&map, &first, CausalityMap::sent);
        assert_eq!(map.complete(first.token()), Ok(true));
        let next = started(&map);
        assert_eq!(next.token().to_wire(), first.token().to_wire() + (1 << 24));
        let waits_again = map.allocate([on(&next, SENT)]).unwrap().wait(new.clone());
        late.join().unwrap();
        assert_eq!(told(&waits, &old), Some(Resolution::Ready));
        assert_eq!(told(&waits_again, &new), None);
        assert_eq!(map.sent(next.token()), Ok(true));
        assert_eq!(told(&waits_again, &new), Some(Resolution::Ready));
    });
}

/// Two threads share one slot: each has it alone, or is told that the map is full. [CAUS-1, CAUS-8]
#[test]
fn loom_two_allocate_and_free_one_slot() {
    loom::model(|| {
        let map = map(1, 1);
        let other = map.clone();
        let use_one = |map: &CausalityMap| {
            let transfer = map.allocate([]).ok()?;
            let guard = transfer.guard().clone();
            let Readiness::Ready(_) = transfer.wait(Told::default()) else { panic!("waits") };
            assert_eq!(guard.progress(), Progress::Pending);
            assert_eq!(map.complete(guard.token()), Ok(true));
            assert_eq!(guard.progress(), Progress::Completed);
            Some(guard.token())
        };
        let theirs = thread::spawn(move || use_one(&other));
        let ours = use_one(&map);
        let theirs = theirs.join().unwrap();
        assert!(ours.is_some() || theirs.is_some());
        assert_ne!(ours, theirs);
        assert_eq!(map.live(), 0);
    });
}

/// Two threads need the same new chunk; a third looks for a token in it. [CAUS-8]
#[test]
fn loom_the_array_grows_under_two_threads() {
    loom::model(|| {
        let map = map(1, 4);
        let first = started(&map);
        let allocate = |map: &CausalityMap| {
            let guard = started(map);
            assert_eq!(guard.progress(), Progress::Pending);
            guard.token()
        };
        let (one, two) = (map.clone(), map.clone());
        let one = thread::spawn(move || allocate(&one));
        let ours = allocate(&map);
        let early = Token::from_wire(two.id(), 1);
        match two.progress(early) {
            Ok(progress) => assert_eq!(progress, Progress::Pending),
            Err(error) => assert_eq!(error, TokenError::Unknown { token: early }),
        }
        let theirs = one.join().unwrap();
        assert_ne!(ours, theirs);
        for token in [first.token(), ours, theirs] {
            assert_eq!(map.progress(token), Ok(Progress::Pending));
            assert_eq!(map.complete(token), Ok(true));
        }
        assert_eq!(map.live(), 0);
    });
}

/// A failure is held by one thread while another lets go of it: it is never told as a success.
/// [CAUS-6]
#[test]
fn loom_guards_come_and_go_while_it_fails() {
    loom::model(|| {
        let map = map(1, 1);
        let first = started(&map);
        let token = first.token();
        let copy = first.clone();
        let failer = report(&map, &first, CausalityMap::fail);
        let other = thread::spawn(move || {
            let again = copy.clone();
            drop(copy);
            again
        });
        drop(first);
        let held = map.hold(token).unwrap();
        failer.join().unwrap();
        let again = other.join().unwrap();
        drop(held);
        assert_eq!(again.progress(), Progress::Failed { sent: false });
        assert!(map.allocate([]).is_err());
        drop(again);
        assert_eq!(map.live(), 0);
        assert_eq!(started(&map).token().to_wire(), token.to_wire() + (1 << 24));
    });
}
