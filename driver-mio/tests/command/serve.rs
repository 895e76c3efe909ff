//! Calls between two processes.

use std::{fs, process::Command};

use crate::run::{Setting, failure, objects, run, stdout, wait_until};

#[test]
fn the_built_in_methods_answer() {
    let setting = Setting::new();
    let server = setting.server();
    let psk = setting.psk();
    let call = |more: &[&str]| {
        let mut args = vec!["call", &server.address, "--psk", &psk];
        args.extend(more);
        stdout(args)
    };
    assert_eq!(call(&["echo", "--data", "hello"]), "hello");
    let data = setting.file("large", 3 << 20);
    assert_eq!(call(&["sink", "--file", &setting.text("large")]), (3 << 20).to_string());
    let echoed =
        run(["call", &server.address, "--psk", &psk, "echo", "--file", &setting.text("large")]);
    assert_eq!(echoed.stdout, data);
    assert!(call(&["time"]).parse::<u128>().unwrap() > 1_600_000_000_000_000_000);
    let value = &objects(&call(&["echo", "--data", "hällo", "--json"]))[0];
    assert_eq!((&value["ok"], &value["text"]), (&true.into(), &"hällo".into()));
    fs::write(setting.path("bytes"), [0xff, 0]).unwrap();
    let value = &objects(&call(&["echo", "--file", &setting.text("bytes"), "--json"]))[0];
    assert_eq!(value["hex"], "ff00");
}

#[test]
fn an_unknown_method_names_those_there_are() {
    let setting = Setting::new();
    let server = setting.server();
    let why = failure(["call", &server.address, "--psk", &setting.psk(), "shout"]);
    assert!(why.contains("\"shout\"") && why.contains("echo, time, sink"), "{why}");
}

#[test]
fn a_signal_ends_the_server_cleanly() {
    for signal in ["-INT", "-TERM"] {
        let setting = Setting::new();
        let mut server = setting.server();
        stdout(["call", &server.address, "--psk", &setting.psk(), "echo"]);
        let pid = server.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let mut code = None;
        wait_until("the end of the server", || {
            code = server.child.try_wait().unwrap();
            code.is_some()
        });
        assert_eq!(code.unwrap().code(), Some(0), "{signal}");
    }
}
