use loom::{
    sync::{Arc, Notify},
    thread,
};

use super::*;

/// A ring of one place, as weakly ordered as may be.
struct Ring {
    full: AtomicBool,
}

impl Ring {
    fn push(&self) -> bool {
        !self.full.load(Ordering::Relaxed)
            && self.full.compare_exchange(false, true, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    fn pop(&self) -> bool {
        self.full.compare_exchange(true, false, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

/// Two callers find the ring full, and the worker takes what it finds. Loom explores every
/// interleaving, and reports a deadlock if a caller waits for room that is there.
#[test]
fn loom_no_caller_waits_for_room_that_is_there() {
    loom::model(|| {
        let ring = Arc::new(Ring { full: AtomicBool::new(true) });
        let room = Arc::new(Room::<Arc<Notify>>::new());
        let callers: Vec<_> = (0..2)
            .map(|_| {
                let (ring, room) = (ring.clone(), room.clone());
                thread::spawn(move || {
                    let wake = Arc::new(Notify::new());
                    while !ring.push() {
                        room.want(wake.clone());
                        if ring.push() {
                            break;
                        }
                        wake.wait();
                    }
                })
            })
            .collect();
        let mut taken = 0;
        while taken < 3 {
            if ring.pop() {
                taken += 1;
                for wake in room.made() {
                    wake.notify();
                }
            } else {
                thread::yield_now();
            }
        }
        for caller in callers {
            caller.join().unwrap();
        }
    });
}
