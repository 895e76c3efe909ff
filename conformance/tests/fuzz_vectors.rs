//! Vector files come from anywhere: no bytes make the reader panic.

use bolero::check;
use dcquic_conformance::hostile::each_input;
use dcquic_conformance::vector::VectorFile;

/// Reads a file and everything in its entries; an error is as good as a value.
fn target(bytes: &[u8]) {
    let Ok(file) = VectorFile::parse("wire/fuzz.json", bytes) else { return };
    for entry in &file.entries {
        let outcomes = (entry.bytes("hex"), entry.flag("valid"), entry.number("n"));
        assert!(outcomes.0.is_err() || entry.text("hex").is_ok());
    }
}

#[test]
fn damaged_files_are_refused() {
    let samples = [
        br#"[{"name": "a", "hex": "00fF 7", "valid": true, "n": 18446744073709551615}]"#.to_vec(),
        br#"{"about": "\u00e9", "vectors": [{"name": "a", "hex": "0a"}, {"name": "b"}]}"#.to_vec(),
    ];
    each_input(&samples, 2_000, 1_000, target);
}

#[test]
fn fuzz_vector_file() {
    check!().with_iterations(1_000).for_each(target);
}
