//! What holds for every frame and every string of bytes.

#![allow(clippy::unwrap_used, reason = "a test or example fails by panicking")]

use dcquic_proto::wire::{Packet, Reader, Writer, describe, frame::Frame, generate::FrameParts};

/// Every frame that can be made can be written, and reads back equal.
#[test]
fn frames_round_trip() {
    bolero::check!().with_arbitrary::<FrameParts>().with_iterations(20_000).for_each(|parts| {
        let frame = parts.frame();
        let mut bytes = [0; 2_048];
        let mut writer = Writer::new(&mut bytes);
        frame.encode(&mut writer).unwrap();
        let len = writer.len();
        let mut reader = Reader::new(&bytes[..len]);
        assert_eq!(Frame::decode(&mut reader), Ok(frame));
        assert!(reader.is_empty());
        assert!(describe::frame(&frame).to_string().contains(describe::frame(&frame).name));
    });
}

/// [WIRE-3] Bytes have at most one reading, and a reading has one form.
#[test]
fn what_decodes_is_canonical() {
    bolero::check!().with_iterations(50_000).for_each(|bytes: &[u8]| {
        let mut reader = Reader::new(bytes);
        let Ok(frame) = Frame::decode(&mut reader) else { return };
        if matches!(frame, Frame::Unknown { .. }) {
            return;
        }
        let used = bytes.len() - reader.rest().len();
        let mut again = vec![0; used];
        frame.encode(&mut Writer::new(&mut again)).unwrap();
        assert_eq!(again, &bytes[..used]);
    });
}

/// A frame with one byte altered is read as another frame, or rejected; nothing panics.
#[test]
fn altered_frames_never_panic() {
    bolero::check!().with_arbitrary::<(FrameParts, u16, u8)>().with_iterations(20_000).for_each(
        |(parts, at, value)| {
            let mut bytes = [0; 2_048];
            let mut writer = Writer::new(&mut bytes);
            parts.frame().encode(&mut writer).unwrap();
            let len = writer.len();
            bytes[usize::from(*at) % len] = *value;
            let _read_or_not = describe::frames(&bytes[..len]);
        },
    );
}

#[test]
fn arbitrary_datagrams_never_panic() {
    bolero::check!().with_iterations(50_000).for_each(|bytes: &[u8]| {
        let _read_or_not = describe::packet(bytes);
        for tag in [0x10, 0x11, 0x14, 0x15, 0x18, 0x19, 0x1a] {
            let mut bytes = bytes.to_vec();
            bytes.insert(0, tag);
            let _read_or_not = Packet::decode(&bytes);
        }
    });
}
