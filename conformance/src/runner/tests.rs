use super::*;
use crate::suite::Difference;
use crate::vector::FieldError;

/// Passes entries whose `"answer"` is 42.
#[derive(Debug)]
struct Answers;

impl Suite for Answers {
    fn name(&self) -> &'static str {
        "answers"
    }

    fn check(&self, entry: &Entry) -> Result<Vec<Difference>, FieldError> {
        let answer = entry.number("answer")?.to_string();
        Ok(Difference::between("answer", answer, "42").into_iter().collect())
    }
}

const SUITES: &[&dyn Suite] = &[&Answers];

fn run_one(path: &str, text: &str) -> FileReport {
    let source = Source { path: path.into(), bytes: text.as_bytes().to_vec() };
    run(SUITES, &[source]).files.remove(0)
}

#[test]
fn entries_pass_fail_or_are_malformed() {
    let text = r#"[{"name": "a", "answer": 42}, {"name": "b", "answer": 41}, {"name": "c"}]"#;
    let report = run_one("answers/x.json", text);
    assert_eq!(report.suite, Some("answers"));
    assert_eq!((report.entries, report.passed()), (3, 1));
    let failures: Vec<_> =
        report.failures.iter().map(|f| (f.name.as_str(), f.differences.join("; "))).collect();
    let expected = [
        ("b", "answer: expected 41, got 42".to_owned()),
        ("c", "the vector is malformed: field \"answer\" is missing".to_owned()),
    ];
    assert_eq!(failures, expected);
    assert!(!report.is_success());
}

#[test]
fn files_without_a_suite_or_a_parse_fail() {
    let stray = run_one("other/x.json", r#"[{"name": "a", "answer": 42}]"#);
    assert_eq!(stray.error.as_deref(), Some("in no directory of a known suite: answers"));
    assert_eq!(stray.passed(), 0);
    let broken = run_one("answers/x.json", "[");
    assert!(broken.error.unwrap().starts_with("not JSON"));
}

#[test]
fn suite_is_the_innermost_directory() {
    let name = |path| of_path(SUITES, path).map(Suite::name);
    assert_eq!(name("a/answers/deep/x.json"), Some("answers"));
    assert_eq!(name("answers"), None);
    assert_eq!(name("answers.json"), None);
}

#[test]
fn directories_are_searched_and_missing_paths_are_errors() {
    let directory = tempfile::tempdir().unwrap();
    let below = directory.path().join("answers");
    fs::create_dir(&below).unwrap();
    fs::write(below.join("b.json"), "[]").unwrap();
    fs::write(below.join("a.json"), "[]").unwrap();
    fs::write(below.join("note.txt"), "").unwrap();

    let found = read(&[directory.path().to_owned()]).unwrap();
    let names: Vec<_> = found.iter().filter_map(|s| s.path.rsplit('/').next()).collect();
    assert_eq!(names, ["a.json", "b.json"]);
    assert!(run(SUITES, &found).is_success());

    let named = read(&[below.join("note.txt")]).unwrap();
    assert_eq!(named.len(), 1, "a file that was named is read whatever its name");

    let missing = below.join("c.json");
    assert_eq!(read(std::slice::from_ref(&missing)).unwrap_err().path, missing);
}
