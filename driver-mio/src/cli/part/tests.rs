use std::{fs, os::unix::fs::PermissionsExt};

use super::*;

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_appears_whole_and_alone() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("data");
    fs::write(&path, "old").unwrap();
    let part = PartFile::create_at(&path, 0o640).unwrap();
    part.reserve(8).unwrap();
    part.write_at(4, b"5678").unwrap();
    part.write_at(0, b"1234").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"old");
    part.finish().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"12345678");
    assert_eq!(names(temporary.path()), ["data"]);
}

#[test]
fn a_dropped_part_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let part = PartFile::create_at(&temporary.path().join("data"), 0o600).unwrap();
    assert_eq!(names(temporary.path()).len(), 1);
    assert!(is_part_name(names(temporary.path())[0].as_ref()));
    drop(part);
    assert_eq!(names(temporary.path()), [""; 0]);
}

#[test]
fn a_taken_name_is_kept_when_asked() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("key");
    PartFile::create_at(&path, 0o600).unwrap().finish_new().unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let error = PartFile::create_at(&path, 0o600).unwrap().finish_new().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(names(temporary.path()), ["key"]);
}

#[test]
fn a_directory_is_no_file() {
    let temporary = tempfile::tempdir().unwrap();
    let error = PartFile::create_at(temporary.path(), 0o600).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
}

#[test]
fn a_sweep_takes_abandoned_parts_only() {
    let temporary = tempfile::tempdir().unwrap();
    let below = temporary.path().join("below");
    fs::create_dir(&below).unwrap();
    for kept in
        ["data.part", ".data.part", ".data.0123456789abcdeX.part", "x.0123456789abcdef.part"]
    {
        fs::write(below.join(kept), "").unwrap();
    }
    fs::write(temporary.path().join(".data.0123456789abcdef.part"), "").unwrap();
    fs::write(below.join(".a.b.0123456789abcdef.part"), "").unwrap();
    let alive = PartFile::create_at(&temporary.path().join("data"), 0o600).unwrap();
    // creating it swept its own directory for its own name
    assert_eq!(sweep(&Directory::open(temporary.path()).unwrap()).unwrap(), 1);
    assert_eq!(names(&below).len(), 4);
    alive.finish().unwrap();
    assert_eq!(names(temporary.path()), ["below", "data"]);
}

#[test]
fn a_long_name_has_a_part_that_fits() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("é".repeat(127));
    PartFile::create_at(&path, 0o600).unwrap().finish().unwrap();
    assert!(path.exists());
}

#[test]
fn links_are_not_followed() {
    let temporary = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/", temporary.path().join("link")).unwrap();
    let directory = Directory::open(temporary.path()).unwrap();
    assert!(directory.child("link".as_ref()).is_err());
    assert!(directory.open_file("link".as_ref()).is_err());
    assert_eq!(directory.kind_of("link".as_ref()).unwrap(), FileType::Symlink);
}
