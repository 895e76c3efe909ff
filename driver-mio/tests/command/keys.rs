//! Keys, help and usage.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::run::{Setting, failure, objects, run, stdout};

#[test]
fn every_command_helps_with_examples() {
    for command in [
        &["--help"][..],
        &["demo", "--help"],
        &["keygen", "--help"],
        &["serve", "--help"],
        &["call", "--help"],
        &["put", "--help"],
        &["get", "--help"],
        &["decode", "--help"],
        &["bench", "--help"],
        &["bench", "core", "--help"],
        &["bench", "memory", "--help"],
        &["bench", "bulk", "--help"],
        &["bench", "rpc", "--help"],
        &["bench", "burst", "--help"],
    ] {
        let help = stdout(command);
        assert!(help.contains("EXAMPLES:"), "{command:?}");
        assert!(help.contains("--json"), "{command:?}");
    }
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for args in
        [&["nonsense"][..], &["put"], &["demo", "--bulk", "much"], &["demo", "--calls", "0"]]
    {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
    let output = run(["demo", "--bulk", "much", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let value = &objects(&String::from_utf8(output.stdout).unwrap())[0];
    assert_eq!(value["ok"], false);
    assert!(value["error"].as_str().unwrap().contains("much"));
}

#[test]
fn a_key_is_private_and_not_replaced_by_accident() {
    let setting = Setting::new();
    let psk = setting.psk();
    let first = fs::read_to_string(&psk).unwrap();
    assert!(first.starts_with("dcquic-psk-1:"), "{first}");
    assert_eq!(fs::metadata(&psk).unwrap().permissions().mode() & 0o777, 0o600);
    let why = failure(["keygen", "--psk", &psk]);
    assert!(why.contains(&psk) && why.contains("--force"), "{why}");
    assert_eq!(fs::read_to_string(&psk).unwrap(), first);
    let value = &objects(&stdout(["keygen", "--psk", &psk, "--force", "--json"]))[0];
    assert_eq!(value["ok"], true);
    assert_eq!(value["psk_id"].as_str().unwrap().len(), 32);
    assert_ne!(fs::read_to_string(&psk).unwrap(), first);
    assert_eq!(fs::read_dir(setting.directory.path()).unwrap().count(), 2);
}

#[test]
fn a_key_cannot_be_written_where_there_is_no_directory() {
    let setting = Setting::new();
    let why = failure(["keygen", "--psk", &setting.text("nowhere/psk")]);
    assert!(why.contains("nowhere/psk") && why.contains("no such file"), "{why}");
}

#[test]
fn missing_and_malformed_keys_are_named() {
    let setting = Setting::new();
    let call = |psk: &str| failure(["call", "127.0.0.1:9", "--psk", &setting.text(psk), "echo"]);
    assert!(call("missing").contains("missing: no such file"));
    fs::write(setting.path("text"), "hello").unwrap();
    assert!(call("text").contains("no key in"));
    fs::write(setting.path("binary"), [0xff; 64]).unwrap();
    assert!(call("binary").contains("not text"));
}

#[test]
fn a_key_that_others_may_read_is_worth_a_warning() {
    let setting = Setting::new();
    let server = setting.server();
    fs::set_permissions(setting.path("psk"), fs::Permissions::from_mode(0o644)).unwrap();
    let psk = setting.psk();
    let output = run(["call", &server.address, "--psk", &psk, "echo", "--data", "x"]);
    assert!(output.status.success());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("warning: ") && stderr.contains("0644"), "{stderr}");
}
