//! What goes into the page of `--report`.

use std::{fs, path::Path};

use super::failure::Failure;
use crate::{
    measure::{Sample, seconds},
    report::{ReportData, RunData, SlowdownGroup, html},
    scenario::{Outcome, Scenario},
    units::format_size,
};

/// Writes the page about all runs of a scenario.
pub(crate) fn write(
    path: &Path,
    scenario: &Scenario,
    outcomes: &[Outcome],
    rows: &[Vec<(String, String)>],
) -> Result<(), Failure> {
    let rate = scenario.network.rate_bits_per_sec as f64;
    let runs = outcomes.iter().zip(rows).map(|(outcome, rows)| run(outcome, rows, rate)).collect();
    let data = ReportData { title: scenario.name.clone(), parameters: parameters(scenario), runs };
    let page = html(&data).map_err(Failure::new)?;
    fs::write(path, page)
        .map_err(|error| Failure::new(format_args!("cannot write {}: {error}", path.display())))
}

fn parameters(scenario: &Scenario) -> Vec<(String, String)> {
    let network = &scenario.network;
    let topology = network.topology;
    [
        ("hosts", topology.hosts().to_string()),
        ("NICs per host", topology.nics_per_host().to_string()),
        ("rate", format!("{} Gbit/s", network.rate_bits_per_sec as f64 / 1e9)),
        ("one-way delay", format!("{} us", network.delay_ns as f64 / 1e3)),
        ("host delay", format!("{} us", network.host_delay_ns as f64 / 1e3)),
        ("MTU", format_size(network.mtu_bytes.into())),
        ("random loss", format!("{} %", network.random.loss * 100.0)),
        ("seed", scenario.seed.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn run(outcome: &Outcome, rows: &[(String, String)], rate_bits_per_sec: f64) -> RunData {
    let at = |sample: &Sample| seconds(sample.at);
    let per_second = |bytes: fn(&Sample) -> u64| -> Vec<(f64, f64)> {
        let pairs = outcome.samples.windows(2);
        pairs
            .map(|pair| {
                let span = at(&pair[1]) - at(&pair[0]);
                let sent = bytes(&pair[1]).saturating_sub(bytes(&pair[0]));
                (at(&pair[1]), sent as f64 * 8.0 / span.max(1e-12))
            })
            .collect()
    };
    let groups = &outcome.summary.slowdown_by_decile;
    RunData {
        name: outcome.transport.clone(),
        summary: rows.to_vec(),
        queue: outcome.samples.iter().map(|s| (at(s), s.queue_bytes as f64)).collect(),
        utilisation: per_second(|sample| sample.forwarded_bytes)
            .into_iter()
            .map(|(at, rate)| (at, rate / rate_bits_per_sec))
            .collect(),
        goodput: per_second(|sample| sample.delivered_bytes),
        completions: outcome.completions.iter().map(|(at, _)| *at).collect(),
        ideal: outcome
            .completions
            .iter()
            .scan(0, |wire, (_, bytes)| {
                *wire += bytes;
                Some(*wire as f64 * 8.0 / rate_bits_per_sec)
            })
            .collect(),
        slowdown: groups
            .iter()
            .map(|g| SlowdownGroup { up_to_bytes: g.up_to_bytes, p50: g.p50, p99: g.p99 })
            .collect(),
    }
}
