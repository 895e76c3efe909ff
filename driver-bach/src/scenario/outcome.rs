//! What a run comes to.

use serde::Serialize;

use crate::measure::{Failure, Findings, Sample, Summary};

/// What a run comes to.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The scenario's name.
    pub scenario: String,
    /// The transport's name.
    pub transport: String,
    /// The engine's name.
    pub engine: String,
    /// The seed.
    pub seed: u64,
    /// Every transfer was delivered or failed for a reason, and every invariant held.
    pub ok: bool,
    /// Transfers of the workload.
    pub transfers: usize,
    /// The figures that every run has.
    #[serde(flatten)]
    pub summary: Summary,
    /// The figures that only this workload has.
    #[serde(flatten)]
    pub findings: Findings,
    /// Real time that the run took, in seconds.
    pub wall_s: f64,
    /// Frames that reached hosts per second of real time.
    pub packets_per_wall_s: f64,
    /// The most memory that the process had meanwhile, in bytes.
    pub peak_memory_bytes: Option<u64>,
    /// Invariants that did not hold.
    pub problems: Vec<String>,
    /// Transfers that failed, with their causes; the first few.
    #[serde(serialize_with = "causes")]
    pub failures: Vec<Failure>,
    /// The hot port over time.
    #[serde(skip)]
    pub samples: Vec<Sample>,
    /// When each delivered transfer was complete, in seconds from the start of the workload, and
    /// its bytes on a wire; in order of time.
    #[serde(skip)]
    pub completions: Vec<(f64, u64)>,
}

/// Failures that are listed.
const LISTED: usize = 10;

fn causes<S: serde::Serializer>(failures: &[Failure], serializer: S) -> Result<S::Ok, S::Error> {
    let text = |failure: &Failure| format!("transfer {}: {}", failure.transfer, failure.cause);
    serializer.collect_seq(failures.iter().take(LISTED).map(text))
}
