//! What a server does with a request.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use dcquic_proto::{
    endpoint::Message,
    id::Status,
    pool::{CallError, Incoming, Sender},
};

use super::{files, streams};
use crate::cli::{
    failure::cause,
    headers,
    methods::{Answer, CALLABLE, Request, usual_option},
    names::NameError,
    output,
    part::Directory,
};

/// What the requests of one server share.
pub(crate) struct Service {
    root: Option<Directory>,
    digests: Mutex<Digests>,
    transfers: Mutex<usize>,
    transfer_ended: Condvar,
    stopping: Arc<AtomicBool>,
}

/// Why a request gets no answer but a status and a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: Status,
    pub(crate) message: String,
}

/// What stopped a request that was being handled.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It is refused, and the peer is told.
    Refused(Refusal),
    /// The peer is gone or no longer interested.
    Gone(CallError),
}

impl Stop {
    /// A refusal.
    pub(crate) fn refused(status: Status, message: impl std::fmt::Display) -> Self {
        Self::Refused(Refusal { status, message: message.to_string() })
    }
}

impl From<CallError> for Stop {
    fn from(error: CallError) -> Self {
        Self::Gone(error)
    }
}

impl From<NameError> for Stop {
    fn from(error: NameError) -> Self {
        let status = match error {
            NameError::NotFound(_) => Status::NOT_FOUND,
            NameError::System(..) => Status::INTERNAL,
            _ => Status::FORBIDDEN,
        };
        Self::refused(status, error)
    }
}

impl Service {
    /// Serves the files of `root`, if there is one, until `stopping`.
    pub(crate) fn new(root: Option<Directory>, stopping: Arc<AtomicBool>) -> Self {
        Self {
            root,
            digests: Mutex::default(),
            transfers: Mutex::new(0),
            transfer_ended: Condvar::new(),
            stopping,
        }
    }

    /// The served directory.
    pub(crate) fn root(&self) -> Result<&Directory, Stop> {
        self.root.as_ref().ok_or_else(|| {
            Stop::refused(Status::FORBIDDEN, "this server keeps no files; start it with --root DIR")
        })
    }

    /// Stops what goes on for long when the server is about to end.
    pub(crate) fn go_on(&self) -> Result<(), Stop> {
        if self.stopping.load(Ordering::Relaxed) {
            return Err(Stop::refused(Status::SHUTDOWN, "the server is shutting down"));
        }
        Ok(())
    }

    /// Keeps the digest of a `get` until it is asked for.
    pub(crate) fn keep_digest(&self, token: String, digest: String) {
        locked(&self.digests).keep(token, digest);
    }

