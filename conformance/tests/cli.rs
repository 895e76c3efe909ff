//! The program as a user runs it.

use std::fs;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn conformance(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dcquic-conformance"))
        .args(arguments)
        .output()
        .expect("the program was built beside this test")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn help_has_examples() {
    for arguments in [&["--help"][..], &["run", "--help"], &["list", "--help"]] {
        let output = conformance(arguments);
        assert!(output.status.success());
        assert!(text(&output.stdout).contains("Examples:"), "{arguments:?}");
    }
}

#[test]
fn missing_path_fails_with_its_name() {
    let output = conformance(&["run", "no-such-directory"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cannot read no-such-directory: "));
}

#[test]
fn nothing_to_run_is_a_failure() {
    let empty = tempfile::tempdir().unwrap();
    let output = conformance(&["run", &empty.path().display().to_string()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no vectors found"));
}

#[test]
fn vectors_of_no_suite_fail_and_can_still_be_listed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.json");
    fs::write(&path, r#"[{"name": "first"}, {"name": "second"}]"#).unwrap();
    let path = path.display().to_string();

    let output = conformance(&["run", "--json", &path]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["success"], &report["failed"]), (&json!(false), &json!(2)));

    let output = conformance(&["list", "--json", &path]);
    assert!(output.status.success());
    let files: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(files[0]["vectors"], json!(["first", "second"]));

    let output = conformance(&["list", &path]);
    assert!(text(&output.stdout).ends_with("a.json (2)\n  first\n  second\n"));
}
