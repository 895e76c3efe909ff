//! The calling end: makes the calls of one life of a host.

use bach::ext::*;
use bytes::Bytes;
use dcquic_proto::{
    causality::{Dependency, TokenGuard},
    endpoint::Message,
    id::Status,
    pool::{
        Call as Whole, CallCause, CallError, CallOptions, Download, Pool, Receiver, Requests,
        Response, Sender, Upload,
    },
};

use super::{
    log::{
        End, Shared, Way, assemble, body, headers, metadata, pause_behind, pieces, sleep, within,
    },
    plan::{Call, Dropped, Kind},
    reference::{is_never_started, is_sender_unused},
};
use crate::{Clock, net::NicId};

/// The handles of a call.
enum Handles {
    Whole(Whole),
    Upload(Upload),
    Download(Download),
    Receiver(Receiver),
    Requests(Requests),
    Both(Sender, Receiver),
}

impl Handles {
    fn token(&self) -> Option<&TokenGuard> {
        match self {
            Self::Whole(call) => call.token(),
            Self::Receiver(receiver) => receiver.token(),
            Self::Requests(requests) => requests.token(),
            Self::Both(sender, _) => sender.token(),
            Self::Upload(_) | Self::Download(_) => None,
        }
    }
}

/// Makes the calls of one life of a host at their times.
pub(super) async fn call_all(shared: Shared, host: u32, life: u32, pool: Pool) {
    let plan = &shared.plan;
    let mut tokens: Vec<Option<TokenGuard>> = vec![None; plan.calls.len()];
    let last_use = last_uses(&plan.calls);
    for call in &plan.calls {
        if call.from != host || plan.conditions.life(host, call.at) != life {
            continue;
        }
        Clock::Picoseconds.sleep_until(call.at).await;
        let handles = open(&pool, call, &tokens);
        tokens[call.index] = handles.token().cloned();
        for (token, last) in tokens.iter_mut().zip(&last_use) {
            token.take_if(|_| *last <= call.index);
        }
        run(shared.clone(), call.index, handles).spawn();
    }
}

/// The last call that depends on each.
fn last_uses(calls: &[Call]) -> Vec<usize> {
    let mut last: Vec<_> = (0..calls.len()).collect();
    for call in calls {
        call.after.iter().for_each(|after| last[after.on] = call.index);
    }
    last
}

fn open(pool: &Pool, call: &Call, tokens: &[Option<TokenGuard>]) -> Handles {
    let remote = NicId(call.to).address();
    let after = call.after.iter().map(|after| {
        let on = tokens[after.on].as_ref().unwrap();
        let dependency: Dependency =
            if after.answered { on.when_answered() } else { on.when_sent() };
        if after.optional { dependency.optional() } else { dependency }
    });
    let options = CallOptions {
        pattern: call.kind.pattern(),
        priority: call.priority,
        deadline: call.deadline,
        headers: headers(call.index, Way::Head, 0, call.headers),
        named: call.named,
        after: after.collect(),
    };
    let metadata = metadata(call);
    let first = || body(call.index, Way::Request, 0, call.requests[0]);
    match call.kind {
        Kind::Unary | Kind::Bulk => Handles::Whole(pool.call(remote, options, metadata, first())),
        Kind::Upload => Handles::Upload(pool.bulk(remote, metadata, first().len() as u64)),
        Kind::Download => Handles::Download(pool.download(remote, metadata, first())),
        Kind::Responses => {
            Handles::Receiver(pool.streaming_response(remote, options, metadata, first()))
        }
        Kind::Requests => Handles::Requests(pool.streaming_request(remote, options, metadata)),
        Kind::Both => {
            let (sender, receiver) = pool.bidirectional(remote, options, metadata);
            Handles::Both(sender, receiver)
        }
    }
}

/// Carries a call out.
async fn run(shared: Shared, index: usize, handles: Handles) {
    shared.begin();
    let call = &shared.plan.calls[index];
    let unstarted = is_never_started(call);
    sleep(call.lag).await;
    let began = shared.stamp();
    shared.caller(index, |side| side.began = (!unstarted).then_some(began));
    let end = match unstarted {
        true => {
            drop(handles);
            End::Dropped
        }
        false => finish(&shared, call, handles).await,
    };
    let (order, at) = shared.stamp();
    shared.caller(index, |side| side.ended = Some((order, at, end)));
    shared.end();
}

