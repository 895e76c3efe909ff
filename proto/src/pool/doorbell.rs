//! Wakes a worker that waits, and costs next to nothing while it does not.
//!
//! The one who brings work makes it visible, then looks whether the worker waits. The worker says
//! that it waits, then looks for work. With a full fence between the two steps on either side, one
//! of them sees the other (Dekker's argument): no work is left behind a sleeping worker.

use super::sync::{AtomicBool, Ordering, fence};

/// Whether the worker waits.
#[derive(Debug)]
pub(super) struct Doorbell {
    waiting: AtomicBool,
}

impl Doorbell {
    pub(super) fn new() -> Self {
        Self { waiting: AtomicBool::new(false) }
    }

    /// Work is visible. True if the worker has to be woken, by this caller and no other.
    pub(super) fn ring(&self) -> bool {
        fence(Ordering::SeqCst);
        self.waiting.load(Ordering::Relaxed) && self.waiting.swap(false, Ordering::AcqRel)
    }

    /// The worker is about to wait. It has to look for work once more before it does.
    pub(super) fn park(&self) {
        self.waiting.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// The worker no longer waits.
    pub(super) fn unpark(&self) {
        self.waiting.store(false, Ordering::Relaxed);
    }
}

#[cfg(all(test, loom))]
mod tests {
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
}
