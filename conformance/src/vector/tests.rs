use super::*;

fn parse(text: &str) -> Result<VectorFile, String> {
    VectorFile::parse("wire/a.json", text.as_bytes()).map_err(|error| error.to_string())
}

fn entry(text: &str) -> Entry {
    parse(&format!("[{text}]")).unwrap().entries.remove(0)
}

#[test]
fn both_shapes_of_file_are_read() {
    let array = parse(r#"[{"name": "a"}, {"name": "b"}]"#).unwrap();
    let object = parse(r#"{"about": "x", "vectors": [{"name": "a"}, {"name": "b"}]}"#).unwrap();
    assert_eq!(array, object);
    assert_eq!(array.entries[1].name, "b");
}

#[test]
fn object_without_vectors_is_one_entry() {
    let file = parse(r#"{"secret": "00", "packets": []}"#).unwrap();
    assert_eq!(file.entries.len(), 1);
    assert_eq!(file.entries[0].name, "a");
    assert_eq!(file.entries[0].bytes("secret"), Ok(vec![0]));
}

#[test]
fn other_shapes_are_refused() {
    let cases = [
        ("[", "not JSON"),
        ("3", "neither an array"),
        (r#"{"vectors": 1}"#, "neither an array"),
        (r#"[{"name": "a"}, 1]"#, "entry 1 is not"),
        (r#"[{"name": 1}]"#, "entry 0 is not"),
        (r#"[{"name": "a"}, {"name": "a"}]"#, "two entries are named \"a\""),
    ];
    for (text, message) in cases {
        let error = parse(text).unwrap_err();
        assert!(error.starts_with(message), "{text}: {error}");
    }
}

#[test]
fn fields_are_typed() {
    let entry = entry(r#"{"name": "a", "hex": "00 fF", "odd": "0", "n": 7, "valid": true}"#);
    assert_eq!(entry.bytes("hex"), Ok(vec![0, 255]));
    assert_eq!(entry.number("n"), Ok(7));
    assert_eq!(entry.flag("valid"), Ok(true));
    assert_eq!(entry.text("none"), Err(FieldError::Missing("none")));
    for wrong in [
        entry.bytes("odd").map(drop),
        entry.bytes("n").map(drop),
        entry.number("hex").map(drop),
        entry.flag("n").map(drop),
    ] {
        assert!(matches!(wrong, Err(FieldError::Invalid { .. })), "{wrong:?}");
    }
}

#[test]
fn hex_round_trips() {
    let bytes: Vec<u8> = (0..=255).collect();
    assert_eq!(from_hex(&to_hex(&bytes)), Some(bytes));
    assert_eq!(from_hex("0g"), None);
}