async fn finish(shared: &Shared, call: &Call, handles: Handles) -> End {
    let span = |handle: Dropped| {
        let (after, which) = call.dropped?;
        (which == Dropped::All || which == handle).then_some(after)
    };
    match handles {
        Handles::Both(sender, receiver) => {
            let (sending, reading) = (shared.clone(), shared.clone());
            let (index, of_sender) = (call.index, span(Dropped::Sender));
            let sent = async move {
                let call = &sending.plan.calls[index];
                let sent = match is_sender_unused(call) {
                    true => None,
                    false => within(send(call, sender), of_sender).await,
                };
                let end = sent.map_or(End::Dropped, |sent| End::of(sent, |()| Status::OK));
                sending.caller(index, |side| side.sent = Some(end));
            }
            .spawn();
            let read = within(read(&reading, call, receiver), span(Dropped::Receiver)).await;
            sent.await.unwrap();
            read.unwrap_or(End::Dropped)
        }
        handles => {
            within(single(shared, call, handles), span(Dropped::All)).await.unwrap_or(End::Dropped)
        }
    }
}

/// A call of one handle.
async fn single(shared: &Shared, call: &Call, handles: Handles) -> End {
    let response = match handles {
        Handles::Whole(whole) => whole.await,
        Handles::Upload(upload) => write(call, upload).await,
        Handles::Requests(requests) => request(call, requests).await,
        Handles::Receiver(receiver) => return read(shared, call, receiver).await,
        Handles::Download(records) => return download(shared, call, records).await,
        Handles::Both(..) => unreachable!("a call of two handles"),
    };
    if let Ok(response) = &response {
        let read = (response.metadata.clone(), response.body.clone());
        shared.caller(call.index, |side| {
            side.read.push(read);
            side.read_all = true;
        });
    }
    End::of(response, |response| response.status)
}

async fn write(call: &Call, mut upload: Upload) -> Result<Response, CallError> {
    for piece in pieces(&body(call.index, Way::Request, 0, call.requests[0])) {
        match upload.write(piece).await {
            Ok(()) => {}
            Err(CallError { cause: CallCause::Answered, .. }) => break,
            Err(error) => return Err(error),
        }
    }
    upload.response().await
}

async fn request(call: &Call, mut requests: Requests) -> Result<Response, CallError> {
    for message in messages(call) {
        match requests.send_message(message).await {
            Ok(()) => {}
            Err(CallError { cause: CallCause::Answered, .. }) => break,
            Err(error) => return Err(error),
        }
    }
    requests.response().await
}

async fn send(call: &Call, mut sender: Sender) -> Result<(), CallError> {
    for message in messages(call) {
        sender.send_message(message).await?;
    }
    sender.finish(Status::OK).await
}

fn messages(call: &Call) -> impl Iterator<Item = Message> + '_ {
    call.requests.iter().enumerate().map(|(at, message)| Message {
        metadata: headers(call.index, Way::Request, at, message.headers),
        body: Some(body(call.index, Way::Request, at, *message)),
        fin: None,
    })
}

async fn read(shared: &Shared, call: &Call, mut receiver: Receiver) -> End {
    let mut count = 0;
    pause_behind(call.pause, 0).await;
    while let Some(message) = receiver.next().await {
        match message {
            Ok(message) => {
                let read = (message.metadata, message.body.unwrap_or_default());
                shared.caller(call.index, |side| side.read.push(read));
            }
            Err(error) => return End::Failed(error.cause),
        }
        count += 1;
        pause_behind(call.pause, count).await;
    }
    let Some(status) = receiver.status() else { return End::Unknown };
    shared.caller(call.index, |side| side.read_all = true);
    End::Done(status)
}

async fn download(shared: &Shared, call: &Call, mut records: Download) -> End {
    let head = match records.head().await {
        Ok(head) => head,
        Err(error) => return End::Failed(error.cause),
    };
    match assemble(&mut records, head.size, call.pause).await {
        Ok(body) => {
            let read: (Bytes, Bytes) = (head.metadata, body);
            shared.caller(call.index, |side| {
                side.read.push(read);
                side.read_all = true;
            });
            End::Done(head.status)
        }
        Err(error) => End::Failed(error.cause),
    }
}
