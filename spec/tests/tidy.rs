//! The source tree keeps to the house style.

use dcquic_spec::chapters;
use dcquic_spec::source::{repository, walk};
use dcquic_spec::tidy::{check, unlisted_chapters};

#[test]
fn source_tree_is_tidy() {
    let files = walk(&repository()).unwrap();
    let findings: Vec<String> = files.iter().flat_map(check).collect();
    assert!(findings.is_empty(), "{} findings\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn every_chapter_is_listed_in_the_readme() {
    let readme = chapters().iter().find(|file| file.path == "README.md");
    let readme = readme.map_or("", |file| file.text().unwrap());
    let unlisted = unlisted_chapters(readme, chapters().iter().map(|file| file.path));
    assert!(unlisted.is_empty(), "spec/README.md does not list {unlisted:?}");
}
