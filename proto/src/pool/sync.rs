//! The atomics that loom can replace.

#[cfg(not(loom))]
pub(super) use core::sync::atomic::{AtomicBool, Ordering};
#[cfg(loom)]
pub(super) use loom::sync::atomic::{AtomicBool, Ordering};
