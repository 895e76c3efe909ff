//! What a command reports when it cannot do what was asked: one line that names the cause.

use std::{fmt, io, path::Path};

/// The reason a command ended with exit code 1.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
}

impl Failure {
    /// A failure with this message.
    ///
    /// Control characters are escaped: parts of the message may come from a peer or a file name,
    /// and must neither break the line nor steer the terminal.
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self { message: one_line(&message.to_string()) }
    }

    /// What the operating system answered when it was asked to `act` on `path`.
    pub(crate) fn file(act: &str, path: &Path, error: &io::Error) -> Self {
        Self::new(format_args!("cannot {act} {}: {}", path.display(), cause(error)))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The operating system's words for `error`, without the number that Rust appends.
pub(crate) fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    match error.raw_os_error() {
        Some(code) => text.trim_end_matches(&format!(" (os error {code})")).to_lowercase(),
        None => text,
    }
}

/// `text` with control characters escaped.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_and_harmless() {
        let failure = Failure::new("no file \"a\nb\u{1b}[2J\"");
        assert_eq!(failure.to_string(), "no file \"a\\nb\\u{1b}[2J\"");
    }

    #[test]
    fn the_system_is_quoted_without_its_number() {
        let error = io::Error::from_raw_os_error(2);
        let failure = Failure::file("read", Path::new("key"), &error);
        assert_eq!(failure.to_string(), "cannot read key: no such file or directory");
    }
}
