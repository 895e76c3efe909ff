//! The normative sentences of the chapters.
//!
//! A requirement starts with its id in square brackets at the start of a line, after a list or
//! quote mark and emphasis if any, and ends at the next requirement, blank line or heading:
//!
//! ```text
//! [WIRE-7] A receiver MUST drop a packet whose reserved bits are set.
//! - **[WIRE-8]** It SHOULD count such packets.
//! ```
//!
//! Brackets anywhere else in a chapter refer to a requirement. Code blocks are not looked at.

use core::fmt;
use core::str::FromStr;
use std::collections::BTreeMap;

use crate::files::chapters;

/// Names a requirement: an area and a number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// Capital letters, such as `WIRE`.
    pub area: String,
    /// Unique in the area; gaps are fine, reuse is not.
    pub number: u32,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}-{}]", self.area, self.number)
    }
}

/// The text is not an [`Id`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidId;

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id is two or more capital letters, a dash and a number")
    }
}

impl std::error::Error for InvalidId {}

impl FromStr for Id {
    type Err = InvalidId;

    /// Reads `WIRE-7`.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (area, number) = text.rsplit_once('-').ok_or(InvalidId)?;
        let letters = area.len() >= 2 && area.bytes().all(|byte| byte.is_ascii_uppercase());
        // `parse` alone would let a sign pass.
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        if !letters || !digits {
            return Err(InvalidId);
        }
        Ok(Self { area: area.to_owned(), number: number.parse().map_err(|_| InvalidId)? })
    }
}

/// How binding a requirement is, by the strongest keyword in it (RFC 2119).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// No keyword: a definition.
    Statement,
    /// `MAY`, `OPTIONAL`.
    May,
    /// `SHOULD`, `SHOULD NOT`, `RECOMMENDED`.
    Should,
    /// `MUST`, `SHALL`, `REQUIRED`.
    Must,
    /// `MUST NOT`, `SHALL NOT`.
    MustNot,
}

impl Level {
    /// Finds the strongest keyword.
    pub fn of(sentence: &str) -> Self {
        let words: Vec<&str> = sentence
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        let following = words.iter().skip(1).map(Some).chain([None]);
        words
            .iter()
            .zip(following)
            .map(|(word, next)| match (*word, next) {
                ("MUST" | "SHALL", Some(&"NOT")) => Self::MustNot,
                ("MUST" | "SHALL" | "REQUIRED", _) => Self::Must,
                ("SHOULD" | "RECOMMENDED", _) => Self::Should,
                ("MAY" | "OPTIONAL", _) => Self::May,
                _ => Self::Statement,
            })
            .max()
            .unwrap_or(Self::Statement)
    }

    /// Whether code and tests have to cite it.
    pub const fn is_mandatory(self) -> bool {
        matches!(self, Self::Must | Self::MustNot)
    }
}

/// A normative sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Its name.
    pub id: Id,
    /// How binding it is.
    pub level: Level,
    /// The text after the id, on one line.
    pub text: String,
    /// File name of the chapter.
    pub chapter: String,
    /// Line of the id, from 1.
    pub line: usize,
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (spec/{}:{}) {}", self.id, self.chapter, self.line, self.text)
    }
}

/// The requirements of all chapters, in reading order.
pub fn requirements() -> Vec<Requirement> {
    chapters()
        .iter()
        .flat_map(|chapter| parse(chapter.path, &String::from_utf8_lossy(chapter.bytes)))
        .collect()
}

/// The requirements of one chapter.
pub fn parse(chapter: &str, text: &str) -> Vec<Requirement> {
    let mut found: Vec<Requirement> = Vec::new();
    let mut open = false;
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with("```") {
            fenced = !fenced;
            open = false;
        } else if fenced {
            // Layouts and examples are not normative sentences.
        } else if let Some((id, rest)) = definition(line) {
            let text = rest.to_owned();
            let chapter = chapter.to_owned();
            found.push(Requirement { id, level: Level::Statement, text, chapter, line: index + 1 });
            open = true;
        } else if line.is_empty() || line.starts_with('#') {
            open = false;
        } else if let (true, Some(last)) = (open, found.last_mut()) {
            last.text.push(' ');
            last.text.push_str(line);
        }
    }
    for requirement in &mut found {
        requirement.text = requirement.text.trim().to_owned();
        requirement.level = Level::of(&requirement.text);
    }
    found
}

/// The pairs of requirements that claim the same id.
pub fn duplicates(requirements: &[Requirement]) -> Vec<(&Requirement, &Requirement)> {
    let mut first = BTreeMap::new();
    let mut twice = Vec::new();
    for requirement in requirements {
        if let Some(earlier) = first.insert(&requirement.id, requirement) {
            twice.push((earlier, requirement));
        }
    }
    twice
}

/// Splits a line that starts a requirement into id and text.
fn definition(line: &str) -> Option<(Id, &str)> {
    let line = line.trim_start_matches(['-', '*', '>', '|', ' ']);
    let (id, rest) = line.strip_prefix('[')?.split_once(']')?;
    // A link, `[text](target)`, is no definition.
    if rest.starts_with('(') {
        return None;
    }
    let rest = rest.trim_start_matches(['*', ':', '|', ' ']);
    Some((id.parse().ok()?, rest))
}

#[cfg(test)]
mod tests;
