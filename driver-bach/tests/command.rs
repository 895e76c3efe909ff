//! The command: what it prints, and how it ends.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::process::{Command, Output};

fn sim(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dcquic-sim")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const SMALL: [&str; 5] = ["incast", "--senders", "4", "--transfers", "8"];

#[test]
fn a_run_prints_one_object_with_every_figure() {
    let output = sim(&[&SMALL[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for field in [
        "useful_share",
        "wire_efficiency",
        "completion_ratio",
        "link_share",
        "finish_spread",
        "lost_transfers",
        "dropped_packets",
        "p50_slowdown",
        "p99_slowdown",
        "max_queue_bytes",
        "utilisation",
        "events",
        "wall_s",
        "seed",
        "digest",
    ] {
        assert!(!value[field].is_null(), "{field} in {value}");
    }
    assert_eq!(value["transport"], "dcquic");
    assert_eq!(value["lost_transfers"], 0);
}

#[test]
fn transports_stand_side_by_side() {
    let output = sim(&[&SMALL[..], &["--transport", "dcquic,quinn-cubic"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    let titles = table.lines().nth(2).unwrap();
    assert!(titles.contains("dcquic") && titles.contains("quinn-cubic"), "{table}");
}

#[test]
fn bad_input_ends_with_two_and_says_what_is_wrong() {
    for (arguments, wanted) in [
        (&["incats"][..], "incats"),
        (&["incast", "--rate", "0Gbps"], "rate_bits_per_sec is 0"),
        (&["incast", "--message", "W9"], "\"W9\" is neither a size"),
        (&["incast", "--message", "16"], "\"16\" is neither a size"),
        (&["incast", "--senders", "0"], "senders"),
        (&["incast", "--buffer", "500"], "500KB"),
        (&["incast", "--loss", "2"], "more than everything"),
        (&["incast", "--mtu", "100"], "mtu_bytes is 100"),
        (&["incast", "--transport", "tcp"], "\"tcp\" is no transport"),
        (&["incast", "--engine", "ns3"], "\"ns3\" is no engine"),
        (&["incast", "--transport", "dcquic,quinn", "--pcap", "x"], "--pcap takes one"),
        (&["outcast", "--variant", "x"], "\"x\" is no variant"),
        (&["rpc-mix", "--load", "0%"], "load is 0%"),
        (&["rpc-mix", "--leaves", "0"], "leaves is 0"),
        (&["run", "/nonexistent.toml"], "/nonexistent.toml"),
    ] {
        let output = sim(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let message = text(&output.stderr);
        assert!(message.contains(wanted), "{arguments:?}: {message}");
        assert_eq!(text(&output.stdout), "");
    }
}

#[test]
fn errors_are_objects_too() {
    let output = sim(&["incast", "--rate", "0Gbps", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["ok"], false);
}

#[test]
fn a_saved_scenario_runs_as_the_options_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("incast.toml");
    let path = path.to_str().unwrap();
    let saved = sim(&[&SMALL[..], &["--loss", "5%", "--save", path]].concat());
    assert_eq!(saved.status.code(), Some(0), "{}", text(&saved.stderr));
    assert_eq!(text(&saved.stdout), "");
    let digest = |output: Output| {
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        value["digest"].as_str().unwrap().to_owned()
    };
    let direct = digest(sim(&[&SMALL[..], &["--loss", "5%", "--json"]].concat()));
    assert_eq!(digest(sim(&["run", path, "--json"])), direct);
}

#[test]
fn a_capture_has_the_magic_number_of_pcapng() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("incast.pcapng");
    let output = sim(&[&SMALL[..], &["--pcap", path.to_str().unwrap()]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let capture = std::fs::read(&path).unwrap();
    assert_eq!(capture[..4], [0x0a, 0x0d, 0x0d, 0x0a]);
    assert!(capture.len() > 8 * 16_384);
}

#[test]
fn chaos_says_that_all_held() {
    let output = sim(&["chaos", "--seeds", "2", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["seeds"], 2);
}

#[test]
fn help_teaches_with_examples() {
    for command in
        ["incast", "outcast", "all-to-all", "rpc-mix", "bulk-vs-rpc", "failover", "chaos", "run"]
    {
        let output = sim(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains("EXAMPLES:"), "{command}");
    }
}
