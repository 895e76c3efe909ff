//! The vectors that other implementations read are what this one does.
//!
//! `DCQUIC_BLESS=1` writes them anew; the difference is then a change of the wire.

#![allow(clippy::unwrap_used, reason = "a test or example fails by panicking")]

mod wire_samples;

use std::{collections::BTreeMap, path::PathBuf};

use dcquic_proto::wire::describe::{self, Description};
use serde_json::{Map, Value, json};
use wire_samples::{frames, invalid, packets};

fn fields(said: &Description) -> Value {
    let fields: Map<_, _> = said
        .fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::String(value.clone())))
        .collect();
    Value::Object(fields)
}

fn entries() -> BTreeMap<&'static str, Vec<Value>> {
    let mut files: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let mut valid = |kind, file, name, bytes: &[u8], said: &Description| {
        files.entry(file).or_default().push(json!({
            "name": name,
            "kind": kind,
            "hex": describe::hex(bytes),
            "valid": true,
            "decoded": fields(said),
        }));
    };
    for (file, name, bytes) in frames() {
        valid("frame", file, name, &bytes, &describe::frames(&bytes).unwrap()[0]);
    }
    for (file, name, bytes) in packets() {
        valid("packet", file, name, &bytes, &describe::packet(&bytes).unwrap());
    }
    for (kind, cases) in [("frame", invalid::frames()), ("packet", invalid::datagrams())] {
        for (file, name, bytes, error) in cases {
            files.entry(file).or_default().push(json!({
                "name": name,
                "kind": kind,
                "hex": describe::hex(&bytes),
                "valid": false,
                "error": error.to_string(),
            }));
        }
    }
    files
}

#[test]
fn vectors_are_what_this_implementation_does() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors/wire");
    for (file, entries) in entries() {
        let path = folder.join(format!("{file}.json"));
        let text = format!("{}\n", serde_json::to_string_pretty(&entries).unwrap());
        if std::env::var_os("DCQUIC_BLESS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let stored = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}; run with DCQUIC_BLESS=1", path.display()));
        assert_eq!(stored, text, "{}: run with DCQUIC_BLESS=1 if meant", path.display());
    }
}
