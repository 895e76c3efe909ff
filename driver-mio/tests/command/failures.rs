//! Bad input and bad luck: a line that names it, exit code 1, nothing half-written.

use std::{
    net::UdpSocket,
    time::{Duration, Instant},
};

use crate::run::{Setting, failure, objects, run, stdout};

#[test]
fn another_key_or_nobody_there_is_told_in_time() {
    let setting = Setting::new();
    let server = setting.server();
    stdout(["keygen", "--psk", &setting.text("other")]);
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap().to_string();
    for (address, psk) in [(&server.address, "other"), (&silent, "psk")] {
        let started = Instant::now();
        let why =
            failure(["call", address, "--psk", &setting.text(psk), "echo", "--timeout", "500ms"]);
        assert!(why.contains(address.as_str()), "{why}");
        assert!(started.elapsed() < Duration::from_secs(3));
    }
}

#[test]
fn a_closed_port_is_told() {
    let setting = Setting::new();
    let closed = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let why = failure(["call", &closed, "--psk", &setting.psk(), "echo", "--timeout", "1s"]);
    assert!(why.contains(&closed), "{why}");
}

#[test]
fn an_error_is_json_too() {
    let setting = Setting::new();
    let output =
        run(["put", &setting.text("missing"), "127.0.0.1:9", "--psk", &setting.psk(), "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let value = &objects(&String::from_utf8(output.stdout).unwrap())[0];
    assert_eq!(value["ok"], false);
    assert!(value["error"].as_str().unwrap().contains("missing: no such file"));
}

#[test]
fn addresses_and_ports_are_named() {
    let setting = Setting::new();
    let psk = setting.psk();
    assert!(failure(["call", "nowhere", "--psk", &psk, "echo"]).contains("nowhere"));
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let why = failure(["serve", "--listen", &taken, "--psk", &psk]);
    assert!(why.contains(&taken) && why.contains("in use"), "{why}");
}

#[test]
fn metadata_over_the_limit_is_told() {
    let setting = Setting::new();
    let server = setting.server();
    let method = "m".repeat(2_000);
    let why = failure(["call", &server.address, "--psk", &setting.psk(), &method]);
    assert!(why.contains("metadata") && why.contains("limit"), "{why}");
}

#[test]
fn a_root_must_be_a_directory() {
    let setting = Setting::new();
    let why = failure([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--psk",
        &setting.psk(),
        "--root",
        &setting.text("none"),
    ]);
    assert!(why.contains("none"), "{why}");
    let why = failure([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--psk",
        &setting.psk(),
        "--root",
        &setting.psk(),
    ]);
    assert!(why.contains("not a directory"), "{why}");
}
