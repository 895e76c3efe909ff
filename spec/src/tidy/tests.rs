use super::*;

fn findings(path: &str, text: &str) -> Vec<String> {
    check(&SourceFile { path: path.into(), text: text.into() })
}

#[test]
fn long_files_are_found_without_their_tests() {
    let exact = "// a\n".repeat(FILE_LINES);
    assert!(findings("proto/src/a.rs", &exact).is_empty());
    let with_tests = format!("{exact}#[cfg(test)]\nmod tests {{\n{exact}}}\n");
    assert!(findings("proto/src/a.rs", &with_tests).is_empty());
    let longer = format!("{exact}// b\n");
    let expected = ["proto/src/a.rs: 501 lines of production code, at most 500"];
    assert_eq!(findings("proto/src/a.rs", &longer), expected);
    assert!(findings("proto/src/a/tests.rs", &longer).is_empty());
}

#[test]
fn long_functions_are_found() {
    let body =
        |lines: usize| format!("\n\npub fn long(a: [u8; 3]) {{\n{}}}\n", "x();\n".repeat(lines));
    assert!(findings("proto/src/a.rs", &body(FUNCTION_LINES - 2)).is_empty());
    let expected = ["proto/src/a.rs:3: function long has 101 lines, at most 100"];
    assert_eq!(findings("proto/src/a.rs", &body(FUNCTION_LINES - 1)), expected);
    assert!(findings("proto/tests/a.rs", &body(FUNCTION_LINES)).is_empty());
}

#[test]
fn functions_are_measured_by_their_braces() {
    let code = "\
trait A { fn a(&self) -> [u8; 2]; fn b() {} }
type F = fn (u8) -> u8;
fn outer() {
    fn inner() {
        if a { b } else { c }
    }
}
fn unfinished() {";
    let found: Vec<_> = functions(code).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
    let expected = [("b", 1, 1), ("outer", 3, 5), ("inner", 4, 3)];
    assert_eq!(found, expected.map(|(name, line, lines)| (name.to_owned(), line, lines)));
}

#[test]
fn long_lines_are_found_outside_text() {
    let exact = format!("// {}\n", "ä".repeat(97));
    assert!(findings("a/src/a.rs", &exact).is_empty());
    let longer = format!("// {}\n", "ä".repeat(98));
    assert_eq!(findings("a/src/a.rs", &longer), ["a/src/a.rs:1: 101 characters, at most 100"]);
    assert!(findings("a/tests/a.rs", &longer).is_empty());
    let text = format!("let a = \"{}\";\n", "x".repeat(100));
    assert!(findings("a/src/a.rs", &text).is_empty());
}

#[test]
fn unfinished_work_is_found_everywhere() {
    let text = "// todo!()\nlet a = \"todo!()\";\nfn b() { todo!() }\n";
    assert_eq!(findings("a/tests/a.rs", text), ["a/tests/a.rs:3: todo! is unfinished"]);
}

#[test]
fn core_has_no_clock_thread_or_socket() {
    let text = "use std::time::Instant;\nstruct Instantaneous;\nstd::thread::spawn(a);\n";
    let expected = [
        "proto/src/a.rs:1: Instant is not for the core",
        "proto/src/a.rs:3: std::thread is not for the core",
    ];
    assert_eq!(findings("proto/src/a.rs", text), expected);
    assert!(findings("driver-mio/src/a.rs", text).is_empty());
    assert!(findings("proto/src/a/tests.rs", text).is_empty());
}

#[test]
fn chapters_have_to_be_listed() {
    let files = ["02-wire.md", "03-security.md", "README.md", "notes.md", "1-a.md", "é.md"];
    assert_eq!(unlisted_chapters("[wire](02-wire.md)", files), ["03-security.md"]);
    assert!(unlisted_chapters("", []).is_empty());
}
