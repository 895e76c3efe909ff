//! `dcquic keygen`: a new pre-shared key.

use std::{io, path::PathBuf};

use dcquic_proto::crypto::Psk;
use serde::Serialize;

use super::{failure::Failure, hex, output::Output, part::PartFile, psk};

/// Arguments of `dcquic keygen`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The file to write; only its owner may read it.
    #[arg(long, value_name = "FILE")]
    psk: PathBuf,
    /// Replace the file if it exists. What was encrypted with its key is not affected.
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic keygen --psk cluster.psk          write a new key; refuses to replace one
  dcquic keygen --psk cluster.psk --force  replace the key";

#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    psk: &'a str,
    psk_id: String,
}

/// Draws a key and writes it.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            Failure::new(format_args!("{} exists; --force replaces it", args.psk.display()))
        } else {
            Failure::file("write", &args.psk, &error)
        }
    };
    let key = Psk::from_bytes(*psk::random()?);
    let part = PartFile::create_at(&args.psk, 0o600).map_err(failed)?;
    part.write_at(0, key.to_text().as_bytes()).map_err(failed)?;
    if args.force { part.finish() } else { part.finish_new() }.map_err(failed)?;
    let path = args.psk.to_string_lossy();
    let report = Report { ok: true, psk: &path, psk_id: hex::encode(&key.id()) };
    output.result(&report, |report| format!("{}: key {}", report.psk, report.psk_id))
}
