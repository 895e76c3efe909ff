//! The answering end: does with every call what the plan says.

use bach::ext::*;
use dcquic_proto::{
    endpoint::Message,
    id::Status,
    pool::{CallError, Incoming, Pool, Sender},
};

use super::{
    log::{End, Shared, Way, assemble, body, headers, pause_behind, pieces, sleep},
    plan::{Call, Ending, Read},
};
use crate::net::NicId;

/// Answers the calls to one life of a host.
pub(super) async fn serve(shared: Shared, host: u32, pool: Pool) {
    while let Some(incoming) = pool.accept().await {
        let named = incoming.metadata().first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        let index = named.map_or(usize::MAX, |index| index as usize);
        let Some(call) = shared.plan.calls.get(index) else {
            shared.problem(format!("host {host} was handed a call that nobody made"));
            continue;
        };
        let token = call.named || !call.after.is_empty();
        let expected = headers(index, Way::Head, 0, call.headers);
        let is_it = incoming.remote() == NicId(call.from).address()
            && call.to == host
            && incoming.pattern() == call.kind.pattern()
            && incoming.priority() == call.priority
            && *incoming.headers() == expected
            && incoming.token().is_some() == token
            && incoming.expires().is_some() == call.deadline.is_some();
        if !is_it {
            shared.problem(format!("call {index} was announced wrong: {incoming:?}"));
        }
        let run = shared.handed_over(index);
        handle(shared.clone(), index, run, incoming).spawn();
    }
}

async fn handle(shared: Shared, index: usize, run: usize, incoming: Incoming) {
    shared.begin();
    let call = &shared.plan.calls[index];
    let end = answer(&shared, call, run, incoming).await;
    let (order, at) = shared.stamp();
    shared.answerer(index, run, |side| side.ended = Some((order, at, end)));
    shared.end();
}

async fn answer(shared: &Shared, call: &Call, run: usize, mut incoming: Incoming) -> End {
    if let Err(error) = take(shared, call, run, &mut incoming).await {
        return End::Failed(error.cause);
    }
    sleep(call.answer.delay).await;
    match call.answer.ending {
        Ending::Reject(status) => {
            incoming.reject(status);
            End::Dropped
        }
        _ if call.kind.pattern().has_many_responses() => {
            respond_many(shared, call, run, incoming.responses()).await
        }
        Ending::Drop(_) => {
            drop(incoming);
            End::Dropped
        }
        Ending::Answer(status) => {
            let answered = respond(shared, call, run, status, incoming).await;
            End::of(answered, |()| status)
        }
    }
}

/// Takes as much of the requests as the plan says.
async fn take(
    shared: &Shared,
    call: &Call,
    run: usize,
    incoming: &mut Incoming,
) -> Result<(), CallError> {
    let plan = &call.answer;
    let limit = if let Read::First(count) = plan.read { count } else { usize::MAX };
    pause_behind(plan.pause, 0).await;
    if !call.kind.pattern().has_many_requests() {
        if limit == 0 {
            return Ok(());
        }
        let size = incoming.size();
        let body = match plan.read {
            Read::Records => assemble(&mut incoming.records(), size, plan.pause).await?,
            _ => incoming.receive().await?,
        };
        shared.answerer(call.index, run, |side| {
            side.read.push((bytes::Bytes::new(), body));
            side.read_all = true;
        });
        return Ok(());
    }
    let mut requests = incoming.requests();
    let mut count = 0;
    while count < limit {
        let Some(message) = requests.next().await else {
            let ended = requests.status() == Some(Status::OK);
            shared.answerer(call.index, run, |side| side.read_all = ended);
            break;
        };
        let message = message?;
        let read = (message.metadata, message.body.unwrap_or_default());
        shared.answerer(call.index, run, |side| side.read.push(read));
        count += 1;
        pause_behind(plan.pause, count).await;
    }
    Ok(())
}

async fn respond(
    shared: &Shared,
    call: &Call,
    run: usize,
    status: Status,
    incoming: Incoming,
) -> Result<(), CallError> {
    let plan = &call.answer;
    let message = plan.responses[0];
    let metadata = headers(call.index, Way::Response, 0, message.headers);
    let body = body(call.index, Way::Response, 0, message);
    let answered = shared.stamp();
    shared.answerer(call.index, run, |side| side.answered = Some(answered));
    if !plan.pieces {
        return incoming.respond(status, metadata, body).await;
    }
    let mut writer = incoming.respond_stream(status, metadata, body.len() as u64);
    for piece in pieces(&body) {
        writer.write(piece).await?;
    }
    writer.finish().await
}

async fn respond_many(shared: &Shared, call: &Call, run: usize, mut sender: Sender) -> End {
    let plan = &call.answer;
    let limit = if let Ending::Drop(behind) = plan.ending { behind } else { usize::MAX };
    for (at, message) in plan.responses.iter().enumerate().take(limit) {
        let message = Message {
            metadata: headers(call.index, Way::Response, at, message.headers),
            body: Some(body(call.index, Way::Response, at, *message)),
            fin: None,
        };
        if let Err(error) = sender.send_message(message).await {
            return End::Failed(error.cause);
        }
    }
    let Ending::Answer(status) = plan.ending else { return End::Dropped };
    let answered = shared.stamp();
    shared.answerer(call.index, run, |side| side.answered = Some(answered));
    End::of(sender.finish(status).await, |()| status)
}
