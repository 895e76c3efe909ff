//! Runs a scenario with each of its transports, and prints what came of it side by side.

use std::path::PathBuf;

use clap::Args;

use super::{
    failure::Failure,
    output::{Output, note},
    progress, report,
    table::{self, Cell},
};
use crate::{
    scenario::{Engine, Hooks, Outcome, Scenario, Transport},
    units::parse_span_ns,
};

/// How a scenario is run.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunArgs {
    /// Transports to compare: dcquic, quinn-cubic, quinn-bbr.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "dcquic")]
    transport: Vec<Transport>,
    /// Decides all that is left to chance.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..1 << 63))]
    pub(crate) seed: u64,
    /// What simulates it: auto, scale (a plain event loop) or bach.
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = engine)]
    engine: Engine,
    /// Simulated time after which a run ends at the latest.
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = parse_span_ns)]
    limit: u64,
    #[command(flatten)]
    files: FileArgs,
}

/// Files to write.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Files")]
pub(crate) struct FileArgs {
    /// Write all that crossed a link to this file, for Wireshark; one transport only.
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Write a page with plots and figures to this file, in HTML.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write the scenario to this file instead of running it.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

/// Completes a scenario with the options, and runs it.
pub(crate) fn run(mut scenario: Scenario, args: &RunArgs, output: Output) -> Result<(), Failure> {
    scenario.transports.clone_from(&args.transport);
    scenario.seed = args.seed;
    scenario.engine = args.engine;
    scenario.limit_ns = args.limit;
    run_as_is(&scenario, &args.files, output)
}

/// Runs a scenario that is complete.
pub(crate) fn run_as_is(
    scenario: &Scenario,
    files: &FileArgs,
    output: Output,
) -> Result<(), Failure> {
    scenario.validate()?;
    if let Some(path) = &files.save {
        return Ok(scenario.save(path)?);
    }
    if files.pcap.is_some() && scenario.transports.len() > 1 {
        return Err(Failure::usage("--pcap takes one transport; several would share the file"));
    }
    let mut outcomes = Vec::new();
    for &transport in &scenario.transports {
        let outcome = run_one(scenario, transport, files)?;
        if output.json {
            output.result(&outcome, |_| String::new())?;
        }
        outcomes.push(outcome);
    }
    output.text(|| text(scenario, &outcomes))?;
    if let Some(path) = &files.report {
        let rows: Vec<_> = outcomes.iter().map(rows).collect();
        report::write(path, scenario, &outcomes, &rows)?;
    }
    verdict(&outcomes)
}

fn run_one(
    scenario: &Scenario,
    transport: Transport,
    files: &FileArgs,
) -> Result<Outcome, Failure> {
    let total = scenario.workload.transfers(&scenario.network, scenario.seed).len();
    let bar = progress::bar(transport.name(), total as u64, "transfers");
    let watched = bar.clone();
    let hooks = Hooks {
        capture: files.pcap.clone(),
        watch: Some(Box::new(move |ended| watched.set_position(ended as u64))),
    };
    let outcome = scenario.run(transport, hooks);
    bar.finish_and_clear();
    Ok(outcome?)
}

/// What the exit code says about the runs.
fn verdict(outcomes: &[Outcome]) -> Result<(), Failure> {
    for outcome in outcomes {
        for line in &outcome.problems {
            note(format_args!("{}: {line}", outcome.transport));
        }
        for failure in outcome.failures.iter().take(3) {
            let (name, transfer) = (&outcome.transport, failure.transfer);
            note(format_args!("{name}: transfer {transfer} failed: {}", failure.cause));
        }
    }
    let failed: Vec<&str> = outcomes
        .iter()
        .filter(|outcome| !outcome.ok)
        .map(|outcome| outcome.transport.as_str())
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format_args!(
        "transfers were lost or an invariant broke with {}",
        failed.join(", ")
    )))
}

fn engine(text: &str) -> Result<Engine, String> {
    match text {
        "auto" => Ok(Engine::Auto),
        "scale" => Ok(Engine::Scale),
        "bach" => Ok(Engine::Bach),
        _ => Err(format!("{text:?} is no engine; there are auto, scale and bach")),
    }
}

