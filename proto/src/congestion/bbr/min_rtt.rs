//! The least round-trip time seen of late, and when to look for it (draft §5.3.4.3).

use core::time::Duration;

use crate::time::Timestamp;

/// ProbeRTT comes after this many least RTTs without a new minimum. The draft's 5 s are this many
/// of 2.5 ms.
const INTERVAL_RTTS: u32 = 2_000;
const MIN_INTERVAL: Duration = Duration::from_millis(50);
const MAX_INTERVAL: Duration = Duration::from_secs(5);

/// ProbeRTT lasts this many least RTTs. The draft's 200 ms are this many of 20 ms.
const DURATION_RTTS: u32 = 10;
const MIN_DURATION: Duration = Duration::from_micros(500);
const MAX_DURATION: Duration = Duration::from_millis(200);

/// The minimum, and the minimum since the last ProbeRTT.
#[derive(Clone, Debug, Default)]
pub(super) struct MinRtt {
    min: Option<(Duration, Timestamp)>,
    recent: Option<(Duration, Timestamp)>,
}

impl MinRtt {
    /// The least RTT.
    pub(super) fn get(&self) -> Option<Duration> {
        self.min.map(|(rtt, _)| rtt)
    }

    /// Takes a sample. True if the recent minimum was too old, and is now this sample.
    pub(super) fn update(&mut self, now: Timestamp, sample: Option<Duration>) -> bool {
        let Some((recent, recent_at)) = self.recent else {
            self.recent = sample.map(|rtt| (rtt, now));
            self.min = self.recent;
            return false;
        };
        let interval = self.interval();
        let is_due = now.saturating_since(recent_at) > interval;
        if let Some(rtt) = sample
            && (rtt < recent || is_due)
        {
            self.recent = Some((rtt, now));
        }
        let is_old = self.min.is_none_or(|(_, at)| now.saturating_since(at) > interval * 2);
        if is_old || self.recent.map(|(rtt, _)| rtt) < self.get() {
            self.min = self.recent;
        }
        is_due
    }

    /// ProbeRTT is over: the next one comes an interval later.
    pub(super) fn schedule(&mut self, now: Timestamp) {
        if let Some((_, at)) = &mut self.recent {
            *at = now;
        }
    }

    /// How long ProbeRTT lasts.
    pub(super) fn probe_duration(&self) -> Duration {
        let rtt = self.get().unwrap_or(MAX_DURATION);
        rtt.saturating_mul(DURATION_RTTS).clamp(MIN_DURATION, MAX_DURATION)
    }

    fn interval(&self) -> Duration {
        let rtt = self.get().unwrap_or(MAX_INTERVAL);
        rtt.saturating_mul(INTERVAL_RTTS).clamp(MIN_INTERVAL, MAX_INTERVAL)
    }
}

#[cfg(test)]
mod tests;
