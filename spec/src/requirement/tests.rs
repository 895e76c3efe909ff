use super::*;

fn id(text: &str) -> Id {
    text.parse().unwrap()
}

#[test]
fn ids_are_capitals_and_a_number() {
    assert_eq!(id("WIRE-12"), Id { area: "WIRE".into(), number: 12 });
    assert_eq!(id("WIRE-12").to_string(), "[WIRE-12]");
    for wrong in ["WIRE", "WIRE-", "WIRE-+1", "wire-1", "W-1", "WIRE-1a", "-1", "", "A-B-1"] {
        assert_eq!(wrong.parse::<Id>(), Err(InvalidId), "{wrong}");
    }
}

#[test]
fn level_is_the_strongest_keyword() {
    assert_eq!(Level::of("It is so."), Level::Statement);
    assert_eq!(Level::of("It must be lower case to mean nothing."), Level::Statement);
    assert_eq!(Level::of("It MAY, and it SHOULD NOT."), Level::Should);
    assert_eq!(Level::of("It MUST."), Level::Must);
    assert_eq!(Level::of("It MUST\nNOT, or MUST."), Level::MustNot);
    assert_eq!(Level::of("a **MUST NOT** b"), Level::MustNot);
    assert_eq!(Level::of("MUSTARD"), Level::Statement);
    assert!(Level::MustNot.is_mandatory() && Level::Must.is_mandatory());
    assert!(!Level::Should.is_mandatory());
}

#[test]
fn chapter_is_split_into_requirements() {
    let text = "\
# Wire
As [WIRE-2] says, nothing.

[WIRE-1] A sender MUST NOT
reuse a number.
- **[WIRE-2]** A receiver MUST check (see [WIRE-1]).
  Always.
## Next
Not part of it.
> [WIRE-3]: It MAY.
```text
[WIRE-4] not normative
```
[WIRE-5](#link) is a link.
";
    let found: Vec<_> = parse("02-wire.md", text)
        .into_iter()
        .map(|r| (r.id.number, r.level, r.text, r.line))
        .collect();
    let expected = [
        (1, Level::MustNot, "A sender MUST NOT reuse a number.", 4),
        (2, Level::Must, "A receiver MUST check (see [WIRE-1]). Always.", 6),
        (3, Level::May, "It MAY.", 10),
    ];
    assert_eq!(found, expected.map(|(n, level, text, line)| (n, level, text.to_owned(), line)));
}

#[test]
fn ids_defined_twice_are_found() {
    let mut all = parse("a.md", "[SEC-1] A.\n\n[SEC-2] B.");
    assert!(duplicates(&all).is_empty());
    all.extend(parse("b.md", "\n[SEC-1] C."));
    let twice = duplicates(&all);
    assert_eq!(twice.len(), 1);
    assert_eq!((twice[0].0.chapter.as_str(), twice[0].1.chapter.as_str()), ("a.md", "b.md"));
    assert_eq!(twice[0].1.to_string(), "[SEC-1] (spec/b.md:2) C.");
}
