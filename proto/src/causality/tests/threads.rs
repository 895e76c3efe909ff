//! Real threads on one map; loom's tests are few threads and few steps, but all orders.

use std::thread;

use super::*;

/// Four threads start, move on and fail transfers of which each depends on some of all threads'.
#[test]
fn threads_share_a_map() {
    const THREADS: usize = 4;
    const ROUNDS: usize = if cfg!(debug_assertions) { 2_000 } else { 20_000 };
    let map = map(1, 4_096);
    let published: [Mutex<Option<TokenGuard>>; THREADS] = Default::default();
    let workers_told = thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|worker| {
                let (map, published) = (&map, &published);
                scope.spawn(move || {
                    let log = Told::default();
                    let mut told_directly = 0;
                    for round in 0..ROUNDS {
                        let mut dependencies = Vec::new();
                        for (index, slot) in published.iter().enumerate() {
                            let (wait, failure) = KINDS[(round + index) % KINDS.len()];
                            if let Some(guard) = &*slot.lock().unwrap() {
                                dependencies.push(on(guard, DependencyKind { wait, failure }));
                            }
                        }
                        let transfer = map.allocate(dependencies).unwrap();
                        let token = transfer.token();
                        let guard = transfer.guard().clone();
                        let previous = published[worker].lock().unwrap().replace(guard);
                        match transfer.wait(log.clone()) {
                            Readiness::Waiting(_) => {}
                            Readiness::Ready(_) | Readiness::Failed { .. } => told_directly += 1,
                        }
                        map.sent(token).unwrap();
                        if let Some(previous) = previous {
                            let token = previous.token();
                            let end = if round % 3 == 0 {
                                CausalityMap::fail
                            } else {
                                CausalityMap::complete
                            };
                            end(map, token).unwrap();
                            assert!(matches!(
                                previous.progress(),
                                Progress::Completed | Progress::Failed { .. }
                            ));
                        }
                    }
                    (log, told_directly)
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    for slot in &published {
        let guard = slot.lock().unwrap().take().unwrap();
        map.complete(guard.token()).unwrap();
    }
    let told: usize = workers_told.iter().map(|(log, direct)| log.all().len() + direct).sum();
    assert_eq!(told, THREADS * ROUNDS);
    assert_eq!((map.live(), map.inner.waiters.len()), (0, 0));
}
