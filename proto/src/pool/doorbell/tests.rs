use loom::{
    sync::{Arc, Notify},
    thread,
};

use super::*;

/// Two callers bring work; the worker waits whenever it sees none. Loom explores every
/// interleaving, and reports a deadlock if the worker sleeps on work.
#[test]
fn loom_no_wake_up_is_lost() {
    loom::model(|| {
        let bell = Arc::new(Doorbell::new());
        let sleep = Arc::new(Notify::new());
        let work = [Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false))];
        let callers: Vec<_> = work
            .iter()
            .map(|work| {
                let (bell, sleep, work) = (bell.clone(), sleep.clone(), work.clone());
                thread::spawn(move || {
                    work.store(true, Ordering::Release);
                    if bell.ring() {
                        sleep.notify();
                    }
                })
            })
            .collect();
        let all = || work.iter().all(|work| work.load(Ordering::Acquire));
        while !all() {
            bell.park();
            if all() {
                bell.unpark();
            } else {
                sleep.wait();
                bell.unpark();
            }
        }
        for caller in callers {
            caller.join().unwrap();
        }
    });
}
