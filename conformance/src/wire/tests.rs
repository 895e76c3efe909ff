use super::*;
use crate::vector::VectorFile;

/// Decodes one byte, `n`; packets are refused.
fn one_byte(kind: Kind, bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
    match (kind, bytes) {
        (Kind::Frame, [byte]) => Ok(vec![("n".to_owned(), byte.to_string())]),
        _ => Err("not one byte".to_owned()),
    }
}

fn check(entry: &str) -> String {
    let file = VectorFile::parse("wire/a.json", format!("[{entry}]").as_bytes()).unwrap();
    match (Wire { decode: one_byte }).check(&file.entries[0]) {
        Ok(found) => found.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        Err(error) => error.to_string(),
    }
}

#[test]
fn outcomes_are_compared() {
    let cases = [
        (r#""kind": "frame", "hex": "07", "valid": true, "decoded": {"n": 7}"#, ""),
        (r#""kind": "frame", "hex": "07", "valid": true, "decoded": [["n", "7"]]"#, ""),
        (
            r#""kind": "frame", "hex": "07", "valid": true, "decoded": {"n": 8, "m": 1}"#,
            "field 1: expected n = 8, got n = 7; field 2: expected m = 1, got nothing",
        ),
        (
            r#""kind": "packet", "hex": "07", "valid": true, "decoded": {}"#,
            "decoding: expected accepted, got rejected: not one byte",
        ),
        (r#""kind": "frame", "hex": "", "valid": false, "error": "not one byte""#, ""),
        (
            r#""kind": "frame", "hex": "", "valid": false, "error": "empty""#,
            "decoding: expected rejected: empty, got rejected: not one byte",
        ),
        (
            r#""kind": "frame", "hex": "07", "valid": false, "error": "empty""#,
            "decoding: expected rejected: empty, got accepted",
        ),
    ];
    for (fields, expected) in cases {
        assert_eq!(check(&format!("{{\"name\": \"a\", {fields}}}")), expected, "{fields}");
    }
}

#[test]
fn malformed_entries_are_told_from_failures() {
    let cases = [
        (r#""kind": "other""#, "field \"kind\" is not \"packet\" or \"frame\""),
        (r#""kind": "frame", "hex": "0""#, "field \"hex\" is not an even number"),
        (r#""kind": "frame", "hex": "07", "valid": false"#, "field \"error\" is missing"),
        (r#""kind": "frame", "hex": "07", "valid": true, "decoded": [["n"]]"#, "field \"decoded\""),
    ];
    for (fields, expected) in cases {
        let found = check(&format!("{{\"name\": \"a\", {fields}}}"));
        assert!(found.starts_with(expected), "{fields}: {found}");
    }
}
