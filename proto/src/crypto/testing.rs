//! What the tests of this folder share.

/// Bytes from hexadecimal digits.
pub(crate) fn unhex(digits: &str) -> Vec<u8> {
    assert!(digits.len().is_multiple_of(2), "whole bytes");
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

/// Hexadecimal digits of bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every (key, nonce) pair that this thread sealed with since the log began.
pub(crate) mod nonce_log {
    use std::{cell::RefCell, collections::BTreeSet};

    type Log = BTreeSet<([u8; 32], [u8; 12])>;

    thread_local! {
        static LOG: RefCell<Option<Log>> = const { RefCell::new(None) };
    }

    /// Begins a new log.
    pub(crate) fn begin() {
        LOG.with_borrow_mut(|log| *log = Some(Log::new()));
    }

    /// Ends the log, and gives the number of its pairs.
    pub(crate) fn end() -> usize {
        LOG.take().map_or(0, |log| log.len())
    }

    /// Notes one use, if there is a log.
    ///
    /// # Panics
    /// If the same key was used with the same nonce before.
    pub(crate) fn record(key: [u8; 32], nonce: [u8; 12]) {
        LOG.with_borrow_mut(|log| {
            if let Some(log) = log {
                assert!(log.insert((key, nonce)), "nonce used twice under one key");
            }
        });
    }
}

/// How many control keys this thread derived.
pub(crate) mod derivations {
    use std::cell::Cell;

    thread_local! {
        static COUNT: Cell<u64> = const { Cell::new(0) };
    }

    pub(crate) fn count() -> u64 {
        COUNT.get()
    }

    pub(crate) fn note() {
        COUNT.set(COUNT.get() + 1);
    }
}
