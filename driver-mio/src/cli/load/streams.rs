//! Streams of many messages, each checked.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use dcquic_proto::{
    id::{Pattern, Status},
    pool::{CallError, CallOptions, Incoming, Pool},
};
use futures_util::future::try_join;

use super::Until;
use crate::cli::failure::Failure;

/// What a stream moved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streamed {
    /// Messages; an echoed one counts once.
    pub(crate) messages: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// From the first message to the end of the call.
    pub(crate) elapsed: Duration,
}

impl Streamed {
    fn new(messages: u64, body: &Bytes, started: Instant) -> Self {
        Self { messages, bytes: messages * body.len() as u64, elapsed: started.elapsed() }
    }

    /// Messages per second.
    pub(crate) fn rate(&self) -> f64 {
        self.messages as f64 / self.elapsed.as_secs_f64()
    }
}

/// Answers a stream: repeats one request as often as it says, counts many requests, or echoes.
pub(super) async fn answer(mut incoming: Incoming) -> Result<(), CallError> {
    match incoming.pattern() {
        Pattern::StreamingResponse => {
            let mut body = incoming.receive().await?;
            let count = body.try_get_u64().unwrap_or_default();
            let mut responses = incoming.responses();
            for _ in 0..count {
                responses.send(body.clone()).await?;
            }
            responses.finish(Status::OK).await
        }
        Pattern::StreamingRequest => {
            let mut count = 0_u64;
            let mut requests = incoming.requests();
            while let Some(request) = requests.next().await {
                request?;
                count += 1;
            }
            let count = Bytes::from(count.to_string());
            incoming.respond(Status::OK, Bytes::new(), count).await
        }
        _ => {
            let mut requests = incoming.requests();
            let mut responses = incoming.responses();
            while let Some(request) = requests.next().await {
                responses.send(request?.body.unwrap_or_default()).await?;
            }
            responses.finish(Status::OK).await
        }
    }
}

/// Reads `count` responses to one request.
pub(crate) async fn responses(
    pool: &Pool,
    remote: SocketAddr,
    body: Bytes,
    count: u64,
) -> Result<Streamed, Failure> {
    let started = Instant::now();
    let mut request = BytesMut::with_capacity(8 + body.len());
    request.put_u64(count);
    request.put_slice(&body);
    let options = CallOptions::default();
    let mut responses = pool.streaming_response(remote, options, Bytes::new(), request.freeze());
    let mut received = 0;
    while let Some(response) = responses.next().await {
        if response.map_err(Failure::new)?.body.as_ref() != Some(&body) {
            return Err(altered(remote));
        }
        received += 1;
    }
    same(remote, count, received)?;
    Ok(Streamed::new(received, &body, started))
}

/// Sends `count` requests for one response.
pub(crate) async fn requests(
    pool: &Pool,
    remote: SocketAddr,
    body: Bytes,
    count: u64,
) -> Result<Streamed, Failure> {
    let started = Instant::now();
    let mut requests = pool.streaming_request(remote, CallOptions::default(), Bytes::new());
    for _ in 0..count {
        requests.send(body.clone()).await.map_err(Failure::new)?;
    }
    let response = requests.response().await.map_err(Failure::new)?;
    let received = std::str::from_utf8(&response.body).ok().and_then(|text| text.parse().ok());
    same(remote, count, received.unwrap_or_default())?;
    Ok(Streamed::new(count, &body, started))
}

/// Sends requests as fast as they are taken, each of which is echoed.
pub(crate) async fn echoes(
    pool: &Pool,
    remote: SocketAddr,
    body: Bytes,
    until: Until,
) -> Result<Streamed, Failure> {
    let started = Instant::now();
    let options = CallOptions::default();
    let (mut sender, mut receiver) = pool.bidirectional(remote, options, Bytes::new());
    let sending = async {
        let mut sent = 0;
        while until.goes_on(sent, started) {
            sender.send(body.clone()).await.map_err(Failure::new)?;
            sent += 1;
        }
        sender.finish(Status::OK).await.map_err(Failure::new)?;
        Ok(sent)
    };
    let receiving = async {
        let mut received = 0;
        while let Some(response) = receiver.next().await {
            if response.map_err(Failure::new)?.body.as_ref() != Some(&body) {
                return Err(altered(remote));
            }
            received += 1;
        }
        Ok(received)
    };
    let (sent, received) = try_join(sending, receiving).await?;
    same(remote, sent, received)?;
    Ok(Streamed::new(sent, &body, started))
}

fn altered(remote: SocketAddr) -> Failure {
    Failure::new(format_args!("{remote} answered with another message"))
}

fn same(remote: SocketAddr, wanted: u64, got: u64) -> Result<(), Failure> {
    if wanted == got {
        return Ok(());
    }
    Err(Failure::new(format_args!("of {wanted} messages of a stream with {remote}, {got} came")))
}
