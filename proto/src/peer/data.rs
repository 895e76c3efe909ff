//! Data packets for a peer, full of slices.

use core::num::NonZeroUsize;

use super::{Peer, Session};
use crate::{
    crypto::{DataFields, SealError},
    endpoint::{TransmitQueue, context::Context},
    id::{PacketNumber, PathId},
    link::Ecn,
    slots::SlotRef,
    time::Timestamp,
    transfer::{leaving::SealMemory, sender::SendTransfer},
    wire::packet::{DATA_OVERHEAD, DataFlags, encode_backlog},
};

/// One transmission is at most what the kernel takes as one GSO batch: a UDP payload's limit.
const MAX_BATCH_BYTES: usize = 65_000;

impl Peer {
    /// Writes one batch of data packets of a transfer, or of the shortest of a level.
    pub(crate) fn write_data(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        out: &mut TransmitQueue,
        level: u8,
        transfer: Option<SlotRef>,
    ) -> Result<(), SealError> {
        let Some(slot) = transfer.or_else(|| self.sends.shortest(level)) else {
            self.refresh_sends(cx);
            return Ok(());
        };
        let slice_len = self.slice_len();
        let segment = self.max_datagram;
        let batch = MAX_BATCH_BYTES.min(cx.config.quantum() as usize);
        let segments = cx.config.max_segments.min(batch / segment).max(1);
        if !self.may_depart(cx, now, (segments * segment) as u64) {
            return Ok(());
        }
        let congested = self.holds_too_much(cx);
        let Session::Connected { keys, .. } = &mut self.session else { return Ok(()) };
        let Some(body) = self.outgoing.get_mut(slot).and_then(SendTransfer::pulled) else {
            return Ok(());
        };
        let (receiver, unscheduled) = match body.receiver {
            Some(receiver) => (receiver, 0),
            None => (Self::outgoing_id(slot), DataFlags::UNSCHEDULED),
        };
        let (pushed, before) = (body.unscheduled, body.backlog());
        let (mut sent, mut last) = (0, PacketNumber(0));
        let mut builder = out.build();
        let mut count = 0;
        let mut failed = None;
        while count < segments {
            let memory = SealMemory {
                records: &mut cx.records,
                used: &mut cx.send_memory,
                limit: cx.config.send_memory,
            };
            let Some(slice) = body.next_slice(slice_len, memory) else { break };
            let len = slice.range.len();
            let fields = DataFields {
                transfer: receiver,
                position: slice.range.start,
                length: len as u16,
                flags: unscheduled
                    | congested
                    | if slice.retransmission { DataFlags::RETRANSMISSION } else { 0 },
                backlog: encode_backlog(body.backlog()),
            };
            let header = builder.header(DATA_OVERHEAD);
            match keys.seal_data_header(PathId::ZERO, fields, header) {
                Ok(number) => last = number,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
            builder.payload(slice.first);
            if let Some(second) = slice.second {
                builder.payload(second);
            }
            Self::count_slice(&mut cx.stats, len, slice.retransmission);
            sent += len;
            count += 1;
            if len < slice_len as u64 {
                break;
            }
        }
        // what was sent, and what was acknowledged before it could be sent again
        cx.held_credit -= if pushed { 0 } else { before - body.backlog() };
        if let Some(error) = failed {
            builder.abandon();
            return Err(error);
        }
        if count == 0 {
            builder.abandon();
            if body.has_wanted() && !body.wants_supply() {
                cx.stalled.push((self.id, slot));
            }
            self.unqueue_data(cx, slot);
        } else {
            body.active_at = now;
            cx.stats.datagrams_sent += count as u64;
            cx.stats.bytes_sent += builder.len() as u64;
            let size = if count > 1 { NonZeroUsize::new(segment) } else { None };
            builder.finish(self.remote, Ecn::Ect0, size, now);
            cx.sends.charge(level, sent);
            self.sends.served(&mut cx.sends, level);
            self.queue_data(cx, slot);
            self.on_data_sent(cx, now, last, sent);
        }
        self.ask_for_supply(cx, slot);
        Ok(())
    }

    /// The flag that tells receivers to ask others for more instead, if what they all have asked
    /// for would keep our own link busy for more than half a round trip [SCHED-3].
    fn holds_too_much(&self, cx: &Context) -> u8 {
        let bdp = u128::from(cx.config.link_rate) * self.rtt.min().as_nanos() / 1_000_000_000;
        let too_much = bdp > 0 && u128::from(cx.held_credit) > bdp / 2;
        if too_much { DataFlags::CONGESTED_SENDER } else { 0 }
    }
}
