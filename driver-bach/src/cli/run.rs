//! `dcquic-sim run`: a scenario from a file.

use std::path::PathBuf;

use super::{
    failure::Failure,
    output::Output,
    runs::{self, FileArgs},
};
use crate::scenario::{Scenario, Transport};

/// Arguments of `dcquic-sim run`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The scenario, in TOML, as `--save` of the other commands writes it.
    #[arg(value_name = "FILE")]
    scenario: PathBuf,
    /// Transports to compare instead of the file's.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    transport: Vec<Transport>,
    /// A seed instead of the file's.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(..1 << 63))]
    seed: Option<u64>,
    #[command(flatten)]
    files: FileArgs,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic-sim incast --senders 100 --save incast.toml
  dcquic-sim run incast.toml
  dcquic-sim run incast.toml --seed 2 --transport dcquic,quinn-cubic --json";

/// Runs the scenario of a file.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let mut scenario = Scenario::load(&args.scenario)?;
    if !args.transport.is_empty() {
        scenario.transports.clone_from(&args.transport);
    }
    scenario.seed = args.seed.unwrap_or(scenario.seed);
    runs::run_as_is(&scenario, &args.files, output)
}
