//! The kinds of vectors this crate can run.

use core::fmt;

use crate::vector::{Entry, FieldError};

/// A kind of vectors, in its own directory under `spec/vectors`.
///
/// To add a kind: implement this for a unit type in a module of its own, list it in [`all`],
/// describe its fields in `README.md`.
pub trait Suite: Sync {
    /// Name of the directory that holds such vectors.
    fn name(&self) -> &'static str;

    /// Runs one entry; no differences means that it passed.
    fn check(&self, entry: &Entry) -> Result<Vec<Difference>, FieldError>;
}

/// Something that came out differently than a vector says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What was compared, such as the name of a field.
    pub what: String,
    /// What the vector says.
    pub expected: String,
    /// What this implementation says.
    pub actual: String,
}

impl Difference {
    /// Compares; `None` when both are the same.
    pub fn between(
        what: impl Into<String>,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> Option<Self> {
        let (expected, actual) = (expected.into(), actual.into());
        (expected != actual).then(|| Self { what: what.into(), expected, actual })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, got {}", self.what, self.expected, self.actual)
    }
}

/// All kinds of vectors.
pub fn all() -> &'static [&'static dyn Suite] {
    static ALL: [&dyn Suite; 2] = [&crate::wire::this::THIS, &crate::crypto::Crypto];
    &ALL
}

/// The kind that a path belongs to: the innermost directory named for one.
pub fn of_path(suites: &[&'static dyn Suite], path: &str) -> Option<&'static dyn Suite> {
    let directories = path.rsplit(['/', '\\']).skip(1);
    directories
        .filter_map(|directory| suites.iter().find(|suite| suite.name() == directory))
        .copied()
        .next()
}
