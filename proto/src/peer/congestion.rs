//! How fast data leaves for a peer: what its congestion controller and its pulls allow.

use super::Peer;
use crate::{
    congestion::{Departure, Feedback},
    endpoint::context::{Context, TimerKind},
    id::PacketNumber,
    time::Timestamp,
    wire::frame::ArrivalReport,
};

/// Bytes that arrive before the sender is told without waiting for company: half of the smallest
/// congestion window, so that a sender with a full window does not wait for a timer.
const REPORT_QUANTUM: u64 = 64 << 10;

impl Peer {
    /// Whether a batch of `bytes` may leave now. If not, the peer's data waits until it may.
    pub(super) fn may_depart(&mut self, cx: &mut Context, now: Timestamp, bytes: u64) -> bool {
        let Some(congestion) = &self.congestion else { return false };
        let departure = congestion.departure(now, bytes);
        // a timer that waits for a full window is far too late for a time of departure
        cx.disarm(&mut self.timers.departure);
        match departure {
            Departure::Now => return true,
            Departure::At(at) => {
                let timer = self.timer(TimerKind::Departure);
                cx.arm(&mut self.timers.departure, at, timer);
            }
            // the next report, loss or pull lets it try again; if none comes, all of it was lost
            Departure::WindowFull => {
                let at = now + self.timeout(cx);
                let timer = self.timer(TimerKind::Departure);
                cx.arm(&mut self.timers.departure, at, timer);
                self.window_full_at = Some(now);
            }
        }
        self.held_back = true;
        self.refresh_sends(cx);
        false
    }

    /// It is time for data that waited.
    pub(super) fn on_departure_timer(&mut self, cx: &mut Context, now: Timestamp) {
        let timeout = self.timeout(cx);
        if let Some(since) = self.window_full_at {
            if since + timeout > now {
                let timer = self.timer(TimerKind::Departure);
                cx.arm(&mut self.timers.departure, since + timeout, timer);
                return;
            }
            if let Some(congestion) = &mut self.congestion {
                congestion.on_flight_lost(now);
            }
        }
        self.release_data(cx);
    }

    /// Data that waited may try again.
    pub(super) fn release_data(&mut self, cx: &mut Context) {
        self.window_full_at = None;
        if core::mem::replace(&mut self.held_back, false) {
            self.refresh_sends(cx);
        }
    }

    /// A batch of `bytes` left, the last of it in packet `number`.
    pub(super) fn on_data_sent(
        &mut self,
        cx: &Context,
        now: Timestamp,
        number: PacketNumber,
        bytes: u64,
    ) {
        // a link that several peers share limits each of them, and says nothing of their paths
        let nothing_left = self.sends.is_empty() || cx.sends.is_shared();
        if let Some(congestion) = &mut self.congestion {
            congestion.on_sent(now, number, bytes);
            if nothing_left {
                congestion.on_app_limited();
            }
        }
    }

    /// The peer tells what has arrived.
    pub(crate) fn on_arrival_report(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        report: &ArrivalReport,
    ) {
        let acked_bytes = report.arrived_bytes.saturating_sub(self.reported_by_peer);
        self.reported_by_peer += acked_bytes;
        let Some(congestion) = &mut self.congestion else { return };
        let (largest, ce_count) = (report.largest, report.ce_count);
        congestion.on_feedback(now, &Feedback { largest, acked_bytes, ce_count });
        self.release_data(cx);
    }

    /// Data arrived of which the sender's congestion control should know before long.
    pub(super) fn note_arrival(&mut self, cx: &mut Context, now: Timestamp, bytes: u64) {
        self.arrived_bytes += bytes;
        self.hold_acknowledgement(cx, now);
        if self.arrived_bytes - self.reported_bytes >= REPORT_QUANTUM {
            self.control.flush = true;
            self.wants_to_send(cx);
        }
    }

    /// The peer asked again for `bytes` that were sent.
    pub(super) fn on_data_lost(&mut self, cx: &mut Context, now: Timestamp, bytes: u64) {
        let timeout = self.rtt.pto(cx.config.min_timeout, cx.config.ack_delay);
        if let Some(congestion) = &mut self.congestion
            && bytes > 0
        {
            congestion.on_lost(now, bytes);
            if congestion.on_timeout(now, timeout) {
                cx.stats.persistent_congestion += 1;
            }
        }
        self.release_data(cx);
    }
}
