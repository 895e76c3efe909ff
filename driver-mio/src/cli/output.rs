//! Results on stdout: JSON or text, and nothing else.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::failure::{Failure, cause};

/// Where and how results are printed.
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
            let line = serde_json::to_string(value).map_err(Failure::new)?;
            print(line.as_bytes(), true)
        } else {
            let text = text(value);
            print(text.as_bytes(), !text.ends_with('\n'))
        }
    }

    /// Prints bytes as they are; on a terminal the prompt goes to a line of its own.
    pub(crate) fn raw(self, bytes: &[u8]) -> Result<(), Failure> {
        print(bytes, io::stdout().is_terminal() && !bytes.ends_with(b"\n"))
    }

    /// Prints bytes as they are, and a line break.
    pub(crate) fn line(self, bytes: &[u8]) -> Result<(), Failure> {
        print(bytes, true)
    }
}

/// Says something beside the results, on stderr.
pub(crate) fn note(message: impl std::fmt::Display) {
    // a lost note is no reason to stop
    let _ = writeln!(io::stderr(), "{}", super::failure::one_line(&message.to_string()));
}

fn print(bytes: &[u8], newline: bool) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(bytes)
        .and_then(|()| if newline { stdout.write_all(b"\n") } else { Ok(()) })
        .and_then(|()| stdout.flush());
    match written {
        // the reader has seen enough
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::new(format_args!("cannot write the result: {}", cause(&error)))),
        Ok(()) => Ok(()),
    }
}
