//! Methods by name, each with a handler of its pattern.

use core::{
    fmt,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
};
use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::{Download, Incoming, Pool, Receiver, Request, Response, Sender, messages::Answer};
use crate::id::{Pattern, Status};

/// A handler at work on one call. It owns all it needs.
pub type Handling = Pin<Box<dyn Future<Output = ()> + Send>>;

type Handler = Box<dyn Fn(Incoming) -> Handling + Send + Sync>;

/// Calls that [`Methods::serve`] handles at once, unless told otherwise.
const MAX_RUNNING: usize = 16_384;

/// Handlers by the name of their method.
///
/// The metadata of a call is the name of its method, or the name, a zero byte and arguments, which
/// the handler finds in [`Request::arguments`]. A name thus has no zero byte; it may be empty.
///
/// A method that is not here is closed with [`Status::NOT_FOUND`], one that is called in another
/// pattern than its handler's with [`Status::INVALID`], and one whose handler fails with the
/// status that it returns. A [`CallError`](super::CallError) turns into a status with `?`.
///
/// ```
/// use dcquic_proto::{
///     id::Status,
///     pool::{Methods, Receiver, Request, Sender},
/// };
///
/// let methods = Methods::new()
///     .unary("echo", async |request: Request| Ok(request.body))
///     .streaming_response("count", async |request: Request, mut responses: Sender| {
///         for number in 0..request.body.len() {
///             responses.send(number.to_string().into()).await?;
///         }
///         Ok(())
///     })
///     .streaming_request("sum", async |_request: Request, mut requests: Receiver| {
///         let mut sum = 0;
///         while let Some(message) = requests.next().await {
///             sum += message?.body.map_or(0, |body| body.len());
///         }
///         Ok(bytes::Bytes::from(sum.to_string()))
///     });
/// # let _ = methods;
/// ```
pub struct Methods {
    /// With the pattern that the handler answers; none if it looks itself.
    handlers: BTreeMap<Bytes, (Option<Pattern>, Handler)>,
    otherwise: Option<Handler>,
    max_running: usize,
}

impl Default for Methods {
    fn default() -> Self {
        Self { handlers: BTreeMap::new(), otherwise: None, max_running: MAX_RUNNING }
    }
}

impl fmt::Debug for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.handlers.keys()).finish()
    }
}

impl Methods {
    /// No method.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a method with one request, fetched to memory, and one response: a body, or a
    /// [`Response`] with a status and metadata.
    #[must_use]
    pub fn unary<F, R>(
        self,
        name: &str,
        handler: impl Fn(Request) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<R, Status>> + Send + 'static,
        R: Into<Response>,
    {
        let handler = Arc::new(handler);
        self.pattern(name, Pattern::Unary, move |incoming| {
            let handler = Arc::clone(&handler);
            async move {
                let Some((incoming, request)) = fetch(incoming).await else { return };
                answer(incoming, handler(request).await);
            }
        })
    }

    /// Adds a method with one request, fetched to memory, and any number of responses. They end
    /// with [`Status::OK`] if the handler did not end them itself.
    #[must_use]
    pub fn streaming_response<F>(
        self,
        name: &str,
        handler: impl Fn(Request, Sender) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), Status>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        self.pattern(name, Pattern::StreamingResponse, move |incoming| {
            let handler = Arc::clone(&handler);
            async move {
                let Some((incoming, request)) = fetch(incoming).await else { return };
                let (responses, ending) = Answer::lend(incoming);
                ending.end(handler(request, responses).await);
            }
        })
    }

