//! Where the requests of a stream come from.

use std::io::{self, BufRead, IsTerminal};

use bytes::Bytes;

use crate::cli::{
    failure::{Failure, cause},
    output,
};

/// Requests, one after the other.
#[derive(Debug)]
pub(crate) enum Requests {
    /// As given on the command line.
    Given(std::vec::IntoIter<Bytes>),
    /// The numbers from 1.
    Generated(std::ops::RangeInclusive<u64>),
    /// The lines of stdin, without their ends.
    Lines(io::BufReader<io::Stdin>),
}

impl Requests {
    /// Lines of stdin, until it ends.
    pub(crate) fn lines() -> Self {
        if io::stdin().is_terminal() {
            output::note("one request per line; Ctrl-D ends them");
        }
        Self::Lines(io::BufReader::new(io::stdin()))
    }
}

impl Iterator for Requests {
    type Item = Result<Bytes, Failure>;

    /// Waits for the next line, if requests are lines.
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Given(given) => given.next().map(Ok),
            Self::Generated(numbers) => Some(Ok(Bytes::from(numbers.next()?.to_string()))),
            Self::Lines(stdin) => {
                let mut line = Vec::new();
                match stdin.read_until(b'\n', &mut line) {
                    Ok(0) => None,
                    Ok(_) => {
                        if line.ends_with(b"\n") {
                            line.pop();
                        }
                        Some(Ok(Bytes::from(line)))
                    }
                    Err(error) => {
                        let why =
                            format_args!("cannot read requests from stdin: {}", cause(&error));
                        Some(Err(Failure::new(why)))
                    }
                }
            }
        }
    }
}
