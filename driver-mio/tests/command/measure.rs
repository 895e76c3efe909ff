//! The demonstration and the measurements, small.

use crate::run::{objects, stdout};

#[test]
fn the_demo_reports_every_figure() {
    let value = &objects(&stdout(["demo", "--bulk", "32MiB", "--calls", "1000", "--json"]))[0];
    assert_eq!(value["ok"], true);
    for figure in [
        "rpc_per_s",
        "rpc_p50_us",
        "rpc_p99_us",
        "responses_per_s",
        "requests_per_s",
        "echoes_per_s",
        "bulk_gbit_s",
        "urgent_alone_p99_us",
        "urgent_beside_bulk_p99_us",
    ] {
        assert!(value[figure].as_f64().unwrap() > 0.0, "{figure}");
    }
    assert!(value["useful_share"].as_f64().unwrap() >= 0.999, "{value}");
    assert!(value["retransmitted_bytes"].is_u64());
    let table = stdout(["demo", "--bulk", "1MiB", "--calls", "10", "--messages", "10"]);
    assert!(table.contains("useful share"), "{table}");
}

#[test]
fn the_core_is_measured_in_memory() {
    let args =
        ["bench", "core", "--bulk", "16MiB", "--calls", "5000", "--transfers", "500", "--json"];
    let values = objects(&stdout(args));
    let keys: Vec<_> = values[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "workload",
            "packet_bytes",
            "gbit_s",
            "bound_gbit_s",
            "rpc_per_s",
            "allocs_per_packet",
            "transfer_bytes"
        ]
    );
    let of = |workload: &str, packet: u64| {
        values
            .iter()
            .find(|value| value["workload"] == workload && value["packet_bytes"] == packet)
            .unwrap()
    };
    for packet in [1_400, 8_900] {
        assert!(of("bulk", packet)["gbit_s"].as_f64() > Some(0.0));
        assert!(of("bulk", packet)["bound_gbit_s"].as_f64() > Some(0.0));
    }
    assert!(of("rpc", 1_400)["rpc_per_s"].as_f64() > Some(0.0));
    assert!(of("idle", 1_400)["transfer_bytes"].as_u64() > Some(0));
}

#[test]
fn idle_transfers_and_peers_are_weighed() {
    let args = ["bench", "memory", "--transfers", "20000", "--peers", "500", "--json"];
    let values = objects(&stdout(args));
    let most = [("peers", 500, 4_096), ("requests", 20_000, 512), ("announced", 20_000, 1_024)];
    for (value, (workload, count, most)) in values.iter().zip(most) {
        assert_eq!((&value["workload"], &value["count"]), (&workload.into(), &count.into()));
        let each = value["heap_bytes_each"].as_u64().unwrap();
        assert!(each > 0 && each <= most, "{value}");
        assert!(value["heap_bytes"].as_u64() >= Some(each));
    }
    assert_eq!(values.len(), most.len());
}

#[test]
fn loopback_is_measured() {
    for args in [
        &["bench", "bulk", "--size", "4MiB", "--duration", "200ms", "--json"][..],
        &["bench", "rpc", "--duration", "200ms", "--json"],
        &["bench", "burst", "--calls", "1000", "--json"],
        &["bench", "stream", "--duration", "200ms", "--json"],
        &["bench", "priority", "--bulk", "4MiB", "--duration", "200ms", "--json"],
    ] {
        let value = &objects(&stdout(args))[0];
        assert_eq!((&value["ok"], &value["workload"]), (&true.into(), &args[1].into()));
        let figures: &[&str] = match args[1] {
            "stream" => &["messages_per_s", "gbit_s"],
            "priority" => &["idle_p99_us", "busy_p99_us", "p99_ratio", "gbit_s"],
            "bulk" => &["gbit_s"],
            _ => &["rpc_per_s", "rpc_p99_us"],
        };
        for figure in figures {
            assert!(value[figure].as_f64() > Some(0.0), "{figure}: {value}");
        }
    }
}
