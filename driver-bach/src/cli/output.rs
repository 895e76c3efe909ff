//! Results on stdout: JSON or text, and nothing else.

use std::io::{self, Write};

use serde::Serialize;

use super::failure::{Failure, one_line};

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    /// One JSON object per line instead of text.
    pub(crate) json: bool,
}

impl Output {
    /// Prints `value` as JSON, or what `text` makes of it.
    pub(crate) fn result<T: Serialize>(
        self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        if self.json {
            print(&serde_json::to_string(value).map_err(Failure::new)?)
        } else {
            print(&text(value))
        }
    }

    /// Prints text, unless the output is JSON.
    pub(crate) fn text(self, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json { Ok(()) } else { print(&text()) }
    }
}

/// Says something beside the results, on stderr.
pub(crate) fn note(message: impl std::fmt::Display) {
    // a lost note is no reason to stop
    let _ = writeln!(io::stderr(), "{}", one_line(&message.to_string()));
}

fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{}", text.trim_end()).and_then(|()| stdout.flush()) {
        // the reader has seen enough
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::new(format_args!("cannot write the result: {error}"))),
        Ok(()) => Ok(()),
    }
}
