//! How fast data leaves for a peer: what its congestion controller and its pulls allow.

use super::Peer;
use crate::{
    congestion::{Departure, Feedback},
    endpoint::context::{Context, TimerKind},
    id::PacketNumber,
    slots::SlotRef,
    time::Timestamp,
    transfer::sender::SendTransfer,
    wire::frame::RangeAck,
};

impl Peer {
    /// Whether a batch of `bytes` may leave now. If not, the peer's data waits until it may.
    pub(super) fn may_depart(&mut self, cx: &mut Context, now: Timestamp, bytes: u64) -> bool {
        let Some(congestion) = &self.congestion else { return false };
        match congestion.departure(now, bytes) {
            Departure::Now => return true,
            Departure::At(at) => {
                let timer = self.timer(TimerKind::Departure);
                cx.arm(&mut self.timers.departure, at, timer);
            }
            // the next acknowledgement, loss or pull lets it try again
            Departure::WindowFull => {}
        }
        self.held_back = true;
        self.refresh_sends(cx);
        false
    }

    /// Data that waited may try again.
    pub(super) fn release_data(&mut self, cx: &mut Context) {
        if core::mem::replace(&mut self.held_back, false) {
            self.refresh_sends(cx);
        }
    }

    /// A batch of `bytes` left, the last of it in packet `number`.
    pub(super) fn on_data_sent(&mut self, now: Timestamp, number: PacketNumber, bytes: u64) {
        let nothing_left = self.sends.is_empty();
        if let Some(congestion) = &mut self.congestion {
            congestion.on_sent(now, number, bytes);
            if nothing_left {
                congestion.on_app_limited();
            }
        }
    }

    /// The peer acknowledged `acked_bytes` for the first time.
    pub(super) fn on_data_acked(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        frame: &RangeAck<'_>,
        acked_bytes: u64,
    ) {
        let Some(congestion) = &mut self.congestion else { return };
        let (largest, ce_count) = (frame.largest, frame.ce_count);
        congestion.on_feedback(now, &Feedback { largest, acked_bytes, ce_count });
        self.release_data(cx);
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

    /// A transfer ends otherwise than by its acknowledgement.
    pub(super) fn on_data_discarded(&mut self, cx: &mut Context, slot: SlotRef) {
        let body = self.outgoing.get_mut(slot).and_then(SendTransfer::pulled);
        let bytes = body.map_or(0, |body| body.unacknowledged());
        if let Some(congestion) = &mut self.congestion
            && bytes > 0
        {
            congestion.on_discarded(bytes);
            self.release_data(cx);
        }
    }
}
