//! Calls in every pattern, with priorities, deadlines and headers.

use std::{
    io::{BufRead, BufReader, Write},
    process::Stdio,
};

use crate::run::{Server, Setting, command, failure, objects, refused, run, stdout};

/// A server, and how to call it.
struct Called {
    setting: Setting,
    server: Server,
}

impl Called {
    fn new() -> Self {
        let setting = Setting::new();
        let server = setting.server();
        Self { setting, server }
    }

    fn args(&self, more: &[&str]) -> Vec<String> {
        let psk = self.setting.psk();
        let call = ["call", &self.server.address, "--psk", &psk];
        call.iter().chain(more).map(|arg| (*arg).to_owned()).collect()
    }

    fn says(&self, more: &[&str]) -> String {
        stdout(self.args(more))
    }

    fn refuses(&self, more: &[&str]) -> String {
        failure(self.args(more))
    }
}

#[test]
fn one_request_gets_many_responses() {
    let called = Called::new();
    assert_eq!(called.says(&["seq", "--data", "5"]), "1\n2\n3\n4\n5\n");
    assert_eq!(called.says(&["seq", "--data", "0"]), "");
    assert_eq!(called.says(&["echo", "--stream", "response", "--data", "a\nb"]), "a\nb\n");
    let lines = objects(&called.says(&["seq", "--data", "1000", "--json"]));
    let (end, responses) = lines.split_last().unwrap();
    assert_eq!(responses.len(), 1_000);
    for (index, response) in responses.iter().enumerate() {
        assert_eq!(response["response"], index);
        assert_eq!(response["text"], (index + 1).to_string());
    }
    assert_eq!((&end["ok"], &end["responses"]), (&true.into(), &1_000.into()));
    assert!(end["elapsed_us"].as_f64().unwrap() > 0.0);
}

#[test]
fn many_requests_get_one_response() {
    let called = Called::new();
    assert_eq!(called.says(&["sum", "--data", "1", "--data", "-3"]), "-2");
    assert_eq!(called.says(&["sum", "--count", "1000"]), "500500");
    assert_eq!(called.says(&["echo", "--stream", "request", "--count", "2"]), "1\n2");
    let end = &objects(&called.says(&["sink", "--stream", "request", "--count", "9", "--json"]))[0];
    assert_eq!((&end["requests"], &end["text"]), (&9.into(), &"9".into()));
    // and in one request
    assert_eq!(called.says(&["sum", "--stream", "none", "--data", "1 2 3"]), "6");
}

#[test]
fn many_requests_get_many_responses() {
    let called = Called::new();
    let lines = objects(&called.says(&["sum", "--stream", "both", "--count", "4", "--json"]));
    let sums: Vec<_> = lines.iter().filter_map(|line| line["text"].as_str()).collect();
    assert_eq!(sums, ["1", "3", "6", "10"]);
    let end = lines.last().unwrap();
    assert_eq!((&end["requests"], &end["responses"]), (&4.into(), &4.into()));
}

#[test]
fn lines_are_answered_while_more_may_follow() {
    let called = Called::new();
    let mut child = command(called.args(&["echo", "--stream", "both"]))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut responses = BufReader::new(child.stdout.take().unwrap());
    for line in ["first\n", "\n", "last\n"] {
        stdin.write_all(line.as_bytes()).unwrap();
        let mut response = String::new();
        responses.read_line(&mut response).unwrap();
        assert_eq!(response, line);
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_server_sees_priority_deadline_and_headers() {
    let called = Called::new();
    let options = [
        "--priority",
        "0",
        "--deadline",
        "10s",
        "--header",
        "trace: 7f",
        "--header",
        "tenant: a b",
    ];
    let seen = &objects(&called.says(&[&["inspect"], &options[..]].concat()))[0];
    assert_eq!((&seen["priority"], &seen["deadline"]), (&0.into(), &true.into()));
    assert_eq!(seen["headers"], serde_json::json!({ "trace": "7f", "tenant": "a b" }));
    let seen = &objects(&called.says(&["inspect"]))[0];
    assert_eq!((&seen["priority"], &seen["deadline"]), (&3.into(), &false.into()));
    assert_eq!(seen["headers"], serde_json::json!({}));
}

#[test]
fn a_deadline_ends_a_call_that_nobody_answers_and_a_stream_that_waits() {
    let called = Called::new();
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap().to_string();
    let psk = called.setting.psk();
    let why = failure(["call", &silent, "--psk", &psk, "echo", "--deadline", "50ms"]);
    assert!(why.contains("the deadline passed") && why.contains("--deadline"), "{why}");

    // its input stays open: only the deadline can end it
    let mut child = command(called.args(&["echo", "--stream", "both", "--deadline", "100ms"]))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"opens the call\n").unwrap();
    let why = refused(&child.wait_with_output().unwrap());
    assert!(why.contains("the deadline passed"), "{why}");
    drop(stdin);
}

#[test]
fn what_a_method_cannot_do_is_told() {
    let called = Called::new();
    let why = called.refuses(&["seq", "--data", "ten"]);
    assert!(why.contains("\"ten\" is no whole number"), "{why}");
    let why = called.refuses(&["sum", "--data", "1", "--data", "x"]);
    assert!(why.contains("\"x\" is no whole number"), "{why}");
    let why = called.refuses(&["seq", "--stream", "none", "--data", "5"]);
    assert!(why.contains("--stream response"), "{why}");
    let why = called.refuses(&["time", "--stream", "both", "--data", "5"]);
    assert!(why.contains("--stream none"), "{why}");
    let why = called.refuses(&["shout", "--stream", "both", "--data", "5"]);
    assert!(why.contains("\"shout\"") && why.contains("echo, time, sink"), "{why}");
    let why = called.refuses(&["echo", "--count", "5"]);
    assert!(why.contains("--stream request"), "{why}");

    // in the middle of a stream: what came before it is kept
    let args = called.args(&["sum", "--stream", "both", "--data", "1", "--data", "x", "--json"]);
    let output = run(args);
    assert!(refused(&output).contains("\"x\" is no whole number"));
    let lines = objects(&String::from_utf8(output.stdout).unwrap());
    assert_eq!((&lines[0]["text"], &lines[1]["ok"]), (&"1".into(), &false.into()));
}

#[test]
fn wrong_options_are_wrong_usage() {
    for wrong in [
        &["--priority", "8"][..],
        &["--deadline", "soon"],
        &["--header", "no colon"],
        &["--stream", "sideways"],
        &["--data", "a", "--count", "1"],
    ] {
        let call = ["call", "127.0.0.1:9", "--psk", "psk", "echo"];
        let output = run(call.iter().chain(wrong));
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn help_teaches_every_pattern() {
    let help = stdout(["call", "--help"]);
    for word in ["--stream response", "--stream request", "--stream both", "seq 1 100 |", "trace"] {
        assert!(help.contains(word), "{word}");
    }
}
