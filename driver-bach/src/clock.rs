//! Virtual time as the core and the network model see it.

use core::time::Duration;

use bach::time::Instant;
use dcquic_proto::time::Timestamp;

use crate::net::Picos;

/// What one nanosecond of Bach's stands for.
///
/// Bach counts in whole nanoseconds, and frames take fractions of them. Where their times have to
/// be exact, a simulation agrees to read Bach's nanoseconds as picoseconds; then nothing in it may
/// use Bach's timers but through this clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// A nanosecond.
    #[default]
    Nanoseconds,
    /// A picosecond.
    Picoseconds,
}

impl Clock {
    /// The virtual time; the epoch is the start of the simulation.
    ///
    /// # Panics
    /// Outside of a simulation, where there is no virtual time.
    pub fn now(self) -> Picos {
        // 64 bits hold 213 days of picoseconds.
        let ticks = Instant::now().elapsed_since_start().as_nanos() as u64;
        match self {
            Self::Nanoseconds => Picos::from_nanos(ticks),
            Self::Picoseconds => Picos(ticks),
        }
    }

    /// The virtual time as an endpoint sees it.
    ///
    /// # Panics
    /// Outside of a simulation.
    pub fn timestamp(self) -> Timestamp {
        self.now().timestamp()
    }

    /// Waits until the virtual time reaches `at`; returns at once if it has.
    ///
    /// # Panics
    /// Outside of a simulation.
    pub async fn sleep_until(self, at: Picos) {
        // Bach counts a timer's span from its first poll. Computing the span here, inside the
        // future, makes both moments the same.
        let span = at.saturating_since(self.now());
        if span > Picos::ZERO {
            bach::time::sleep(match self {
                Self::Nanoseconds => Duration::from_nanos(span.nanos_ceil()),
                Self::Picoseconds => Duration::from_nanos(span.0),
            })
            .await;
        }
    }
}

/// The virtual time in nanoseconds; the epoch is the start of the simulation.
///
/// # Panics
/// Outside of a simulation, where there is no virtual time.
pub fn clock() -> Timestamp {
    Clock::Nanoseconds.timestamp()
}

/// Waits until the virtual time in nanoseconds reaches `at`; returns at once if it has.
///
/// # Panics
/// Outside of a simulation.
pub async fn sleep_until(at: Timestamp) {
    Clock::Nanoseconds.sleep_until(at.into()).await;
}
