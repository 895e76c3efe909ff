//! Messages that come without being asked for (spec chapter 6).

use super::{Data, Fate, Peer, incoming::is_newer};
use crate::{
    endpoint::{
        DropReason, Event,
        context::{Context, Timer, TimerKind},
    },
    id::StreamHandle,
    slots::SlotRef,
    time::Timestamp,
    transfer::layout::Layout,
    wire::packet::DataFlags,
};

impl Peer {
    /// The sender sends all of a message unasked: as if it had been pulled, but that nothing of it
    /// was paced.
    pub(super) fn expect_unscheduled(&mut self, cx: &mut Context, now: Timestamp, slot: SlotRef) {
        let slice_len = self.slice_len() as u64;
        let timeout = self.timeout(cx);
        let Some(transfer) = self.incoming.get_mut(slot) else { return };
        let need = transfer.unpulled();
        // beyond what could ever be granted it is data nobody asked for, and is dropped as such;
        // so is what has no place to go to yet, beyond what all peers together may send
        let most = cx.config.unscheduled_budget + Layout::TAG as u64 * transfer.layout.records();
        let early = if transfer.sink().is_none() { need } else { 0 };
        if need > most || cx.early_bytes + early > 2 * most {
            return;
        }
        let arriving = transfer.expect_all(now);
        arriving.early = early;
        cx.early_bytes += early;
        let timer = Timer { peer: self.id, kind: TimerKind::Pull(slot) };
        cx.arm(&mut arriving.pull_timer, now + timeout, timer);
        cx.charge_unpaced(now, need, slice_len);
        cx.stats.unscheduled_bytes += transfer.layout.size();
        let sender = transfer.sender;
        self.expect(cx, now, need);
        for early in self.early.take(sender) {
            self.take_data(cx, now, Some(slot), &early.data());
        }
    }

    /// Keeps a slice that came unasked and ahead of its notify, which tells what it belongs to.
    /// False if the notify is known: then nobody wants the slice.
    pub(super) fn keep_early(&mut self, cx: &Context, data: &Data<'_>) -> bool {
        let id = data.transfer;
        let is_new = self.seen.get(id.slot() as usize).is_none_or(|seen| {
            seen.fate == Fate::Unused || is_newer(id.generation(), seen.generation)
        });
        is_new && self.early.keep(data, cx.config.unscheduled_budget)
    }

    /// The transfer that a slice belongs to: what comes unasked has the sender's name for it, since
    /// the sender does not know ours yet.
    pub(super) fn data_slot(&self, data: &Data<'_>) -> Option<SlotRef> {
        if data.flags.contains(DataFlags::UNSCHEDULED) {
            return self.incoming_by_sender(data.transfer).map(|(slot, _)| slot);
        }
        Some(SlotRef { slot: data.transfer.slot(), generation: data.transfer.generation() })
    }

    /// Opens the records that came before the application said where they go.
    pub(super) fn open_early_records(&mut self, cx: &mut Context, now: Timestamp, slot: SlotRef) {
        let Some(transfer) = self.incoming.get_mut(slot) else { return };
        let stream = StreamHandle { peer: self.id, stream: transfer.stream };
        let Some(arriving) = transfer.arriving() else { return };
        let before = arriving.outstanding();
        let events = &mut cx.events;
        let corrupt = arriving.open_early(&mut cx.records, |offset, data| {
            events.push_back(Event::Record { stream, offset, data });
        });
        let after = arriving.outstanding();
        let complete = arriving.is_complete();
        self.move_outstanding(cx, before, after);
        for _ in &corrupt {
            cx.stats.corrupt_records += 1;
            cx.stats.drop_for(DropReason::CorruptRecord);
        }
        if complete {
            self.complete_incoming(cx, now, slot);
        } else if !corrupt.is_empty() {
            self.pull_again(cx, now, slot, &corrupt);
        }
    }
}
