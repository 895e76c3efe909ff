//! The bytes of every packet and frame beside what they say: a change of the wire shows here.

#![allow(clippy::unwrap_used, reason = "a test or example fails by panicking")]

mod wire_samples;

use dcquic_proto::wire::{Packet, Reader, Writer, describe, frame::Frame};
use wire_samples::{frames, packets};

#[test]
fn frames_look_as_they_did() {
    for (kind, name, bytes) in frames() {
        let said = describe::frames(&bytes).unwrap();
        let text = format!("{}\n\n{}", describe::hex_lines(&bytes), said[0]);
        insta::assert_snapshot!(format!("frame_{kind}_{}", name.replace([' ', ','], "_")), text);
    }
}

#[test]
fn packets_look_as_they_did() {
    for (kind, name, bytes) in packets() {
        let said = describe::packet(&bytes).unwrap();
        let text = format!("{}\n\n{said}", describe::hex_lines(&bytes));
        insta::assert_snapshot!(format!("packet_{kind}_{}", name.replace([' ', ','], "_")), text);
    }
}

#[test]
fn what_decodes_encodes_to_the_same_bytes() {
    for (kind, name, bytes) in frames() {
        let frame = Frame::decode(&mut Reader::new(&bytes)).unwrap();
        if matches!(frame, Frame::Unknown { .. }) {
            continue;
        }
        let mut again = vec![0; bytes.len()];
        frame.encode(&mut Writer::new(&mut again)).unwrap();
        assert_eq!(again, bytes, "{kind}, {name}");
    }
}

#[test]
fn every_truncation_fails() {
    for (kind, name, bytes) in frames() {
        for cut in 0..bytes.len() {
            let result = Frame::decode(&mut Reader::new(&bytes[..cut]));
            assert!(result.is_err(), "{kind}, {name}, {cut} bytes");
        }
    }
    for (kind, name, bytes) in packets() {
        // sealed bytes have no end of their own: the AEAD tag finds what is missing
        let least = if kind == "control" { 48 } else { bytes.len() };
        for cut in 0..least {
            assert!(Packet::decode(&bytes[..cut]).is_err(), "{kind}, {name}, {cut} bytes");
        }
    }
}

/// [WIRE-1] All tags lie where no QUIC packet begins.
#[test]
fn no_packet_looks_like_quic() {
    for (kind, _, bytes) in packets() {
        assert!(bytes[0] < 0x40, "{kind}");
    }
}

/// A small call's notify fits its budget of 24 bytes besides payload and metadata.
#[test]
fn a_small_notify_is_small() {
    let bytes = wire_samples::encoded(&wire_samples::small_notify());
    assert!(bytes.len() - 5 <= 24, "{}", bytes.len());
}

/// Keys are secrets: a description tells their length only.
#[test]
fn a_description_shows_no_key() {
    let bytes = wire_samples::encoded(&wire_samples::full_notify());
    let text = describe::frames(&bytes).unwrap()[0].to_string();
    assert!(text.contains("key: 16 bytes") && !text.contains("4b4b"), "{text}");
}