    /// Waits until every file transfer has ended.
    pub(crate) fn wait(&self) {
        let transfers = locked(&self.transfers);
        let ended = self.transfer_ended.wait_while(transfers, |transfers| *transfers > 0);
        drop(ended.unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts a file transfer in, unless there are too many.
    fn begin_transfer(self: &Arc<Self>) -> Option<Underway> {
        let mut transfers = locked(&self.transfers);
        if *transfers == MAX_TRANSFERS {
            return None;
        }
        *transfers += 1;
        Some(Underway { service: Arc::clone(self) })
    }
}

/// A file transfer that counts while this lives.
struct Underway {
    service: Arc<Service>,
}

impl Drop for Underway {
    fn drop(&mut self) {
        *locked(&self.service.transfers) -= 1;
        self.service.transfer_ended.notify_all();
    }
}

/// Handles one request to its end.
pub(crate) async fn handle(service: Arc<Service>, mut incoming: Incoming) {
    let Some(request) = Request::of(&incoming) else {
        let why = "the request's metadata is not that of a dcquic command";
        return refuse(incoming, "a request", Status::INVALID, why).await;
    };
    let (method, pattern) = (request.method.as_str(), incoming.pattern());
    let result = match method {
        known if pattern.has_many_requests() || pattern.has_many_responses() => {
            if CALLABLE.contains(&known) {
                return streams::handle(incoming, known).await;
            }
            Err(unknown(known))
        }
        "echo" => echo(&mut incoming).await,
        "sum" => match incoming.receive().await {
            Ok(body) => streams::sum(&body),
            Err(error) => Err(error.into()),
        },
        "inspect" => Ok(inspect(&incoming)),
        "seq" => {
            let why = format!("seq has many responses; call it {}", usual_option(method));
            Err(Stop::refused(Status::INVALID, why))
        }
        "time" => Ok(now()),
        "sink" => sink(&mut incoming).await,
        "digest" => return answer_digest(&service, incoming, &request).await,
        "put" | "get" => return transfer(service, incoming, request).await,
        other => Err(unknown(other)),
    };
    match result {
        Ok(body) => report(incoming.respond(Status::OK, Bytes::new(), body).await),
        Err(stop) => end(incoming, &request.method, stop).await,
    }
}

fn unknown(method: &str) -> Stop {
    let methods = CALLABLE.join(", ");
    Stop::refused(Status::NOT_FOUND, format_args!("no method {method:?}; there are {methods}"))
}

/// The call as it arrived.
fn inspect(incoming: &Incoming) -> Bytes {
    let headers: serde_json::Map<_, _> = headers::decode(incoming.headers())
        .into_iter()
        .map(|header| (header.name, header.value.into()))
        .collect();
    let seen = serde_json::json!({
        "from": incoming.remote().to_string(),
        "size": incoming.size(),
        "priority": incoming.priority().level(),
        "deadline": incoming.expires().is_some(),
        "headers": headers,
    });
    Bytes::from(seen.to_string())
}

/// Ends a request that was stopped.
pub(crate) async fn end(incoming: Incoming, what: &str, stop: Stop) {
    match stop {
        Stop::Refused(refusal) => refuse(incoming, what, refusal.status, &refusal.message).await,
        Stop::Gone(_) => give_up(what, &stop),
    }
}

/// Notes a request that ends without a further word to the peer.
pub(crate) fn give_up(what: &str, stop: &Stop) {
    match stop {
        Stop::Refused(refusal) => {
            output::note(format_args!("{what} given up: {}", refusal.message))
        }
        Stop::Gone(error) => output::note(format_args!("{what} given up: {error}")),
    }
}

/// Notes an answer that did not reach its peer.
pub(crate) fn report(answered: Result<(), CallError>) {
    if let Err(error) = answered {
        output::note(format_args!("an answer was not delivered: {error}"));
    }
}

async fn refuse(incoming: Incoming, what: &str, status: Status, why: &str) {
    output::note(format_args!("{} refused {what}: {why}", incoming.remote()));
    if incoming.pattern().has_many_responses() {
        let refusal = Refusal { status, message: why.to_owned() };
        return report(refuse_stream(incoming.responses(), &refusal).await);
    }
    let metadata = Answer::refusal(why).encode();
    report(incoming.respond(status, metadata, Bytes::new()).await);
}

/// Ends a stream of responses with a status other than 0.
pub(crate) async fn refuse_stream(
    mut responses: Sender,
    refusal: &Refusal,
) -> Result<(), CallError> {
    let metadata = Answer::refusal(&refusal.message).encode();
    // an empty response carries the words: the end of a stream alone has a status only
    let last = Message { metadata, body: Some(Bytes::new()), fin: Some(refusal.status) };
    responses.send_message(last).await?;
    responses.finish(refusal.status).await
}

async fn echo(incoming: &mut Incoming) -> Result<Bytes, Stop> {
    match incoming.body() {
        Some(body) => Ok(body),
        None => Ok(incoming.receive().await?),
    }
}

async fn sink(incoming: &mut Incoming) -> Result<Bytes, Stop> {
    let mut total = 0;
    if let Some(body) = incoming.body() {
        total = body.len() as u64;
    } else {
        let mut records = incoming.records();
        while let Some(record) = records.next().await {
            total += record?.data.len() as u64;
        }
    }
    Ok(Bytes::from(total.to_string()))
}

fn now() -> Bytes {
    // a clock before 1970 is no clock
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Bytes::from(since.as_nanos().to_string())
}

async fn answer_digest(service: &Service, incoming: Incoming, request: &Request) {
    let token = request.token.as_deref().unwrap_or_default();
    let digest = locked(&service.digests).take(token);
    match digest {
        Some(digest) => {
            let answer = Answer { sha256: Some(digest), ..Answer::default() };
            report(incoming.respond(Status::OK, answer.encode(), Bytes::new()).await);
        }
        None => {
            let why = "no get of that token has been read to its end";
            refuse(incoming, "digest", Status::NOT_FOUND, why).await;
        }
    }
}

/// Runs a put or get on a thread of its own: files block.
async fn transfer(service: Arc<Service>, incoming: Incoming, request: Request) {
    let Some(underway) = service.begin_transfer() else {
        let why = format!("{MAX_TRANSFERS} files are being transferred already");
        return refuse(incoming, &request.method, Status::OVERLOADED, &why).await;
    };
    let spawned = thread::Builder::new().name(request.method.clone()).spawn(move || {
        pollster::block_on(files::transfer(&underway.service, incoming, &request));
    });
    if let Err(error) = spawned {
        // the request went with the closure, which rejects it
        output::note(format_args!("cannot start a thread: {}", cause(&error)));
    }
}

/// Digests of files that were sent, the oldest first.
#[derive(Default)]
struct Digests {
    kept: VecDeque<(String, String)>,
}

impl Digests {
    fn keep(&mut self, token: String, digest: String) {
        if self.kept.len() == MAX_DIGESTS {
            self.kept.pop_front();
        }
        self.kept.push_back((token, digest));
    }

    fn take(&mut self, token: &str) -> Option<String> {
        let index = self.kept.iter().position(|(kept, _)| kept == token)?;
        self.kept.remove(index).map(|(_, digest)| digest)
    }
}

/// What is guarded is whole after every statement, so a panic elsewhere does not spoil it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const MAX_TRANSFERS: usize = 64;
const MAX_DIGESTS: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_given_once_and_the_oldest_forgotten() {
        let mut digests = Digests::default();
        for index in 0..=MAX_DIGESTS {
            digests.keep(index.to_string(), format!("digest {index}"));
        }
        assert_eq!(digests.take("0"), None);
        assert_eq!(digests.take("7").as_deref(), Some("digest 7"));
        assert_eq!(digests.take("7"), None);
    }

    #[test]
    fn transfers_are_bounded_and_waited_for() {
        let service = Arc::new(Service::new(None, Arc::default()));
        let underway: Vec<_> = (0..MAX_TRANSFERS).map(|_| service.begin_transfer()).collect();
        assert!(underway.iter().all(Option::is_some));
        assert!(service.begin_transfer().is_none());
        let thread = thread::spawn(move || drop(underway));
        service.wait();
        thread.join().unwrap();
    }

    #[test]
    fn names_that_lead_out_are_forbidden() {
        let Stop::Refused(refusal) = Stop::from(NameError::Dots("../x".into())) else {
            panic!("a bad name is refused")
        };
        assert_eq!(refusal.status, Status::FORBIDDEN);
    }
}