/// A row of the table: its label, and the cell of an outcome.
type Row = (&'static str, fn(&Outcome) -> Cell);

const ROWS: [Row; 23] = [
    ("useful share (%)", |o| percent(o.summary.useful_share)),
    ("wire efficiency (%)", |o| percent(o.summary.wire_efficiency)),
    ("completion (ms)", |o| Cell::number(o.summary.completion_s * 1e3, 3)),
    ("completion / bound", |o| Cell::number(o.summary.completion_ratio, 3)),
    ("busiest link's payload (% of rate)", |o| percent(o.summary.link_share)),
    ("slowest / fastest transfer", |o| Cell::number(o.summary.finish_spread, 2)),
    ("lost transfers", |o| count(o.summary.lost_transfers as u64)),
    ("dropped packets", |o| count(o.summary.dropped_packets)),
    ("of these, buffer full", |o| count(o.summary.dropped_at_full_buffers)),
    ("slowdown, median", |o| Cell::number(o.summary.p50_slowdown, 2)),
    ("slowdown, 99 %", |o| Cell::number(o.summary.p99_slowdown, 2)),
    ("slowdown up to one BDP, 99 %", |o| Cell::number(o.summary.p99_slowdown_below_bdp, 2)),
    ("longest queue at the busiest port (KB)", |o| kilobytes(o.summary.max_queue_bytes)),
    ("longest queue at any port (KB)", |o| kilobytes(o.summary.max_queue_of_all_ports_bytes)),
    ("mean queue at the busiest port (KB)", |o| kilobytes(o.summary.mean_queue_bytes)),
    ("utilisation of that port (%)", |o| percent(o.summary.utilisation)),
    ("goodput of all (Gbit/s)", |o| Cell::number(o.summary.goodput_bits_per_sec / 1e9, 2)),
    ("packets", |o| count(o.summary.packets)),
    ("events", |o| count(o.summary.events)),
    ("wall time (s)", |o| Cell::number(o.wall_s, 2)),
    ("packets per wall second", |o| Cell::number(o.packets_per_wall_s, 0)),
    ("memory at most (MB)", |o| {
        o.peak_memory_bytes.map_or_else(Cell::none, |bytes| Cell::number(bytes as f64 / 1e6, 0))
    }),
    ("digest", |o| Cell::text(o.summary.digest.clone())),
];

/// All figures of a run: those of its workload, and those that every run has.
fn figures(outcome: &Outcome) -> Vec<(String, Cell)> {
    let findings = outcome.findings.0.iter();
    let of_workload = findings.map(|f| (f.label.clone(), Cell::number(f.value / f.unit, f.digits)));
    let of_all = ROWS.iter().map(|(label, cell)| ((*label).to_owned(), cell(outcome)));
    of_workload.chain(of_all).collect()
}

/// All figures of a run as text.
fn rows(outcome: &Outcome) -> Vec<(String, String)> {
    figures(outcome).into_iter().map(|(label, cell)| (label, cell.into_text())).collect()
}

fn text(scenario: &Scenario, outcomes: &[Outcome]) -> String {
    let titles: Vec<&str> =
        std::iter::once("").chain(outcomes.iter().map(|outcome| &*outcome.transport)).collect();
    let mut all: Vec<Vec<Cell>> = Vec::new();
    for outcome in outcomes {
        for (index, (label, cell)) in figures(outcome).into_iter().enumerate() {
            match all.get_mut(index) {
                Some(row) => row.push(cell),
                None => all.push(vec![Cell::text(label), cell]),
            }
        }
    }
    let mut text =
        format!("{}, seed {}\n{}", scenario.name, scenario.seed, table::of(&titles, all));
    if scenario.workload.is_mixed() {
        text.push_str("\nslowdown by size, median and 99 %\n");
        text.push_str(&by_size(outcomes));
    }
    text
}

/// Slowdown of ten groups of messages, by size.
fn by_size(outcomes: &[Outcome]) -> String {
    let titles: Vec<String> = std::iter::once("up to".to_owned())
        .chain(
            outcomes.iter().flat_map(|o| ["50 %", "99 %"].map(|p| format!("{}, {p}", o.transport))),
        )
        .collect();
    let row = |index: usize| {
        let first = outcomes.first()?.summary.slowdown_by_decile.get(index)?;
        let cells = |outcome: &Outcome| {
            let group = outcome.summary.slowdown_by_decile.get(index);
            [group.map(|g| g.p50), group.map(|g| g.p99)]
                .map(|value| value.map_or_else(Cell::none, |value| Cell::number(value, 2)))
        };
        let size = Cell::number(first.up_to_bytes as f64, 0);
        Some(std::iter::once(size).chain(outcomes.iter().flat_map(cells)).collect())
    };
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    table::of(&titles, (0..).map_while(row))
}

fn percent(share: f64) -> Cell {
    Cell::number(share * 100.0, 2)
}

fn count(number: u64) -> Cell {
    Cell::number(number as f64, 0)
}

fn kilobytes(bytes: u64) -> Cell {
    Cell::number(bytes as f64 / 1e3, 1)
}
