//! Finds vectors, runs them and collects what came out.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::report::{Failure, FileReport, Report};
use crate::suite::{Suite, of_path};
use crate::vector::{Entry, VectorFile};

/// A file that may hold vectors, not yet parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where it came from.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A path that was asked for cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {error}", path.display())]
pub struct ReadError {
    /// The path.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub error: io::Error,
}

/// The vectors of the specification, built into the program.
pub fn embedded() -> Vec<Source> {
    dcquic_spec::vectors()
        .iter()
        .filter(|file| file.path.ends_with(".json"))
        .map(|file| Source { path: file.path.to_owned(), bytes: file.bytes.to_vec() })
        .collect()
}

/// The files named, and the `.json` files in and below the directories named, sorted.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Source>, ReadError> {
    let mut sources = Vec::new();
    for path in paths {
        let mut files = Vec::new();
        // The kind of vectors follows from the directories, which a relative path may hide.
        let path = path.canonicalize().map_err(|error| ReadError { path: path.clone(), error })?;
        collect(&path, true, &mut files)?;
        files.sort();
        for file in files {
            match fs::read(&file) {
                Ok(bytes) => sources.push(Source { path: file.display().to_string(), bytes }),
                Err(error) => return Err(ReadError { path: file, error }),
            }
        }
    }
    Ok(sources)
}

/// Adds `path` if it is a file, or the vector files below it; what was `named` is always meant.
fn collect(path: &Path, named: bool, files: &mut Vec<PathBuf>) -> Result<(), ReadError> {
    let failed = |error| ReadError { path: path.to_owned(), error };
    if !path.is_dir() {
        if named || path.extension().is_some_and(|extension| extension == "json") {
            files.push(path.to_owned());
        }
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        collect(&entry.path(), false, files)?;
    }
    Ok(())
}

/// Runs every entry of every source against the suites.
///
/// A file that cannot be parsed, or that belongs to no suite, is a failed file: vectors never go
/// unnoticed.
pub fn run(suites: &[&'static dyn Suite], sources: &[Source]) -> Report {
    Report { files: sources.iter().map(|source| run_file(suites, source)).collect() }
}

fn run_file(suites: &[&'static dyn Suite], source: &Source) -> FileReport {
    let mut report = FileReport::new(&source.path);
    let file = match VectorFile::parse(&source.path, &source.bytes) {
        Ok(file) => file,
        Err(error) => {
            report.error = Some(error.to_string());
            return report;
        }
    };
    report.entries = file.entries.len();
    let Some(suite) = of_path(suites, &source.path) else {
        let known: Vec<_> = suites.iter().map(|suite| suite.name()).collect();
        report.error = Some(format!("in no directory of a known suite: {}", known.join(", ")));
        return report;
    };
    report.suite = Some(suite.name());
    report.failures.extend(file.entries.iter().filter_map(|entry| run_entry(suite, entry)));
    report
}

fn run_entry(suite: &dyn Suite, entry: &Entry) -> Option<Failure> {
    let differences: Vec<String> = match suite.check(entry) {
        Ok(differences) => differences.iter().map(ToString::to_string).collect(),
        Err(error) => vec![format!("the vector is malformed: {error}")],
    };
    (!differences.is_empty()).then(|| Failure { name: entry.name.clone(), differences })
}

#[cfg(test)]
mod tests;
