//! Where code and tests name requirements, and what is missing.
//!
//! A citation is one or more ids in square brackets in a comment: `[WIRE-7]`, `[WIRE-7, SEC-2]`.

use core::fmt;
use std::collections::BTreeSet;

use crate::lexer::Lexed;
use crate::requirement::{Id, Requirement, duplicates};
use crate::source::SourceFile;

/// What a citation stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// Code that meets the requirement.
    Code,
    /// A test or a test vector that checks it.
    Test,
}

/// One mention of a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    /// What is cited.
    pub id: Id,
    /// File, below the repository.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What the line is part of.
    pub evidence: Evidence,
}

/// Finds the citations in the comments of a source file.
///
/// The conformance crate is there to check, so that all of it counts as a test.
pub fn in_source(file: &SourceFile) -> Vec<Citation> {
    let code_lines =
        if file.path.starts_with("conformance/") { 0 } else { file.production_lines() };
    in_lines(&file.path, &Lexed::new(&file.text).comments(), code_lines)
}

/// Finds the citations anywhere in a test vector.
pub fn in_vector(path: &str, text: &str) -> Vec<Citation> {
    in_lines(path, text, 0)
}

fn in_lines(path: &str, text: &str, code_lines: usize) -> Vec<Citation> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let evidence = if index < code_lines { Evidence::Code } else { Evidence::Test };
        for id in ids(line) {
            found.push(Citation { id, file: path.to_owned(), line: index + 1, evidence });
        }
    }
    found
}

/// The ids of all brackets of a line that hold nothing but ids.
fn ids(line: &str) -> Vec<Id> {
    let mut found = Vec::new();
    for opened in line.split('[').skip(1) {
        let Some((inside, _)) = opened.split_once(']') else { continue };
        let parsed: Result<Vec<Id>, _> = inside.split(',').map(|id| id.trim().parse()).collect();
        found.extend(parsed.unwrap_or_default());
    }
    found
}

/// What is wrong between the chapters and the citations; all empty when nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Two requirements with one id.
    pub defined_twice: Vec<String>,
    /// Citations of ids that no chapter defines.
    pub undefined: Vec<String>,
    /// Mandatory requirements that no code cites.
    pub without_code: Vec<String>,
    /// Mandatory requirements that no test cites.
    pub without_test: Vec<String>,
}

impl Gaps {
    /// Compares requirements with citations.
    pub fn find(requirements: &[Requirement], citations: &[Citation]) -> Self {
        let defined: BTreeSet<&Id> = requirements.iter().map(|r| &r.id).collect();
        let without = |evidence| {
            let cited: BTreeSet<&Id> =
                citations.iter().filter(|c| c.evidence == evidence).map(|c| &c.id).collect();
            let mandatory = requirements.iter().filter(|r| r.level.is_mandatory());
            mandatory.filter(|r| !cited.contains(&r.id)).map(ToString::to_string).collect()
        };
        Self {
            defined_twice: duplicates(requirements)
                .into_iter()
                .map(|(first, second)| {
                    format!("{second}; first in spec/{}:{}", first.chapter, first.line)
                })
                .collect(),
            undefined: citations
                .iter()
                .filter(|c| !defined.contains(&c.id))
                .map(|c| format!("{} in {}:{}", c.id, c.file, c.line))
                .collect(),
            without_code: without(Evidence::Code),
            without_test: without(Evidence::Test),
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Gaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, entries) in [
            ("defined twice", &self.defined_twice),
            ("cited but defined nowhere", &self.undefined),
            ("MUST without a citation in code", &self.without_code),
            ("MUST without a citation in a test or vector", &self.without_test),
        ] {
            if !entries.is_empty() {
                writeln!(f, "{title} ({}):", entries.len())?;
            }
            for entry in entries {
                writeln!(f, "  {entry}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
