//! Lists the chapters and test vectors, so that the library can embed whatever is there.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let variable = |name| env::var_os(name).map(PathBuf::from).ok_or(io::ErrorKind::NotFound);
    let root = variable("CARGO_MANIFEST_DIR")?;
    let mut chapters = Vec::new();
    for file in sorted(&root)? {
        if file.extension().is_some_and(|extension| extension == "md") {
            chapters.push(file);
        }
    }
    let mut vectors = Vec::new();
    let vectors_root = root.join("vectors");
    if vectors_root.is_dir() {
        collect(&vectors_root, &mut vectors)?;
    }
    // Watching a directory notices files that come and go; `include_bytes!` watches their content.
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", root.display());
    let text = table("CHAPTERS", &root, &chapters) + &table("VECTORS", &vectors_root, &vectors);
    fs::write(variable("OUT_DIR")?.join("embedded.rs"), text)
}

/// The entries of a directory, in the same order on every machine.
fn sorted(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries =
        fs::read_dir(directory)?.map(|e| Ok(e?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

/// All files below a directory.
fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in sorted(directory)? {
        if entry.is_dir() {
            collect(&entry, files)?;
        } else {
            files.push(entry);
        }
    }
    Ok(())
}

/// A constant with one `File` for each of `files`, named relative to `root` with slashes.
fn table(name: &str, root: &Path, files: &[PathBuf]) -> String {
    let mut text = format!("const {name}: &[File] = &[\n");
    for file in files {
        let relative = file.strip_prefix(root).unwrap_or(file);
        let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
        let path = parts.join("/");
        let absolute = file.display().to_string();
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "File {{ path: {path:?}, bytes: include_bytes!({absolute:?}) }},");
    }
    text + "];\n"
}
