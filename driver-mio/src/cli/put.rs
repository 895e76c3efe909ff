//! `dcquic put`: a file to a server.

use std::{
    fs::File,
    path::{Path, PathBuf},
    time::Instant,
};

use dcquic_proto::pool::Upload;
use indicatif::ProgressBar;
use serde::Serialize;

use super::{
    failure::Failure,
    methods::{Answer, Request},
    output::Output,
    progress,
    psk::PskOption,
    remote,
    size::ByteSize,
    source::{Piece, Source},
    transport::{self, TransportOptions},
};

/// Arguments of `dcquic put`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The file to send.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The server, HOST:PORT.
    #[arg(value_name = "ADDR")]
    address: String,
    #[command(flatten)]
    psk: PskOption,
    /// The file's name at the server, relative to its directory [default: the name of FILE].
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    transport: TransportOptions,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic put disk.img 127.0.0.1:4433 --psk cluster.psk
  dcquic put disk.img db1:4433 --psk cluster.psk --name images/new.img --timeout 3s

The server writes under a temporary name, flushes to disk and renames; a file of that name is
replaced in one step. The SHA-256 of what was read and of what was written are compared.";

#[derive(Serialize)]
struct Report {
    ok: bool,
    name: String,
    size: u64,
    sha256: String,
    seconds: f64,
    gbit_s: f64,
}

/// Sends the file.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let psk = args.psk.load()?;
    let remote = remote::resolve(&args.address)?;
    let name = match &args.name {
        Some(name) => name.clone(),
        None => default_name(&args.file)?,
    };
    let (file, size) = open(&args.file)?;
    let runtime = transport::start_towards(remote, args.transport.config(remote), psk)?;
    let request = Request { name: Some(name.clone()), ..Request::new("put") };
    let started = Instant::now();
    let mut upload = runtime.pool().bulk(remote, request.encode(), size);
    let bar = progress::bytes(&name, size);
    let sent = send(&mut upload, &args.file, file, size, &bar)?;
    let response = pollster::block_on(upload.response()).map_err(Failure::new)?;
    bar.finish_and_clear();
    remote::refusal(remote, &format!("put of {name:?}"), response.status, &response.metadata)?;
    let answer = Answer::decode(&response.metadata);
    if sent.is_none() || answer.sha256 != sent || answer.size != Some(size) {
        return Err(Failure::new(format_args!(
            "{remote} stored something else than {}: size {:?}, SHA-256 {:?}",
            args.file.display(),
            answer.size,
            answer.sha256
        )));
    }
    let seconds = started.elapsed().as_secs_f64();
    let report = Report {
        ok: true,
        name,
        size,
        sha256: sent.unwrap_or_default(),
        seconds,
        gbit_s: (size * 8) as f64 / seconds / 1e9,
    };
    output.result(&report, |report| {
        format!(
            "{}  {} ({}, {:.2} Gbit/s)",
            report.sha256,
            report.name,
            ByteSize(report.size),
            report.gbit_s
        )
    })
}

/// Hands the file to the upload; its digest, or none if the server has answered early.
fn send(
    upload: &mut Upload,
    path: &Path,
    file: File,
    size: u64,
    bar: &ProgressBar,
) -> Result<Option<String>, Failure> {
    let failed = |error| Failure::new(format_args!("{} {error}", path.display()));
    let mut digest = None;
    for piece in Source::start(file, size).map_err(failed)? {
        match piece.map_err(failed)? {
            Piece::Digest(value) => digest = Some(value),
            Piece::Chunk(chunk) if chunk.is_empty() => {}
            Piece::Chunk(chunk) => {
                let len = chunk.len() as u64;
                if pollster::block_on(upload.write(chunk)).is_err() {
                    // the response, or its absence, says why
                    return Ok(None);
                }
                bar.inc(len);
            }
        }
    }
    Ok(digest)
}

/// Opens a plain file and tells its length.
fn open(path: &Path) -> Result<(File, u64), Failure> {
    let failed = |error| Failure::file("read", path, &error);
    // asked first: opening a pipe would wait for its writer
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(Failure::new(format_args!("{} is not a plain file", path.display())));
    }
    let file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    Ok((file, size))
}

fn default_name(path: &Path) -> Result<String, Failure> {
    path.file_name().and_then(|name| name.to_str()).map(str::to_owned).ok_or_else(|| {
        Failure::new(format_args!("{} has no name to send; give one with --name", path.display()))
    })
}
