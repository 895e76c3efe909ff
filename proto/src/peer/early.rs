//! Data that came unasked and overtook the notify that tells what it is.

use std::collections::VecDeque;

use super::Data;
use crate::{id::TransferId, wire::packet::DataFlags};

/// Slices that wait for their notify. Where the network reorders, they would otherwise be lost, and
/// a short message would take a retry timeout.
///
/// A peer has at most [`MAX_SLICES`] of them; the oldest go first.
#[derive(Debug, Default)]
pub(crate) struct EarlyData {
    slices: VecDeque<EarlySlice>,
    bytes: u64,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct EarlySlice {
    transfer: TransferId,
    position: u64,
    payload: Box<[u8]>,
    flags: DataFlags,
    congested: bool,
}

/// Slices kept at most: what overtakes a notify arrives within microseconds of it.
const MAX_SLICES: usize = 64;

impl EarlyData {
    /// Keeps a slice, if a peer may have so much on its way unasked.
    pub(crate) fn keep(&mut self, data: &Data<'_>, most_bytes: u64) -> bool {
        let len = data.payload.len() as u64;
        while self.slices.len() >= MAX_SLICES || self.bytes + len > most_bytes {
            let Some(oldest) = self.slices.pop_front() else { return false };
            self.bytes -= oldest.payload.len() as u64;
        }
        self.bytes += len;
        self.slices.push_back(EarlySlice {
            transfer: data.transfer,
            position: data.position,
            payload: data.payload.into(),
            flags: data.flags,
            congested: data.congested,
        });
        true
    }

    /// Takes the slices of a transfer out, in the order of their arrival.
    pub(crate) fn take(&mut self, transfer: TransferId) -> Vec<EarlySlice> {
        if self.slices.is_empty() {
            // an empty Vec does not allocate: the usual case is free of the heap
            return Vec::new();
        }
        let (taken, kept): (VecDeque<_>, VecDeque<_>) =
            self.slices.drain(..).partition(|slice| slice.transfer == transfer);
        self.slices = kept;
        self.bytes = self.slices.iter().map(|slice| slice.payload.len() as u64).sum();
        taken.into()
    }
}

impl EarlySlice {
    /// The slice as its packet brought it.
    pub(crate) fn data(&self) -> Data<'_> {
        Data {
            transfer: self.transfer,
            position: self.position,
            payload: &self.payload,
            flags: self.flags,
            congested: self.congested,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(transfer: u64, position: u64, payload: &[u8]) -> Data<'_> {
        let flags = DataFlags(DataFlags::UNSCHEDULED);
        Data { transfer: TransferId(transfer), position, payload, flags, congested: false }
    }

    #[test]
    fn slices_come_back_by_transfer_and_in_order() {
        let mut early = EarlyData::default();
        for at in 0..6 {
            assert!(early.keep(&slice(at % 2, at, &[at as u8; 10]), 1_000));
        }
        let taken = early.take(TransferId(1));
        assert_eq!(taken.iter().map(|slice| slice.position).collect::<Vec<_>>(), [1, 3, 5]);
        assert_eq!(taken[0].data().payload, [1; 10]);
        assert!(early.take(TransferId(1)).is_empty());
        assert_eq!(early.take(TransferId(0)).len(), 3);
    }

    #[test]
    fn the_oldest_make_room_and_the_bound_holds() {
        let mut early = EarlyData::default();
        for at in 0..1_000 {
            assert!(early.keep(&slice(1, at, &[0; 10]), 200));
            assert!(early.bytes <= 200 && early.slices.len() <= MAX_SLICES);
        }
        assert_eq!(early.take(TransferId(1)).len(), 20);
        assert!(!early.keep(&slice(1, 0, &[0; 201]), 200));
        let small = early.keep(&slice(1, 0, &[0; 1]), 1 << 20);
        assert!(small && (0..200).all(|at| early.keep(&slice(1, at, &[0; 1]), 1 << 20)));
        assert_eq!(early.slices.len(), MAX_SLICES);
    }
}
