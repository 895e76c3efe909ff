//! Virtual time as the core sees it.

use core::time::Duration;

use bach::time::Instant;
use dcquic_proto::time::Timestamp;

/// The virtual time; the epoch is the start of the simulation.
///
/// # Panics
/// Outside of a simulation, where there is no virtual time.
pub fn clock() -> Timestamp {
    let since_start = Instant::now().elapsed_since_start();
    Timestamp::ZERO + since_start
}

/// Waits until the virtual time reaches `at`; returns at once if it has.
///
/// # Panics
/// Outside of a simulation.
pub async fn sleep_until(at: Timestamp) {
    // Bach counts a timer's span from its first poll. Computing the span here, inside the future,
    // makes both moments the same.
    let span = at.saturating_since(clock());
    if span > Duration::ZERO {
        bach::time::sleep(span).await;
    }
}
