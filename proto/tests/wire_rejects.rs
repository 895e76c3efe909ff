//! Every field that can be malformed is found out, by an error that names it.

#![allow(clippy::unwrap_used, reason = "a test or example fails by panicking")]

mod wire_samples;

use dcquic_proto::{
    ranges::ByteRange,
    wire::{
        DecodeError, List, Packet, Reader,
        frame::{Frame, Frames},
    },
};
use wire_samples::invalid;

#[test]
fn malformed_frames_are_rejected_for_what_is_wrong() {
    for (kind, name, bytes, error) in invalid::frames() {
        let result = Frame::decode(&mut Reader::new(&bytes));
        assert_eq!(result.map(|_| ()), Err(error), "{kind}, {name}");
    }
}

/// Among them [WIRE-6] payloads of another length, [WIRE-12] hellos of another length, [WIRE-14]
/// parameters out of order or range.
#[test]
fn malformed_packets_are_rejected_for_what_is_wrong() {
    for (kind, name, bytes, error) in invalid::datagrams() {
        let result = Packet::decode(&bytes);
        assert_eq!(result.map(|_| ()), Err(error), "{kind}, {name}");
    }
}

/// [WIRE-4] A range past the size of what it is a range of.
#[test]
fn ranges_are_checked_against_the_size() {
    let ranges = [ByteRange::new(0, 5).unwrap(), ByteRange::new(7, 10).unwrap()];
    let list = List::Slice(&ranges);
    assert_eq!(list.within(10), Ok(()));
    assert_eq!(list.within(9), Err(DecodeError::RangePastEnd));
}

/// [WIRE-5] A type that is not known is skipped, and what follows it is read.
#[test]
fn unknown_frames_are_skipped() {
    let bytes = [63, 2, 0xff, 0xff, 0, 1, 0];
    let kinds: Vec<_> = Frames::new(&bytes).map(Result::unwrap).collect();
    assert!(matches!(kinds[..], [Frame::Unknown { ty: 63, len: 2 }, Frame::Padding(_)]));
}
