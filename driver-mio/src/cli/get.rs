//! `dcquic get`: a file from a server.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Instant,
};

use bytes::Bytes;
use dcquic_proto::pool::{Download, Pool};
use serde::Serialize;

use super::{
    digest::FileDigest,
    failure::Failure,
    methods::{Answer, Request},
    output::Output,
    part::PartFile,
    progress,
    psk::PskOption,
    remote,
    size::ByteSize,
    transport::{self, TransportOptions},
};

/// Arguments of `dcquic get`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The server, HOST:PORT.
    #[arg(value_name = "ADDR")]
    address: String,
    /// The file's name at the server, relative to its directory.
    #[arg(value_name = "NAME")]
    name: String,
    /// Where to write it; a file of that name is replaced in one step.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    psk: PskOption,
    #[command(flatten)]
    transport: TransportOptions,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic get 127.0.0.1:4433 disk.img copy.img --psk cluster.psk
  dcquic get db1:4433 images/new.img new.img --psk cluster.psk --timeout 3s --json

FILE appears only when it is whole, on disk, and its SHA-256 equals the server's.";

#[derive(Serialize)]
struct Report {
    ok: bool,
    name: String,
    size: u64,
    modified: Option<i64>,
    sha256: String,
    seconds: f64,
    gbit_s: f64,
}

/// Fetches the file.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let psk = args.psk.load()?;
    let remote = remote::resolve(&args.address)?;
    let runtime = transport::start_towards(remote, args.transport.config(remote), psk)?;
    let pool = runtime.pool();
    let started = Instant::now();
    let request = Request { name: Some(args.name.clone()), ..Request::new("get") };
    let mut download = pool.download(remote, request.encode(), Bytes::new());
    let head = pollster::block_on(download.head()).map_err(Failure::new)?;
    remote::refusal(remote, &format!("get of {:?}", args.name), head.status, &head.metadata)?;
    let answer = Answer::decode(&head.metadata);
    let token = match answer.token {
        Some(token) if answer.size == Some(head.size) => token,
        _ => return Err(Failure::new(format_args!("{remote} does not answer like dcquic serve"))),
    };
    let written = |error: io::Error| Failure::file("write", &args.file, &error);
    let part = PartFile::create_at(&args.file, 0o644).map_err(written)?;
    part.reserve(head.size).map_err(written)?;
    let ours = fetch(&mut download, &part, &args.file, &args.name, head.size)?;
    let theirs = pollster::block_on(digest(&pool, remote, token))?;
    if ours != theirs {
        return Err(Failure::new(format_args!(
            "{:?} arrived altered: SHA-256 {ours}, at {remote} {theirs}",
            args.name
        )));
    }
    part.finish().map_err(written)?;
    let seconds = started.elapsed().as_secs_f64();
    let report = Report {
        ok: true,
        name: args.name.clone(),
        size: head.size,
        modified: answer.modified,
        sha256: ours,
        seconds,
        gbit_s: (head.size * 8) as f64 / seconds / 1e9,
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

/// Writes what arrives, and returns its digest once all of it has.
fn fetch(
    download: &mut Download,
    part: &PartFile,
    path: &Path,
    name: &str,
    size: u64,
) -> Result<String, Failure> {
    let written = |error: io::Error| Failure::file("write", path, &error);
    let mut digest = FileDigest::default();
    let bar = progress::bytes(name, size);
    while let Some(record) = pollster::block_on(download.next()) {
        let record = record.map_err(Failure::new)?;
        part.write_at(record.offset, &record.data).map_err(written)?;
        digest.written(part.file(), record.offset, &record.data).map_err(written)?;
        bar.inc(record.data.len() as u64);
    }
    bar.finish_and_clear();
    if digest.hashed() == size {
        Ok(digest.finish())
    } else {
        let hashed = digest.hashed();
        Err(Failure::new(format_args!("{name:?} ended after {hashed} of {size} bytes")))
    }
}

/// Asks for the SHA-256 of what the `get` named `token` has read.
async fn digest(pool: &Pool, remote: SocketAddr, token: String) -> Result<String, Failure> {
    let request = Request { token: Some(token), ..Request::new("digest") };
    let response =
        pool.unary(remote, request.encode(), Bytes::new()).await.map_err(Failure::new)?;
    remote::refusal(remote, "digest", response.status, &response.metadata)?;
    Answer::decode(&response.metadata)
        .sha256
        .ok_or_else(|| Failure::new(format_args!("{remote} answered without a digest")))
}
