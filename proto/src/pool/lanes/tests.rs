#![cfg_attr(loom, allow(unused_imports, reason = "loom runs its own tests only"))]

use super::*;

fn priority(level: u8) -> Priority {
    Priority::new(level).unwrap()
}

#[cfg(not(loom))]
mod order {
    use core::task::Waker;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    fn filled(levels: &[u8], each: usize) -> Lanes<u8> {
        let lanes = Lanes::new();
        for level in levels {
            for _ in 0..each {
                lanes.push(priority(*level), *level).unwrap();
            }
        }
        lanes
    }

    fn taken(lanes: &Lanes<u8>, turns: usize) -> [usize; Priority::LEVELS] {
        let mut counts = [0; Priority::LEVELS];
        for _ in 0..turns {
            counts[usize::from(lanes.pop().unwrap())] += 1;
        }
        counts
    }

    #[test]
    fn neighbours_share_four_to_one() {
        let lanes = filled(&[0, 1, 2], 1_000);
        assert_eq!(taken(&lanes, 125)[..3], [100, 20, 5]);
        assert_eq!(taken(&lanes, 125)[..3], [100, 20, 5]);
        // neighbours are lanes that have something, wherever they are
        let lanes = filled(&[3, 7], 1_000);
        assert_eq!(taken(&lanes, 500), [0, 0, 0, 400, 0, 0, 0, 100]);
    }

    #[test]
    fn nobody_starves_and_everything_is_taken() {
        let lanes = filled(&[0, 1, 2, 3, 4, 5, 6, 7], 300);
        let mut counts = taken(&lanes, 8 * 300);
        assert_eq!(lanes.pop(), None);
        counts.sort_unstable();
        assert_eq!(counts, [300; 8]);
        let last = (0..5_usize.pow(7)).filter(|turn| rank_of_turn(*turn) == 7).count();
        assert_eq!(last, 1);
    }

    #[test]
    fn a_lane_is_first_in_first_out() {
        let lanes = Lanes::new();
        for item in 0..100 {
            lanes.push(priority(4), item).unwrap();
        }
        assert!((0..100).all(|item| lanes.pop() == Some(item)));
    }

    #[test]
    fn a_full_lane_leaves_room_in_others() {
        let lanes = filled(&[7], LANE);
        assert_eq!(lanes.push(priority(7), 7), Err(7));
        lanes.push(priority(0), 0).unwrap();
        assert_eq!((lanes.pop(), lanes.len()), (Some(0), LANE));
    }

    struct Count(AtomicUsize);

    impl std::task::Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_asks_again_waits_once_and_may_stop() {
        let lanes = Lanes::new();
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        let id = lanes.wait(None, &waker);
        assert_eq!(lanes.wait(Some(id), &waker), id);
        lanes.push(priority(0), 0).unwrap();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        let id = lanes.wait(Some(id), &waker);
        lanes.stop_waiting(id);
        lanes.push(priority(0), 0).unwrap();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }
}

#[cfg(loom)]
mod loom_tests {
    use core::task::Waker;
    use std::{sync::Arc, task::Wake};

    use loom::{sync::Notify, thread};

    use super::*;

    struct Sleep(Notify);

    impl Wake for Sleep {
        fn wake(self: Arc<Self>) {
            self.0.notify();
        }
    }

    /// Takes one item as a future does: looks, asks to be woken, looks again, sleeps.
    fn take(lanes: &Lanes<u8>) -> u8 {
        let sleep = Arc::new(Sleep(Notify::new()));
        let waker = Waker::from(Arc::clone(&sleep));
        let mut id = None;
        loop {
            if let Some(item) = lanes.pop() {
                return item;
            }
            id = Some(lanes.wait(id, &waker));
            if let Some(item) = lanes.pop() {
                return item;
            }
            sleep.0.wait();
        }
    }

    /// Two take from lanes of different priorities while the worker adds: each item goes to one
    /// of them, and nobody sleeps while something is there.
    #[test]
    fn loom_each_item_is_taken_once_and_no_wake_up_is_lost() {
        loom::model(|| {
            let lanes = loom::sync::Arc::new(Lanes::new());
            let takers: Vec<_> = (0..2)
                .map(|_| {
                    let lanes = lanes.clone();
                    thread::spawn(move || take(&lanes))
                })
                .collect();
            lanes.push(priority(5), 5).unwrap();
            lanes.push(priority(1), 1).unwrap();
            let mut taken: Vec<_> = takers.into_iter().map(|one| one.join().unwrap()).collect();
            taken.sort_unstable();
            assert_eq!(taken, [1, 5]);
        });
    }

    /// What was there before is found, though others empty the lanes that were counted.
    #[test]
    fn loom_what_waits_is_found_while_others_take() {
        loom::model(|| {
            let lanes = loom::sync::Arc::new(Lanes::new());
            for level in [0, 3, 7] {
                lanes.push(priority(level), level).unwrap();
            }
            let takers: Vec<_> = (0..2)
                .map(|_| {
                    let lanes = lanes.clone();
                    thread::spawn(move || lanes.pop().unwrap())
                })
                .collect();
            let mut taken = vec![lanes.pop().unwrap()];
            taken.extend(takers.into_iter().map(|one| one.join().unwrap()));
            taken.sort_unstable();
            assert_eq!(taken, [0, 3, 7]);
        });
    }
}
