//! Files to and from the served directory.

use std::{fs::File, io, time::UNIX_EPOCH};

use bytes::Bytes;
use dcquic_proto::{id::Status, pool::Incoming};

use super::service::{self, Service, Stop};
use crate::cli::{
    digest::FileDigest,
    failure::cause,
    hex,
    methods::{Answer, Request},
    names,
    part::PartFile,
    source::{Piece, Source, SourceError},
};

/// Handles a put or a get to its end.
pub(crate) async fn transfer(service: &Service, mut incoming: Incoming, request: &Request) {
    let name = request.name.as_deref().unwrap_or_default();
    let what = format!("{} of {name:?}", request.method);
    if request.method == "put" {
        match put(service, &mut incoming, name).await {
            Ok(answer) => {
                let metadata = answer.encode();
                service::report(incoming.respond(Status::OK, metadata, Bytes::new()).await);
            }
            Err(stop) => service::end(incoming, &what, stop).await,
        }
    } else {
        match open(service, name) {
            Ok(found) => {
                if let Err(stop) = get(service, incoming, found).await {
                    service::give_up(&what, &stop);
                }
            }
            Err(stop) => service::end(incoming, &what, stop).await,
        }
    }
}

/// Writes the request under `name`.
async fn put(service: &Service, incoming: &mut Incoming, name: &str) -> Result<Answer, Stop> {
    let (directory, last) = names::locate(service.root()?, name)?;
    let failed = |error: io::Error| {
        Stop::refused(Status::INTERNAL, format_args!("cannot write {name:?}: {}", cause(&error)))
    };
    let size = incoming.size();
    let part = PartFile::create(directory, &last, 0o644).map_err(failed)?;
    part.reserve(size).map_err(failed)?;
    let mut digest = FileDigest::default();
    if let Some(body) = incoming.body() {
        part.write_at(0, &body).map_err(failed)?;
        digest.written(part.file(), 0, &body).map_err(failed)?;
    } else {
        let mut records = incoming.records();
        while let Some(record) = records.next().await {
            service.go_on()?;
            let record = record?;
            part.write_at(record.offset, &record.data).map_err(failed)?;
            digest.written(part.file(), record.offset, &record.data).map_err(failed)?;
        }
    }
    if digest.hashed() != size {
        let hashed = digest.hashed();
        let why = format_args!("{name:?} ended after {hashed} of {size} bytes");
        return Err(Stop::refused(Status::INTERNAL, why));
    }
    part.finish().map_err(failed)?;
    Ok(Answer { size: Some(size), sha256: Some(digest.finish()), ..Answer::default() })
}

/// A file to send.
struct Found {
    file: File,
    answer: Answer,
    size: u64,
    token: String,
}

/// Opens the file `name` of the served directory.
fn open(service: &Service, name: &str) -> Result<Found, Stop> {
    let (directory, last) = names::locate(service.root()?, name)?;
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => {
            Stop::refused(Status::NOT_FOUND, format_args!("there is no file {name:?}"))
        }
        _ => {
            let why = format_args!("cannot read {name:?}: {}", cause(&error));
            Stop::refused(Status::INTERNAL, why)
        }
    };
    let file = directory.open_file(&last).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        let why = format_args!("the name {name:?} leads to something that is not a plain file");
        return Err(Stop::refused(Status::FORBIDDEN, why));
    }
    let modified = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| Stop::refused(Status::INTERNAL, error))?;
    let (size, token) = (metadata.len(), hex::encode(&random));
    let answer = Answer {
        size: Some(size),
        modified: modified.map(|span| span.as_secs() as i64),
        token: Some(token.clone()),
        ..Answer::default()
    };
    Ok(Found { file, answer, size, token })
}

/// Sends the file as the response. Whoever stops it midway drops it, which tells the peer.
async fn get(service: &Service, incoming: Incoming, found: Found) -> Result<(), Stop> {
    let changed = |error: SourceError| Stop::refused(Status::INTERNAL, format_args!("it {error}"));
    let mut source = Source::start(found.file, found.size).map_err(changed)?;
    let mut piece = source.next();
    // an empty file ends with its head, and its digest is asked for at once
    if let Some(Ok(Piece::Digest(digest))) = &piece {
        service.keep_digest(found.token.clone(), digest.clone());
        piece = source.next();
    }
    let mut response = incoming.respond_stream(Status::OK, found.answer.encode(), found.size);
    while let Some(next) = piece {
        service.go_on()?;
        match next.map_err(changed)? {
            Piece::Digest(digest) => service.keep_digest(found.token.clone(), digest),
            Piece::Chunk(chunk) if chunk.is_empty() => {}
            Piece::Chunk(chunk) => response.write(chunk).await?,
        }
        piece = source.next();
    }
    Ok(response.finish().await?)
}
