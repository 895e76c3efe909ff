//! What loom can replace: atomics, locks and queues.

#[cfg(not(loom))]
pub(super) use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
#[cfg(not(loom))]
pub(super) use std::sync::{Mutex, MutexGuard};

#[cfg(not(loom))]
pub(super) use crossbeam_queue::SegQueue as Queue;
#[cfg(loom)]
pub(super) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

#[cfg(loom)]
pub(super) use self::model::Queue;

/// Locks what no code can leave half changed.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A queue as loom sees it: each operation is one step.
#[cfg(loom)]
mod model {
    use std::{collections::VecDeque, sync::PoisonError};

    use super::Mutex;

    #[derive(Debug)]
    pub(crate) struct Queue<T> {
        items: Mutex<VecDeque<T>>,
    }

    impl<T> Queue<T> {
        pub(crate) fn new() -> Self {
            Self { items: Mutex::new(VecDeque::new()) }
        }

        pub(crate) fn push(&self, item: T) {
            self.items.lock().unwrap_or_else(PoisonError::into_inner).push_back(item);
        }

        pub(crate) fn pop(&self) -> Option<T> {
            self.items.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
        }

        pub(crate) fn len(&self) -> usize {
            self.items.lock().unwrap_or_else(PoisonError::into_inner).len()
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.len() == 0
        }
    }
}
