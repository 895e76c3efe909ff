use super::*;
use crate::requirement::parse;

fn cited(path: &str, text: &str) -> Vec<(String, usize, Evidence)> {
    in_source(&SourceFile { path: path.into(), text: text.into() })
        .into_iter()
        .map(|citation| (citation.id.to_string(), citation.line, citation.evidence))
        .collect()
}

#[test]
fn comments_cite_and_code_does_not() {
    let text = "\
/// Drops it: [WIRE-1], [WIRE-2, SEC-3].
fn a(b: &[u8]) { let c = array[WIRE-9]; let d = \"[WIRE-8]\"; }
// [not an id] [WIRE-1 or so] [WIRE-4
#[cfg(test)]
mod tests {
    // [SEC-4]
}
";
    let expected = [
        ("[WIRE-1]", 1, Evidence::Code),
        ("[WIRE-2]", 1, Evidence::Code),
        ("[SEC-3]", 1, Evidence::Code),
        ("[SEC-4]", 6, Evidence::Test),
    ];
    assert_eq!(
        cited("proto/src/a.rs", text),
        expected.map(|(id, line, evidence)| (id.to_owned(), line, evidence))
    );
}

#[test]
fn test_files_and_the_conformance_crate_are_tests() {
    for path in ["proto/src/a/tests.rs", "proto/tests/b.rs", "conformance/src/c.rs"] {
        let expected = [("[SEC-1]".to_owned(), 1, Evidence::Test)];
        assert_eq!(cited(path, "// [SEC-1]"), expected, "{path}");
    }
    assert_eq!(in_vector("wire/a.json", "{\"covers\": \"[WIRE-6]\"}").len(), 1);
}

#[test]
fn gaps_are_listed_by_kind() {
    let requirements = parse("02-wire.md", "[AB-1] MUST.\n[AB-2] MUST NOT.\n[AB-3] MAY.");
    let citation = |id: &str, evidence| Citation {
        id: id.parse().unwrap(),
        file: "proto/src/a.rs".into(),
        line: 7,
        evidence,
    };
    let complete: Vec<_> = ["AB-1", "AB-2"]
        .into_iter()
        .flat_map(|id| [citation(id, Evidence::Code), citation(id, Evidence::Test)])
        .collect();
    assert!(Gaps::find(&requirements, &complete).is_empty());
    assert!(Gaps::find(&[], &[]).is_empty());

    let mut twice = requirements;
    twice.extend(parse("03-more.md", "[AB-3] MAY."));
    let gaps = Gaps::find(
        &twice,
        &[
            citation("AB-1", Evidence::Code),
            citation("AB-2", Evidence::Test),
            citation("AB-9", Evidence::Code),
        ],
    );
    let expected = "\
defined twice (1):
  [AB-3] (spec/03-more.md:1) MAY.; first in spec/02-wire.md:3
cited but defined nowhere (1):
  [AB-9] in proto/src/a.rs:7
MUST without a citation in code (1):
  [AB-2] (spec/02-wire.md:2) MUST NOT.
MUST without a citation in a test or vector (1):
  [AB-1] (spec/02-wire.md:1) MUST.
";
    assert_eq!(gaps.to_string(), expected);
}
