//! The source tree, and what of a file is production code.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// A Rust source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Path below the repository, with slashes.
    pub path: String,
    /// The content.
    pub text: String,
}

impl SourceFile {
    /// Whether no line of the file is part of what users run.
    pub fn is_test(&self) -> bool {
        let test_directory = |part| matches!(part, "tests" | "benches" | "examples" | "fuzz");
        self.path.split('/').any(test_directory) || self.path.ends_with("/tests.rs")
    }

    /// How many lines come before an inline test module, which by house style is the last item;
    /// none in a test file.
    pub fn production_lines(&self) -> usize {
        if self.is_test() { 0 } else { production_lines(&self.text) }
    }
}

/// Lines before the first `#[cfg(test)]` that is followed by a module with a body.
fn production_lines(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut attribute = None;
    for (index, line) in lines.iter().enumerate() {
        if line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(all(test") {
            attribute = Some(index);
        } else if line.starts_with("#[") || line.starts_with("//") {
            // Further attributes and comments stand between the attribute and its item.
        } else if let Some(start) = attribute.take()
            && (line.starts_with("mod ") || line.starts_with("pub(crate) mod "))
            && line.ends_with('{')
        {
            return start;
        }
    }
    lines.len()
}

/// All Rust files below `root`, sorted, without build output and hidden directories.
pub fn walk(root: &Path) -> io::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let path = entry.path();
            // Links are not followed: they could lead out of the repository or in circles.
            let kind = entry.file_type()?;
            if kind.is_dir() && !name.starts_with('.') && name != "target" {
                directories.push(path);
            } else if kind.is_file() && name.ends_with(".rs") {
                files.push(SourceFile {
                    path: relative(root, &path),
                    text: fs::read_to_string(&path)?,
                });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The directory that holds the workspace, as long as this crate is a directory of it.
pub fn repository() -> PathBuf {
    let crate_directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_directory.parent().unwrap_or(crate_directory).to_owned()
}

fn relative(root: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(root).unwrap_or(path).iter();
    parts.map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.into(), text: text.into() }
    }

    #[test]
    fn test_files_are_known_by_their_path() {
        for path in ["proto/src/wheel/tests.rs", "proto/tests/a.rs", "x/benches/b.rs", "tests/c.rs"]
        {
            assert!(file(path, "fn a() {}").is_test(), "{path}");
            assert_eq!(file(path, "fn a() {}").production_lines(), 0);
        }
        assert!(!file("proto/src/contests.rs", "").is_test());
    }

    #[test]
    fn production_ends_at_an_inline_test_module() {
        let inline = "fn a() {}\n\n#[cfg(test)]\n#[rustfmt::skip]\nmod tests {\n}\n";
        assert_eq!(file("a/src/a.rs", inline).production_lines(), 2);
        let beside = "fn a() {}\n#[cfg(test)]\nmod tests;\nfn b() {}\n";
        assert_eq!(file("a/src/a.rs", beside).production_lines(), 4);
        let item = "#[cfg(test)]\nuse a::b;\nmod c {\n}\n";
        assert_eq!(file("a/src/a.rs", item).production_lines(), 4);
    }

    #[test]
    fn walk_finds_this_file() {
        let files = walk(&repository()).unwrap();
        assert!(files.iter().any(|file| file.path == "spec/src/source.rs"));
        assert!(files.iter().all(|file| !file.path.starts_with("target/")));
        assert!(files.is_sorted_by_key(|file| file.path.as_str()));
    }
}
