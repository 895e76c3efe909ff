//! Methods with many requests or many responses.

use bytes::{Bytes, BytesMut};
use dcquic_proto::{
    id::Status,
    pool::{CallError, Incoming, Sender},
};

use super::service::{self, Stop};
use crate::cli::methods::usual_option;

/// What a call is answered with.
enum Reply {
    /// One message.
    One(Bytes),
    /// A message for each item.
    Many(Box<dyn Iterator<Item = Bytes> + Send>),
    /// A message for each request.
    Each(Box<dyn FnMut(Bytes) -> Result<Bytes, Stop> + Send>),
}

/// Handles a call whose pattern has many messages to its end.
pub(crate) async fn handle(mut incoming: Incoming, method: &str) {
    match reply(&mut incoming, method).await {
        Ok(Reply::One(body)) => {
            service::report(incoming.respond(Status::OK, Bytes::new(), body).await);
        }
        Ok(Reply::Many(messages)) => service::report(many(incoming.responses(), messages).await),
        Ok(Reply::Each(answer)) => service::report(each(incoming, method, answer).await),
        Err(stop) => service::end(incoming, method, stop).await,
    }
}

/// Reads what has to be read before the first answer.
async fn reply(incoming: &mut Incoming, method: &str) -> Result<Reply, Stop> {
    let pattern = incoming.pattern();
    match (method, pattern.has_many_requests(), pattern.has_many_responses()) {
        ("echo", true, true) => Ok(Reply::Each(Box::new(Ok))),
        ("echo", true, false) => join(incoming).await.map(Reply::One),
        ("echo", false, true) => {
            let text = incoming.receive().await?;
            let lines: Vec<_> =
                text.split(|byte| *byte == b'\n').map(|l| text.slice_ref(l)).collect();
            Ok(Reply::Many(Box::new(lines.into_iter())))
        }
        ("seq", false, true) => {
            let last = number(&incoming.receive().await?)?;
            Ok(Reply::Many(Box::new((1..=last).map(decimal))))
        }
        ("sum", true, true) => {
            let mut total = 0;
            Ok(Reply::Each(Box::new(move |body| add(&mut total, &body).map(|()| decimal(total)))))
        }
        ("sum", true, false) => {
            let mut total = 0;
            let mut requests = incoming.requests();
            while let Some(request) = requests.next().await {
                add(&mut total, &request?.body.unwrap_or_default())?;
            }
            Ok(Reply::One(decimal(total)))
        }
        ("sink", true, false) => {
            let mut len = 0;
            let mut requests = incoming.requests();
            while let Some(request) = requests.next().await {
                len += request?.body.unwrap_or_default().len() as i64;
            }
            Ok(Reply::One(decimal(len)))
        }
        _ => Err(Stop::refused(
            Status::INVALID,
            format_args!("{method} has no such stream; call it {}", usual_option(method)),
        )),
    }
}

/// Sends every message, and waits until the caller has them.
async fn many(
    mut responses: Sender,
    messages: impl Iterator<Item = Bytes>,
) -> Result<(), CallError> {
    for message in messages {
        responses.send(message).await?;
    }
    responses.finish(Status::OK).await
}

/// Answers each request; one that cannot be answered ends the call.
async fn each(
    mut incoming: Incoming,
    method: &str,
    mut answer: impl FnMut(Bytes) -> Result<Bytes, Stop>,
) -> Result<(), CallError> {
    let mut requests = incoming.requests();
    let mut responses = incoming.responses();
    while let Some(request) = requests.next().await {
        match answer(request?.body.unwrap_or_default()) {
            Ok(body) => responses.send(body).await?,
            Err(stop) => {
                service::give_up(method, &stop);
                let Stop::Refused(refusal) = stop else { return Ok(()) };
                return service::refuse_stream(responses, &refusal).await;
            }
        }
    }
    responses.finish(Status::OK).await
}

/// All requests in one, a line break between them.
async fn join(incoming: &mut Incoming) -> Result<Bytes, Stop> {
    let mut joined = BytesMut::new();
    let mut requests = incoming.requests();
    while let Some(request) = requests.next().await {
        let body = request?.body.unwrap_or_default();
        if !joined.is_empty() {
            joined.extend_from_slice(b"\n");
        }
        joined.extend_from_slice(&body);
        if joined.len() > MAX_JOINED {
            let why =
                format!("the requests exceed {MAX_JOINED} bytes; echo them with --stream both");
            return Err(Stop::refused(Status::TOO_LARGE, why));
        }
    }
    Ok(joined.freeze())
}

/// The sum of the numbers in one request.
pub(crate) fn sum(body: &[u8]) -> Result<Bytes, Stop> {
    let mut total = 0;
    add(&mut total, body)?;
    Ok(decimal(total))
}

/// Adds the numbers in `body` to `total`.
fn add(total: &mut i64, body: &[u8]) -> Result<(), Stop> {
    for word in body.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        let too_much = || Stop::refused(Status::INVALID, "the sum exceeds 64 bits");
        *total = total.checked_add(number(word)?).ok_or_else(too_much)?;
    }
    Ok(())
}

fn number(text: &[u8]) -> Result<i64, Stop> {
    let text = String::from_utf8_lossy(text);
    text.trim().parse().map_err(|_| {
        let start: String = text.trim().chars().take(20).collect();
        Stop::refused(Status::INVALID, format_args!("{start:?} is no whole number"))
    })
}

fn decimal(number: i64) -> Bytes {
    Bytes::from(number.to_string())
}

/// Longest answer of an echo that joins its requests.
const MAX_JOINED: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_words() {
        assert_eq!(sum(b" 1 2\n-5 ").unwrap(), "-2");
        assert_eq!(sum(b"").unwrap(), "0");
        for text in ["1 x", "9223372036854775807 1", "1.5"] {
            assert!(matches!(sum(text.as_bytes()), Err(Stop::Refused(_))), "{text}");
        }
    }
}
