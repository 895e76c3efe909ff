//! Figures of a measurement over loopback.

use std::time::Duration;

use serde::Serialize;

use crate::cli::{
    failure::Failure,
    load::{Calls, Usefulness, contest::Contested, streams::Streamed},
    output::Output,
    table::{self, Cell},
};

/// One line of results; what a workload does not measure is left out.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Figures {
    ok: bool,
    workload: &'static str,
    packet_bytes: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    gbit_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rpc_per_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rpc_p50_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rpc_p99_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rpc_max_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages_per_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_p50_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_p99_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    busy_p50_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    busy_p99_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p99_ratio: Option<f64>,
    useful_share: f64,
    retransmitted_bytes: u64,
}

impl Figures {
    /// What all workloads measure.
    pub(crate) fn new(workload: &'static str, packet_bytes: u16, useful: Usefulness) -> Self {
        Self {
            ok: true,
            workload,
            packet_bytes,
            useful_share: useful.share,
            retransmitted_bytes: useful.retransmitted,
            ..Self::default()
        }
    }

    /// Adds what `calls` took.
    pub(crate) fn with_calls(self, calls: &Calls) -> Self {
        Self {
            rpc_per_s: Some(calls.rate()),
            rpc_p50_us: Some(calls.latencies.micros_at(50.0)),
            rpc_p99_us: Some(calls.latencies.micros_at(99.0)),
            rpc_max_us: Some(calls.latencies.micros_at(100.0)),
            ..self
        }
    }

    /// Adds the throughput of `bytes` in `elapsed`.
    pub(crate) fn with_bytes(self, bytes: u64, elapsed: Duration) -> Self {
        Self { gbit_s: Some((bytes * 8) as f64 / elapsed.as_secs_f64() / 1e9), ..self }
    }

    /// Adds how long all of it took.
    pub(crate) fn with_total(self, elapsed: Duration) -> Self {
        Self { total_ms: Some(elapsed.as_secs_f64() * 1e3), ..self }
    }

    /// Adds the messages of a stream.
    pub(crate) fn with_messages(self, streamed: &Streamed) -> Self {
        Self { messages_per_s: Some(streamed.rate()), ..self }
    }

    /// Adds calls alone and beside bulk messages, and the throughput of these.
    pub(crate) fn with_contest(self, contested: &Contested) -> Self {
        let at = |calls: &Calls, percent| Some(calls.latencies.micros_at(percent));
        Self {
            gbit_s: Some(contested.gbit_s()),
            idle_p50_us: at(&contested.idle, 50.0),
            idle_p99_us: at(&contested.idle, 99.0),
            busy_p50_us: at(&contested.busy, 50.0),
            busy_p99_us: at(&contested.busy, 99.0),
            p99_ratio: Some(contested.ratio()),
            ..self
        }
    }

    /// Prints the figures.
    pub(crate) fn print(&self, output: Output) -> Result<(), Failure> {
        output.result(self, Self::text)
    }

    fn text(&self) -> String {
        let measured = [
            ("Gbit/s", self.gbit_s, 2),
            ("calls per second", self.rpc_per_s, 0),
            ("call latency, median (us)", self.rpc_p50_us, 1),
            ("call latency, 99 % (us)", self.rpc_p99_us, 1),
            ("call latency, longest (us)", self.rpc_max_us, 1),
            ("all calls (ms)", self.total_ms, 2),
            ("messages per second", self.messages_per_s, 0),
            ("call latency alone, median (us)", self.idle_p50_us, 1),
            ("call latency alone, 99 % (us)", self.idle_p99_us, 1),
            ("call latency beside bulk, median (us)", self.busy_p50_us, 1),
            ("call latency beside bulk, 99 % (us)", self.busy_p99_us, 1),
            ("ratio of the 99 %", self.p99_ratio, 2),
            ("useful share", Some(self.useful_share), 5),
            ("bytes sent again", Some(self.retransmitted_bytes as f64), 0),
        ];
        let rows = measured.into_iter().filter_map(|(label, value, digits)| {
            value.map(|value| (label, Cell::number(value, digits)))
        });
        format!(
            "{}, packets of {} bytes\n{}",
            self.workload,
            self.packet_bytes,
            table::figures(rows)
        )
    }
}
