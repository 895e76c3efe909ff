//! What the command reports when it cannot do what was asked: one line that names the cause.

use std::fmt;

use crate::scenario::{RunError, ScenarioError};

/// The reason a command did not end well.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// Something went wrong.
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self { message: one_line(&message.to_string()), code: 1 }
    }

    /// What was asked for cannot be.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self { code: 2, ..Self::new(message) }
    }

    /// The exit code.
    pub(crate) const fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<ScenarioError> for Failure {
    fn from(error: ScenarioError) -> Self {
        Self::usage(error)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        if error.is_usage() { Self::usage(error) } else { Self::new(error) }
    }
}

/// `text` with line breaks and other control characters as spaces.
pub(crate) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split(char::is_control).map(str::trim).collect();
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line() {
        assert_eq!(Failure::new("a\n  | b\u{1b}[2J\n").to_string(), "a | b [2J");
        assert_eq!(Failure::new("a").code(), 1);
        assert_eq!(Failure::usage("a").code(), 2);
    }
}
