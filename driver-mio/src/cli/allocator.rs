//! Counts heap allocations, for `dcquic bench core`.
#![allow(unsafe_code, reason = "the allocator's interface is unsafe; each use has its proof")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// The system's allocator, counted per thread.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    // without a destructor and with a constant start these need no allocation of their own
    static COUNTS: Cell<Counts> = const { Cell::new(Counts { calls: 0, bytes: 0 }) };
}

/// What the current thread has allocated since it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Calls that asked for memory.
    pub(crate) calls: u64,
    /// Bytes asked for, less bytes given back. Memory that moves between threads shifts it.
    pub(crate) bytes: i64,
}

/// The current thread's counts.
pub(crate) fn counts() -> Counts {
    COUNTS.get()
}

fn count(calls: u64, bytes: i64) {
    // a thread that is being torn down is no longer measured
    let _ = COUNTS.try_with(|counts| {
        let before = counts.get();
        counts.set(Counts {
            calls: before.calls.wrapping_add(calls),
            bytes: before.bytes.wrapping_add(bytes),
        });
    });
}

// SAFETY: every function passes its arguments to the system's allocator unchanged and returns
// what that returns, so its guarantees are ours; counting touches only a thread-local cell, which
// neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as i64);
        // SAFETY: the caller upholds the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as i64);
        // SAFETY: the caller upholds the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size as i64 - layout.size() as i64);
        // SAFETY: the caller upholds the contract of `realloc`; `memory` came from `System`.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(0, -(layout.size() as i64));
        // SAFETY: the caller upholds the contract of `dealloc`; `memory` came from `System`.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocations_of_this_thread_are_counted() {
        let before = counts();
        let mut memory = vec![0u8; 1_000];
        memory.reserve_exact(1_000);
        let after = counts();
        assert!(after.calls >= before.calls + 2);
        assert_eq!(after.bytes - before.bytes, 2_000);
        drop(memory);
        assert_eq!(counts().bytes, before.bytes);
    }
}
