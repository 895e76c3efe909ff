//! Runs the test vectors of the dcquic specification.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use dcquic_conformance::runner::{ReadError, Source, embedded, read, run};
use dcquic_conformance::suite;
use dcquic_conformance::vector::VectorFile;
use serde_json::{Value, json};

/// Runs the test vectors of the dcquic specification against this implementation.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:\n  \
    dcquic-conformance run\n  \
    dcquic-conformance run spec/vectors/wire --json\n  \
    dcquic-conformance list\n\n\
    The vectors of the specification are built in and used where no path is given."
)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run vectors; exits with 1 if any comes out differently.
    #[command(after_help = "Examples:\n  \
        dcquic-conformance run\n  \
        dcquic-conformance run my/vectors/wire/new.json\n  \
        dcquic-conformance run --json | jq '.files[].failures'")]
    Run(Selection),
    /// List vectors without running them.
    #[command(after_help = "Examples:\n  \
        dcquic-conformance list\n  \
        dcquic-conformance list spec/vectors/crypto --json")]
    List(Selection),
}

#[derive(Debug, Args)]
struct Selection {
    /// Files, or directories to search for .json files; a directory named for a suite (such as
    /// "wire") says what the vectors are.
    #[arg(value_name = "DIR|FILE")]
    paths: Vec<PathBuf>,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

impl Selection {
    fn sources(&self) -> Result<Vec<Source>, ReadError> {
        if self.paths.is_empty() { Ok(embedded()) } else { read(&self.paths) }
    }
}

fn main() -> ExitCode {
    let command = Options::parse().command;
    let (Command::Run(selection) | Command::List(selection)) = &command;
    let sources = match selection.sources() {
        Ok(sources) => sources,
        Err(error) => return fail(&error.to_string()),
    };
    // Success over nothing would hide a wrong path.
    if sources.is_empty() {
        return fail("no vectors found");
    }
    let (text, success) = match &command {
        Command::Run(selection) => run_sources(&sources, selection.json),
        Command::List(selection) => list(&sources, selection.json),
    };
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            fail(&format!("cannot write: {error}"))
        }
        // A reader that left early has seen enough.
        _ if success => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("dcquic-conformance: {message}");
    ExitCode::FAILURE
}

fn run_sources(sources: &[Source], json: bool) -> (String, bool) {
    let report = run(suite::all(), sources);
    let text = if json { format!("{:#}", report.to_json()) } else { report.to_table() };
    (text, report.is_success())
}

/// The names of all entries by file; files that cannot be parsed are listed with the reason.
fn list(sources: &[Source], json: bool) -> (String, bool) {
    let files: Vec<_> = sources
        .iter()
        .map(|source| (&source.path, VectorFile::parse(&source.path, &source.bytes)))
        .collect();
    let success = files.iter().all(|(_, file)| file.is_ok());
    if json {
        let files: Vec<Value> = files
            .iter()
            .map(|(path, file)| match file {
                Ok(file) => {
                    let names: Vec<_> = file.entries.iter().map(|entry| &entry.name).collect();
                    json!({ "file": path, "vectors": names })
                }
                Err(error) => json!({ "file": path, "error": error.to_string() }),
            })
            .collect();
        return (format!("{:#}", Value::Array(files)), success);
    }
    let mut lines = Vec::new();
    for (path, file) in &files {
        match file {
            Ok(file) => {
                lines.push(format!("{path} ({})", file.entries.len()));
                lines.extend(file.entries.iter().map(|entry| format!("  {}", entry.name)));
            }
            Err(error) => lines.push(format!("{path}: {error}")),
        }
    }
    (lines.join("\n"), success)
}
