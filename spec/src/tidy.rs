//! The rules of house style that a machine can check.

use crate::lexer::Lexed;
use crate::source::SourceFile;

/// Most lines of production code in a file.
pub const FILE_LINES: usize = 500;
/// Most lines of a function, from its name to its closing brace.
pub const FUNCTION_LINES: usize = 100;
/// Most characters of a line.
pub const LINE_CHARACTERS: usize = 100;

/// Functions that may be longer than [`FUNCTION_LINES`], as `path:name`, each with a reason.
const LONG_FUNCTIONS: &[(&str, &str)] = &[];

/// Macros that mark unfinished work.
const UNFINISHED: &[&str] = &["todo!", "unimplemented!"];

/// Names that would tie the core to a clock, a thread or a socket.
const IMPURE: &[&str] = &[
    "Instant",
    "SystemTime",
    "std::thread",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "UnixStream",
    "UnixDatagram",
];

/// Checks one source file; each finding says where and what.
pub fn check(file: &SourceFile) -> Vec<String> {
    let lexed = Lexed::new(&file.text);
    let code = lexed.code();
    let production_lines = file.production_lines();
    let mut findings = Vec::new();
    if production_lines > FILE_LINES {
        findings.push(format!(
            "{}: {production_lines} lines of production code, at most {FILE_LINES}",
            file.path
        ));
    }
    for function in functions(&code) {
        let name = format!("{}:{}", file.path, function.name);
        let allowed = LONG_FUNCTIONS.iter().any(|(allowed, _)| *allowed == name);
        let production = function.line <= production_lines;
        if production && function.lines > FUNCTION_LINES && !allowed {
            findings.push(format!(
                "{}:{}: function {} has {} lines, at most {FUNCTION_LINES}",
                file.path, function.line, function.name, function.lines
            ));
        }
    }
    findings.extend(long_lines(file, &lexed, production_lines));
    findings.extend(banned(file, &code, UNFINISHED, usize::MAX, "unfinished"));
    if file.path.starts_with("proto/src/") {
        findings.extend(banned(file, &code, IMPURE, production_lines, "not for the core"));
    }
    findings
}

/// Chapters (`NN-*.md`) whose name the README of the specification does not mention.
pub fn unlisted_chapters<'a>(
    readme: &str,
    files: impl IntoIterator<Item = &'a str>,
) -> Vec<&'a str> {
    let is_chapter = |name: &&str| {
        let (number, rest) = name.split_at_checked(2).unwrap_or_default();
        number.bytes().all(|byte| byte.is_ascii_digit())
            && rest.starts_with('-')
            && rest.ends_with(".md")
    };
    files.into_iter().filter(is_chapter).filter(|name| !readme.contains(name)).collect()
}

/// Lines of production code that are too long; text and addresses cannot always be broken.
fn long_lines(file: &SourceFile, lexed: &Lexed, production_lines: usize) -> Vec<String> {
    let literals = lexed.lines_with_literals();
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate().take(production_lines) {
        let length = line.chars().count();
        let unbreakable = literals.get(index) == Some(&true) || line.contains("://");
        if length > LINE_CHARACTERS && !unbreakable {
            findings.push(format!(
                "{}:{}: {length} characters, at most {LINE_CHARACTERS}",
                file.path,
                index + 1
            ));
        }
    }
    findings
}

/// Mentions of `names` as whole words in the first `lines` lines of code.
fn banned(file: &SourceFile, code: &str, names: &[&str], lines: usize, why: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for (index, line) in code.lines().enumerate().take(lines) {
        for name in names.iter().filter(|name| mentions(line, name)) {
            findings.push(format!("{}:{}: {name} is {why}", file.path, index + 1));
        }
    }
    findings
}

/// Whether `name` stands in `line` as a whole word.
fn mentions(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(start, _)| {
        !line[..start].ends_with(is_name) && !line[start + name.len()..].starts_with(is_name)
    })
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// A function with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Function {
    name: String,
    /// Line of `fn`, from 1.
    line: usize,
    /// Lines from there to the closing brace.
    lines: usize,
}

/// Finds the functions of a text without comments and literals, by counting braces.
fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for (start, _) in code.match_indices("fn ") {
        if code[..start].ends_with(is_name) {
            continue;
        }
        let rest = &code[start + 3..];
        let name: String = rest.chars().take_while(|c| is_name(*c)).collect();
        // A function pointer type has no name.
        if name.is_empty() {
            continue;
        }
        if let Some(length) = body_end(rest) {
            found.push(Function {
                name,
                line: code[..start].matches('\n').count() + 1,
                lines: rest[..length].matches('\n').count() + 1,
            });
        }
    }
    found
}

/// Length of a function's signature and body; `None` if it has no body.
fn body_end(rest: &str) -> Option<usize> {
    let mut braces = 0_usize;
    let mut brackets = 0_usize;
    for (index, character) in rest.char_indices() {
        match character {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            // The length of an array type in a signature is not the end of it.
            ';' if braces == 0 && brackets == 0 => return None,
            '{' => braces += 1,
            '}' if braces <= 1 => return (braces == 1).then_some(index + 1),
            '}' => braces -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
