//! Every mandatory requirement is cited by code and by a test, and every citation is right.

use dcquic_spec::citation::{Gaps, in_source, in_vector};
use dcquic_spec::source::{repository, walk};
use dcquic_spec::{requirements, vectors};

/// The crates that implement and check the specification.
fn is_subject(path: &str) -> bool {
    let top = path.split('/').next().unwrap_or_default();
    matches!(top, "proto" | "conformance" | "tests") || top.starts_with("driver-")
}

#[test]
fn every_requirement_is_met_and_checked() {
    let sources = walk(&repository()).unwrap();
    let mut citations: Vec<_> =
        sources.iter().filter(|file| is_subject(&file.path)).flat_map(in_source).collect();
    for vector in vectors() {
        let text = String::from_utf8_lossy(vector.bytes);
        citations.extend(in_vector(&format!("spec/vectors/{}", vector.path), &text));
    }
    let requirements = requirements();
    let gaps = Gaps::find(&requirements, &citations);
    println!("{} requirements, {} citations", requirements.len(), citations.len());
    assert!(gaps.is_empty(), "the specification and the code differ\n{gaps}");
}
