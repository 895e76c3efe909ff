//! What loom can replace.

#[cfg(loom)]
pub(super) use cell::OnceLock;
#[cfg(loom)]
pub(super) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

#[cfg(not(loom))]
pub(super) use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
#[cfg(not(loom))]
pub(super) use std::sync::{Mutex, MutexGuard, OnceLock};

/// Loom has no cell that is written once. This one shows loom when it becomes visible.
#[cfg(loom)]
mod cell {
    use loom::sync::atomic::{AtomicBool, Ordering};

    #[derive(Debug)]
    pub(in crate::causality) struct OnceLock<T> {
        visible: AtomicBool,
        value: std::sync::OnceLock<T>,
    }

    impl<T> OnceLock<T> {
        pub(in crate::causality) fn new() -> Self {
            Self { visible: AtomicBool::new(false), value: std::sync::OnceLock::new() }
        }

        pub(in crate::causality) fn get(&self) -> Option<&T> {
            if self.visible.load(Ordering::Acquire) { self.value.get() } else { None }
        }

        pub(in crate::causality) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
            let value = self.value.get_or_init(make);
            self.visible.store(true, Ordering::Release);
            value
        }
    }
}
