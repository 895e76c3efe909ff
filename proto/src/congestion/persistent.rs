//! Telling a lost path from a lost packet (RFC 9002 §7.6).

use core::time::Duration;

use crate::time::Timestamp;

/// How many probe timeouts of silence make congestion persistent.
const THRESHOLD: u32 = 3;

/// Watches for a time in which packets left and none was answered.
///
/// RFC 9002 looks at two lost packets that are three probe timeouts apart with nothing
/// acknowledged between them. A receiver that pulls does not say which packets were lost, so this
/// looks at the first and the last packet that left since anything was last acknowledged.
#[derive(Clone, Debug, Default)]
pub struct PersistentCongestion {
    first_unanswered: Option<Timestamp>,
    last_sent: Timestamp,
    declared: bool,
}

impl PersistentCongestion {
    /// A packet left that asks for an answer.
    pub fn on_sent(&mut self, now: Timestamp) {
        self.first_unanswered.get_or_insert(now);
        self.last_sent = self.last_sent.max(now);
    }

    /// The peer acknowledged something.
    pub fn on_answered(&mut self) {
        self.first_unanswered = None;
        self.declared = false;
    }

    /// Between the first and the last packet without an answer.
    pub fn silent_span(&self) -> Duration {
        self.first_unanswered.map_or(Duration::ZERO, |first| self.last_sent - first)
    }

    /// Whether congestion has become persistent, given the probe timeout without backoff.
    /// True once per silence.
    pub fn check(&mut self, pto: Duration) -> bool {
        let is_persistent =
            self.first_unanswered.is_some() && self.silent_span() >= pto.saturating_mul(THRESHOLD);
        is_persistent && !core::mem::replace(&mut self.declared, true)
    }
}

#[cfg(test)]
mod tests;
