//! What came out of a run, for people and for programs.

use comfy_table::{CellAlignment, Table, presets::NOTHING};
use serde_json::{Value, json};

/// Failed entries that the table shows per file; JSON has all.
const SHOWN_FAILURES: usize = 5;
/// Differences that the table shows per failed entry.
const SHOWN_DIFFERENCES: usize = 3;

/// The outcome of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// One for each file, in the order they were run.
    pub files: Vec<FileReport>,
}

/// The outcome of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// Where it came from.
    pub path: String,
    /// The kind of vectors in it, if known.
    pub suite: Option<&'static str>,
    /// How many entries it has.
    pub entries: usize,
    /// The entries that came out differently.
    pub failures: Vec<Failure>,
    /// Why none of its entries was run.
    pub error: Option<String>,
}

/// An entry that came out differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Name of the entry.
    pub name: String,
    /// What differs; never empty.
    pub differences: Vec<String>,
}

impl FileReport {
    pub(crate) fn new(path: &str) -> Self {
        Self { path: path.to_owned(), suite: None, entries: 0, failures: Vec::new(), error: None }
    }

    /// How many entries came out as they should.
    pub fn passed(&self) -> usize {
        if self.error.is_some() { 0 } else { self.entries - self.failures.len() }
    }

    /// Whether every entry passed.
    pub fn is_success(&self) -> bool {
        self.error.is_none() && self.failures.is_empty()
    }
}

impl Report {
    /// Whether every entry of every file passed.
    pub fn is_success(&self) -> bool {
        self.files.iter().all(FileReport::is_success)
    }

    /// Entries that passed, and all entries.
    pub fn totals(&self) -> (usize, usize) {
        let passed = self.files.iter().map(FileReport::passed).sum();
        (passed, self.files.iter().map(|file| file.entries).sum())
    }

    /// One line per file, the first differences below the table, and the totals.
    pub fn to_table(&self) -> String {
        let mut table = Table::new();
        table.load_preset(NOTHING).set_header(["FILE", "PASSED", "FAILED"]);
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        for file in &self.files {
            let failed = file.entries - file.passed();
            table.add_row([file.path.clone(), file.passed().to_string(), failed.to_string()]);
        }
        let mut text = table.trim_fmt();
        for file in self.files.iter().filter(|file| !file.is_success()) {
            text.push_str("\n\n");
            text.push_str(&file.details());
        }
        let (passed, entries) = self.totals();
        let files = self.files.len();
        text.push_str(&format!("\n\n{passed} of {entries} vectors in {files} files passed"));
        text
    }

    /// Everything, for programs.
    pub fn to_json(&self) -> Value {
        let (passed, entries) = self.totals();
        let files: Vec<Value> = self.files.iter().map(FileReport::to_json).collect();
        json!({
            "success": self.is_success(),
            "passed": passed,
            "failed": entries - passed,
            "files": files,
        })
    }
}

impl FileReport {
    fn details(&self) -> String {
        let mut lines = vec![self.path.clone()];
        lines.extend(self.error.iter().map(|error| format!("  {error}")));
        for failure in self.failures.iter().take(SHOWN_FAILURES) {
            lines.push(format!("  {}", failure.name));
            let shown = failure.differences.iter().take(SHOWN_DIFFERENCES);
            lines.extend(shown.map(|difference| format!("    {difference}")));
            lines.extend(more(failure.differences.len(), SHOWN_DIFFERENCES, "    "));
        }
        lines.extend(more(self.failures.len(), SHOWN_FAILURES, "  "));
        lines.join("\n")
    }

    fn to_json(&self) -> Value {
        let failures: Vec<Value> = self
            .failures
            .iter()
            .map(|failure| json!({ "name": failure.name, "differences": failure.differences }))
            .collect();
        json!({
            "file": self.path,
            "suite": self.suite,
            "passed": self.passed(),
            "failed": self.entries - self.passed(),
            "error": self.error,
            "failures": failures,
        })
    }
}

fn more(all: usize, shown: usize, indent: &str) -> Option<String> {
    all.checked_sub(shown).filter(|rest| *rest > 0).map(|rest| format!("{indent}and {rest} more"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let failures = (0..7)
            .map(|index| Failure {
                name: format!("entry {index}"),
                differences: vec!["a: expected 1, got 2".into(); index + 1],
            })
            .collect();
        let mut bad = FileReport::new("wire/bad.json");
        bad.entries = 9;
        bad.failures = failures;
        let mut good = FileReport::new("wire/good.json");
        good.entries = 3;
        let mut broken = FileReport::new("wire/broken.json");
        broken.error = Some("not JSON".into());
        Report { files: vec![good, bad, broken] }
    }

    #[test]
    fn table_shows_counts_and_first_differences() {
        let text = report().to_table();
        assert!(text.contains("wire/good.json         3       0"), "{text}");
        assert!(text.contains("wire/bad.json          2       7"), "{text}");
        assert!(text.contains("wire/broken.json\n  not JSON"), "{text}");
        assert!(text.contains("  entry 3\n    a: expected 1, got 2\n"), "{text}");
        assert!(text.contains("    and 1 more\n  entry 4"), "{text}");
        assert!(text.contains("  and 2 more\n"), "{text}");
        assert!(text.ends_with("5 of 12 vectors in 3 files passed"), "{text}");
    }

    #[test]
    fn json_has_everything() {
        let json = report().to_json();
        assert_eq!(json["success"], false);
        assert_eq!((&json["passed"], &json["failed"]), (&json!(5), &json!(7)));
        assert_eq!(json["files"][1]["failures"].as_array().map(Vec::len), Some(7));
        assert_eq!(json["files"][2]["error"], "not JSON");
        assert!(Report { files: Vec::new() }.is_success());
    }
}
