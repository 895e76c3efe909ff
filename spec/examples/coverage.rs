//! Prints what the specification requires and what is still missing.
//!
//! `cargo run -p dcquic-spec --example coverage [REPOSITORY]`; exits with 1 if anything is missing.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use dcquic_spec::citation::{Citation, Gaps, in_source, in_vector};
use dcquic_spec::requirement::{Requirement, parse};
use dcquic_spec::source::{repository, walk};

fn main() -> io::Result<ExitCode> {
    let root = env::args_os().nth(1).map_or_else(repository, PathBuf::from);
    let requirements = read_chapters(&root.join("spec"))?;
    let sources = walk(&root)?;
    let subjects = sources.iter().filter(|file| !file.path.starts_with("spec/"));
    let mut citations: Vec<_> = subjects.flat_map(in_source).collect();
    let vectors = root.join("spec/vectors");
    if vectors.is_dir() {
        read_vectors(&vectors, &mut citations)?;
    }
    let mandatory = requirements.iter().filter(|r| r.level.is_mandatory()).count();
    println!(
        "{} requirements, {mandatory} of them mandatory; {} citations",
        requirements.len(),
        citations.len()
    );
    let gaps = Gaps::find(&requirements, &citations);
    print!("{gaps}");
    Ok(if gaps.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads the chapters from disk rather than the embedded ones: they may be another tree's.
fn read_chapters(directory: &Path) -> io::Result<Vec<Requirement>> {
    let mut requirements = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            requirements.extend(parse(&name, &fs::read_to_string(&path)?));
        }
    }
    requirements.sort_by(|a, b| (&a.chapter, a.line).cmp(&(&b.chapter, b.line)));
    Ok(requirements)
}

/// Adds the citations in all files below a directory.
fn read_vectors(directory: &Path, citations: &mut Vec<Citation>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            read_vectors(&path, citations)?;
        } else {
            let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
            citations.extend(in_vector(&path.display().to_string(), &text));
        }
    }
    Ok(())
}
