//! A call in each of its patterns.

use std::{
    io::IsTerminal,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use bytes::Bytes;
use dcquic_proto::{
    endpoint::Message,
    id::Status,
    pool::{CallCause, CallError, CallOptions, Pool, Receiver, Response, Sender},
};
use indicatif::ProgressBar;
use serde::Serialize;

use super::{Body, requests::Requests};
use crate::cli::{
    failure::{Failure, cause},
    output::Output,
    progress, remote,
};

/// What is to be called, and how.
pub(crate) struct Target<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) remote: SocketAddr,
    pub(crate) method: &'a str,
    pub(crate) options: CallOptions,
    pub(crate) metadata: Bytes,
}

/// What a call that succeeded moved.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Requests that were sent, if there could be many.
    pub(crate) requests: Option<u64>,
    /// Responses that were printed, if there could be many.
    pub(crate) responses: Option<u64>,
    /// Bytes of all responses.
    pub(crate) size: usize,
    /// The response, if there could not be many.
    pub(crate) response: Option<Bytes>,
}

/// One response of many.
#[derive(Serialize)]
struct Line {
    ok: bool,
    response: u64,
    #[serde(flatten)]
    body: Body,
}

impl Target<'_> {
    /// One request, one response.
    pub(crate) fn single(self, body: Bytes) -> Result<Done, Failure> {
        let Self { pool, remote, method, options, metadata } = self;
        let call = pool.call(remote, options, metadata, body);
        one(remote, method, pollster::block_on(call))
    }

    /// One request; prints the responses as they come.
    pub(crate) fn responses(self, body: Bytes, output: Output) -> Result<Done, Failure> {
        let Self { pool, remote, method, options, metadata } = self;
        let mut receiver = pool.streaming_response(remote, options, metadata, body);
        print(&mut receiver, method, output)
    }

    /// Many requests, one response.
    pub(crate) fn requests(self, bodies: Requests) -> Result<Done, Failure> {
        let Self { pool, remote, method, options, metadata } = self;
        let mut requests = pool.streaming_request(remote, options, metadata);
        let (counter, mut sent) = (progress::counting("requests"), 0);
        for body in bodies {
            match pollster::block_on(requests.send(body?)) {
                Ok(()) => sent += 1,
                // the response tells why
                Err(CallError { cause: CallCause::Answered, .. }) => break,
                Err(error) => return Err(remote::failed(error)),
            }
            counter.set_position(sent);
        }
        let done = one(remote, method, pollster::block_on(requests.response()))?;
        counter.finish_and_clear();
        Ok(Done { requests: Some(sent), ..done })
    }

    /// Many requests from a thread of their own; prints the responses as they come.
    pub(crate) fn both(self, bodies: Requests, output: Output) -> Result<Done, Failure> {
        let Self { pool, remote, method, options, metadata } = self;
        let (sender, mut receiver) = pool.bidirectional(remote, options, metadata);
        let sent = Arc::new(AtomicU64::new(0));
        let (failed, failure) = mpsc::channel();
        let counted = Arc::clone(&sent);
        // it may wait for a line of input for ever: whoever waits for the call does not wait for it
        thread::Builder::new()
            .name("requests".into())
            .spawn(move || pollster::block_on(send(sender, bodies, &counted, &failed)))
            .map_err(|error| {
                Failure::new(format_args!("cannot start a thread: {}", cause(&error)))
            })?;
        let printed = print(&mut receiver, method, output);
        // bad input gives the call up; that is then not what failed
        if let Ok(failure) = failure.try_recv() {
            return Err(failure);
        }
        Ok(Done { requests: Some(sent.load(Ordering::Relaxed)), ..printed? })
    }
}

/// What a call with one response ended in.
fn one(
    remote: SocketAddr,
    method: &str,
    response: Result<Response, CallError>,
) -> Result<Done, Failure> {
    let Response { status, metadata, body } = response.map_err(remote::failed)?;
    remote::refusal(remote, method, status, &metadata)?;
    Ok(Done { size: body.len(), response: Some(body), ..Done::default() })
}

/// Sends every request. That the call has ended, the responses tell.
async fn send(
    mut sender: Sender,
    bodies: Requests,
    sent: &AtomicU64,
    failed: &mpsc::Sender<Failure>,
) {
    for body in bodies {
        match body {
            Ok(body) => {
                if sender.send(body).await.is_err() {
                    return;
                }
                sent.fetch_add(1, Ordering::Relaxed);
            }
            Err(failure) => {
                // read before the sender is dropped, which gives the call up
                let _ = failed.send(failure);
                return;
            }
        }
    }
    let _ended = sender.finish(Status::OK).await;
}

/// Prints responses to the last.
fn print(receiver: &mut Receiver, method: &str, output: Output) -> Result<Done, Failure> {
    // a terminal shows the responses themselves
    let counter = match std::io::stdout().is_terminal() {
        true => ProgressBar::hidden(),
        false => progress::counting("responses"),
    };
    let (mut responses, mut size) = (0, 0);
    while let Some(message) = pollster::block_on(receiver.next()) {
        let Message { metadata, body, fin } = message.map_err(remote::failed)?;
        remote::refusal(receiver.remote(), method, fin.unwrap_or_default(), &metadata)?;
        let body = body.unwrap_or_default();
        if output.json {
            let line = Line { ok: true, response: responses, body: Body::of(&body) };
            output.result(&line, |_| String::new())?;
        } else {
            output.line(&body)?;
        }
        responses += 1;
        size += body.len();
        counter.set_position(responses);
    }
    counter.finish_and_clear();
    let status = receiver.status().unwrap_or_default();
    remote::refusal(receiver.remote(), method, status, &[])?;
    Ok(Done { responses: Some(responses), size, ..Done::default() })
}