    /// Adds a method with any number of requests and one response, as of [`Self::unary`].
    #[must_use]
    pub fn streaming_request<F, R>(
        self,
        name: &str,
        handler: impl Fn(Request, Receiver) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<R, Status>> + Send + 'static,
        R: Into<Response>,
    {
        let handler = Arc::new(handler);
        self.pattern(name, Pattern::StreamingRequest, move |mut incoming| {
            let handling = handler(Request::of(&incoming, Bytes::new()), incoming.requests());
            async move { answer(incoming, handling.await) }
        })
    }

    /// Adds a method with any number of requests and of responses, which end as of
    /// [`Self::streaming_response`].
    #[must_use]
    pub fn bidirectional<F>(
        self,
        name: &str,
        handler: impl Fn(Request, Receiver, Sender) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), Status>> + Send + 'static,
    {
        self.pattern(name, Pattern::Bidirectional, move |mut incoming| {
            let request = Request::of(&incoming, Bytes::new());
            let requests = incoming.requests();
            let (responses, ending) = Answer::lend(incoming);
            let handling = handler(request, requests, responses);
            async move { ending.end(handling.await) }
        })
    }

    /// Adds a method with one request that is read record by record, and one response, as of
    /// [`Self::unary`].
    #[must_use]
    pub fn bulk<F, R>(
        self,
        name: &str,
        handler: impl Fn(Request, Download) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<R, Status>> + Send + 'static,
        R: Into<Response>,
    {
        self.pattern(name, Pattern::Bulk, move |mut incoming| {
            let handling = handler(Request::of(&incoming, Bytes::new()), incoming.records());
            async move { answer(incoming, handling.await) }
        })
    }

    /// Adds a method whose handler takes the call as it is, of whatever pattern, and answers it
    /// itself; see [`Incoming::arguments`].
    #[must_use]
    pub fn any<F>(
        mut self,
        name: &str,
        handler: impl Fn(Incoming) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.insert(name, None, handler);
        self
    }

    /// Takes the calls of methods that are not here, instead of [`Status::NOT_FOUND`].
    #[must_use]
    pub fn otherwise<F>(mut self, handler: impl Fn(Incoming) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.otherwise = Some(Box::new(move |incoming| Box::pin(handler(incoming))));
        self
    }

    /// Bounds the calls that [`Self::serve`] handles at once, at least 1; 16,384 unless set. More
    /// wait in the pool.
    #[must_use]
    pub const fn max_running(mut self, calls: usize) -> Self {
        self.max_running = if calls == 0 { 1 } else { calls };
        self
    }

    /// Handles calls, many at once on the task that polls this, until the pool ends. Handlers
    /// that still run then are dropped: their calls have ended.
    pub async fn serve(&self, pool: &Pool) {
        let mut running = FuturesUnordered::new();
        let mut accept = pin!(pool.accept());
        poll_fn(|cx| {
            loop {
                while let Poll::Ready(Some(())) = running.poll_next_unpin(cx) {}
                if running.len() >= self.max_running {
                    return Poll::Pending;
                }
                match accept.as_mut().poll(cx) {
                    Poll::Ready(Some(incoming)) => {
                        running.extend(self.handle(incoming));
                        accept.set(pool.accept());
                    }
                    Poll::Ready(None) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
    }

    /// Hands the handling of each call to `spawn`, until the pool ends.
    pub async fn serve_with(&self, pool: &Pool, mut spawn: impl FnMut(Handling)) {
        while let Some(incoming) = pool.accept().await {
            if let Some(handling) = self.handle(incoming) {
                spawn(handling);
            }
        }
    }

    /// What handles a call; none if it was closed at once.
    pub fn handle(&self, incoming: Incoming) -> Option<Handling> {
        match (self.handlers.get(incoming.method()), &self.otherwise) {
            (Some((Some(pattern), _)), _) if *pattern != incoming.pattern() => {
                incoming.reject(Status::INVALID);
                None
            }
            (Some((_, handler)), _) | (None, Some(handler)) => Some(handler(incoming)),
            (None, None) => {
                incoming.reject(Status::NOT_FOUND);
                None
            }
        }
    }

    fn pattern<F: Future<Output = ()> + Send + 'static>(
        mut self,
        name: &str,
        pattern: Pattern,
        handler: impl Fn(Incoming) -> F + Send + Sync + 'static,
    ) -> Self {
        self.insert(name, Some(pattern), handler);
        self
    }

    fn insert<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        name: &str,
        pattern: Option<Pattern>,
        handler: impl Fn(Incoming) -> F + Send + Sync + 'static,
    ) {
        let handler: Handler = Box::new(move |incoming| Box::pin(handler(incoming)));
        self.handlers.insert(Bytes::copy_from_slice(name.as_bytes()), (pattern, handler));
    }
}

/// The method's name in a call's metadata.
pub(super) fn name_of(metadata: &[u8]) -> &[u8] {
    let end = metadata.iter().position(|byte| *byte == 0);
    &metadata[..end.unwrap_or(metadata.len())]
}

/// What stands behind the name.
pub(super) fn arguments_of(metadata: &Bytes) -> Bytes {
    let end = name_of(metadata).len();
    metadata.slice(metadata.len().min(end + 1)..)
}

/// Fetches the request of a call to memory; a call whose request cannot be had is refused.
async fn fetch(mut incoming: Incoming) -> Option<(Incoming, Request)> {
    match incoming.receive().await {
        Ok(body) => {
            let request = Request::of(&incoming, body);
            Some((incoming, request))
        }
        Err(error) => {
            incoming.reject(error.into());
            None
        }
    }
}

/// Answers as the handler says. Nobody here waits for the answer to arrive.
fn answer<R: Into<Response>>(incoming: Incoming, result: Result<R, Status>) {
    match result {
        Ok(response) => {
            let Response { status, metadata, body } = response.into();
            drop(incoming.respond(status, metadata, body));
        }
        Err(status) => incoming.reject(status),
    }
}

#[cfg(test)]
mod tests;
