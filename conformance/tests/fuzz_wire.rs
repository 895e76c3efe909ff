//! Datagrams come from anyone: no bytes make a decoder panic.

use bolero::check;
use dcquic_conformance::{hostile::each_input, vector::VectorFile};
use dcquic_proto::wire::describe;

/// Reads bytes as a datagram and as frames; an error is as good as a value.
fn target(bytes: &[u8]) {
    let _read_or_not = describe::packet(bytes);
    let _read_or_not = describe::frames(bytes);
}

/// The bytes of every wire vector.
fn samples() -> Vec<Vec<u8>> {
    let wire = dcquic_spec::vectors().iter().filter(|file| file.path.contains("wire/"));
    let files = wire.map(|file| VectorFile::parse(file.path, file.bytes).expect("a vector file"));
    let samples: Vec<_> =
        files.flat_map(|file| file.entries).map(|entry| entry.bytes("hex").expect("hex")).collect();
    assert!(samples.len() > 100, "the vectors are built in");
    samples
}

#[test]
fn damaged_packets_and_frames_are_refused() {
    each_input(&samples(), 50_000, 2_000, target);
}

#[test]
fn fuzz_wire_bytes() {
    check!().with_iterations(20_000).for_each(target);
}
