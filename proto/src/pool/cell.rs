//! What worker and application share of one call.

use core::{
    net::SocketAddr,
    task::{Context, Poll, Waker},
};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use super::{CallCause, CallError, Head, Record, Response};
use crate::{
    causality::{Progress, Token, TokenGuard},
    endpoint::{Message, Outcome},
    health::PeerHealth,
    id::{Status, StreamHandle},
    worker::cause_of,
};

/// One call, as far as it has come.
///
/// The lock is only ever held for a few instructions, by two parties that seldom meet.
#[derive(Debug)]
pub(crate) struct Cell {
    remote: SocketAddr,
    /// The call's name, if it has one.
    token: Option<TokenGuard>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    stream: Option<StreamHandle>,
    /// The application no longer cares.
    abandoned: bool,
    head: Option<Head>,
    response: Option<Response>,
    body: Option<Bytes>,
    records: VecDeque<Record>,
    received: bool,
    /// How far the message may be supplied.
    window: u64,
    /// The peer's answer, or what ends its messages, says success.
    success: bool,
    /// Messages that the application has not read.
    messages: VecDeque<Message>,
    /// Messages that the endpoint has not taken yet.
    outbox: VecDeque<Message>,
    /// The answer to a question for the peer's health.
    health: Option<Option<PeerHealth>>,
    /// The last message that this side sends was added.
    finished: bool,
    ended: Option<Result<(), CallCause>>,
    /// Who waits for something to read, or for the end.
    waker: Option<Waker>,
    /// Who waits for room to send.
    send_waker: Option<Waker>,
}

impl Cell {
    /// The cell of a call that was not started yet.
    pub(crate) fn for_call(remote: SocketAddr, token: Option<TokenGuard>) -> Self {
        Self { remote, token, state: Mutex::default() }
    }

    /// The cell of a call that a peer started.
    pub(crate) fn for_incoming(remote: SocketAddr, stream: StreamHandle) -> Self {
        let state = State { stream: Some(stream), ..State::default() };
        Self { remote, token: None, state: Mutex::new(state) }
    }

    pub(crate) fn remote(&self) -> SocketAddr {
        self.remote
    }

    /// The call's name, held, if it has one.
    pub(crate) const fn guard(&self) -> Option<&TokenGuard> {
        self.token.as_ref()
    }

    /// The call's name, if it has one.
    pub(crate) fn token(&self) -> Option<Token> {
        self.token.as_ref().map(TokenGuard::token)
    }

    /// How far the call has come, if it has a name.
    pub(crate) fn progress(&self) -> Option<Progress> {
        self.token.as_ref().map(TokenGuard::progress)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // no code that runs under the lock can leave the state half changed
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        let wakers = {
            let mut state = self.lock();
            change(&mut state);
            [state.waker.take(), state.send_waker.take()]
        };
        for waker in wakers.into_iter().flatten() {
            waker.wake();
        }
    }

    // the worker's side

    pub(crate) fn stream(&self) -> Option<StreamHandle> {
        self.lock().stream
    }

    pub(crate) fn set_stream(&self, stream: StreamHandle) {
        self.lock().stream = Some(stream);
    }

    /// Whether the application waits for the call, and nothing has ended it.
    pub(crate) fn is_wanted(&self) -> bool {
        let state = self.lock();
        !state.abandoned && state.ended.is_none()
    }

    pub(crate) fn respond(&self, response: Response) {
        self.update(|state| {
            state.success = response.status.is_ok();
            state.response = Some(response);
        });
    }

    pub(crate) fn begin(&self, head: Head) {
        self.update(|state| {
            state.success = head.status.is_ok();
            state.head = Some(head);
        });
    }

    /// Adds a record; false if nobody will read it.
    pub(crate) fn push(&self, record: Record) -> bool {
        let mut taken = true;
        self.update(|state| {
            taken = !state.abandoned;
            if taken {
                state.records.push_back(record);
            }
        });
        taken
    }

    pub(crate) fn received(&self, body: Option<Bytes>) {
        self.update(|state| (state.body, state.received) = (body, true));
    }

    /// Adds a message.
    pub(crate) fn push_message(&self, message: Message) {
        self.update(|state| {
            state.success = message.fin.is_some_and(Status::is_ok);
            if !state.abandoned {
                state.messages.push_back(message);
            }
        });
    }

    /// The message to send next.
    pub(crate) fn next_to_send(&self) -> Option<Message> {
        self.lock().outbox.front().cloned()
    }

    /// The endpoint has taken it.
    pub(crate) fn on_sent(&self) {
        self.update(|state| drop(state.outbox.pop_front()));
    }

    pub(crate) fn open_window(&self, up_to: u64) {
        self.update(|state| state.window = state.window.max(up_to));
    }

    /// The call has ended. Its name is told first: whoever learns of the end may depend on it.
    pub(crate) fn close(&self, outcome: Outcome) {
        let cause = cause_of(outcome);
        if let Some(token) = &self.token {
            match cause {
                None if self.lock().success => token.report_complete(),
                _ => token.report_failed(),
            }
        }
        self.update(|state| {
            state.ended.get_or_insert(cause.map_or(Ok(()), Err));
        });
    }

    pub(crate) fn answer_health(&self, health: Option<PeerHealth>) {
        self.update(|state| state.health = Some(health));
    }

    /// The call came to nothing.
    pub(crate) fn fail(&self, cause: CallCause) {
        if let Some(token) = &self.token {
            token.report_failed();
        }
        self.update(|state| {
            state.ended.get_or_insert(Err(cause));
        });
    }

    // the application's side

    /// The application no longer cares; true if the peer may have to be told.
    pub(crate) fn abandon(&self) -> bool {
        let mut state = self.lock();
        if state.ended.is_some() {
            // what has come is still the other handle's to read
            return false;
        }
        state.abandoned = true;
        state.records.clear();
        state.messages.clear();
        state.outbox.clear();
        true
    }

    /// Whether the call has ended.
    pub(crate) fn is_ended(&self) -> bool {
        self.lock().ended.is_some()
    }

    /// Whether this side has added its last message.
    pub(crate) fn is_finished(&self) -> bool {
        self.lock().finished
    }

    fn error(&self, cause: CallCause) -> CallError {
        CallError { remote: self.remote, cause }
    }

    /// Adds a message to send; true if the worker has to be told.
    pub(crate) fn push_to_send(&self, message: Message) -> bool {
        let mut state = self.lock();
        state.finished |= message.fin.is_some();
        state.outbox.push_back(message);
        state.outbox.len() == 1
    }

    /// Waits until fewer than `limit` messages are to be sent.
    pub(crate) fn poll_room(&self, cx: &Context<'_>, limit: usize) -> Poll<Result<(), CallError>> {
        let mut state = self.lock();
        let answer = match state.ended {
            Some(Err(cause)) => Err(cause),
            Some(Ok(())) => Err(CallCause::Answered),
            None if state.response.is_some() => Err(CallCause::Answered),
            None if state.outbox.len() < limit => Ok(()),
            None => {
                wait(&mut state.send_waker, cx);
                return Poll::Pending;
            }
        };
        Poll::Ready(answer.map_err(|cause| self.error(cause)))
    }

    /// The next message, and `None` behind the last one.
    pub(crate) fn poll_message(
        &self,
        cx: &Context<'_>,
    ) -> Poll<Result<Option<Message>, CallError>> {
        self.poll(cx, |state| match (state.messages.pop_front(), state.ended) {
            (Some(message), _) => Some(Ok(Some(message))),
            (None, Some(Err(cause))) => Some(Err(cause)),
            (None, Some(Ok(()))) => Some(Ok(None)),
            (None, None) => None,
        })
    }

    /// Answers from the state, or waits for it to change.
    fn poll<T>(
        &self,
        cx: &Context<'_>,
        answer: impl FnOnce(&mut State) -> Option<Result<T, CallCause>>,
    ) -> Poll<Result<T, CallError>> {
        let mut state = self.lock();
        if let Some(answer) = answer(&mut state) {
            return Poll::Ready(answer.map_err(|cause| self.error(cause)));
        }
        wait(&mut state.waker, cx);
        Poll::Pending
    }

    pub(crate) fn poll_response(&self, cx: &Context<'_>) -> Poll<Result<Response, CallError>> {
        self.poll(cx, |state| match (state.response.take(), state.ended) {
            (Some(response), _) => Some(Ok(response)),
            (None, Some(Err(cause))) => Some(Err(cause)),
            (None, Some(Ok(()))) => Some(Err(CallCause::Cancelled)),
            (None, None) => None,
        })
    }

    pub(crate) fn poll_head(&self, cx: &Context<'_>) -> Poll<Result<Head, CallError>> {
        self.poll(cx, |state| {
            if let Some(head) = &state.head {
                return Some(Ok(head.clone()));
            }
            // an inline response comes in one piece: its body is the only record
            if let Some(Response { status, metadata, body }) = state.response.take() {
                let head = Head { status, metadata, size: body.len() as u64 };
                state.head = Some(head.clone());
                state.received = true;
                if !body.is_empty() {
                    state.records.push_back(Record { offset: 0, data: body });
                }
                return Some(Ok(head));
            }
            match state.ended {
                Some(Err(cause)) => Some(Err(cause)),
                Some(Ok(())) => Some(Err(CallCause::Cancelled)),
                None => None,
            }
        })
    }

    /// The next record, and `None` behind the last one.
    pub(crate) fn poll_record(&self, cx: &Context<'_>) -> Poll<Result<Option<Record>, CallError>> {
        self.poll(cx, |state| {
            if let Some(record) = state.records.pop_front() {
                return Some(Ok(Some(record)));
            }
            match state.ended {
                _ if state.received => Some(Ok(None)),
                Some(Err(cause)) => Some(Err(cause)),
                Some(Ok(())) => Some(Ok(None)),
                None => None,
            }
        })
    }

    /// The whole message, received to memory.
    pub(crate) fn poll_body(&self, cx: &Context<'_>) -> Poll<Result<Bytes, CallError>> {
        self.poll(cx, |state| match (state.body.take(), state.ended) {
            (Some(body), _) => Some(Ok(body)),
            (None, Some(Err(cause))) => Some(Err(cause)),
            (None, Some(Ok(()))) => Some(Err(CallCause::Cancelled)),
            (None, None) => None,
        })
    }

    /// Waits until the message may be supplied beyond `supplied`.
    pub(crate) fn poll_window(
        &self,
        cx: &Context<'_>,
        supplied: u64,
    ) -> Poll<Result<(), CallError>> {
        self.poll(cx, |state| match state.ended {
            Some(Err(cause)) => Some(Err(cause)),
            Some(Ok(())) => Some(Err(CallCause::Answered)),
            None if state.response.is_some() || state.head.is_some() => {
                Some(Err(CallCause::Answered))
            }
            None => (state.window > supplied).then_some(Ok(())),
        })
    }

    /// Waits for the peer's health.
    pub(crate) fn poll_health(
        &self,
        cx: &Context<'_>,
    ) -> Poll<Result<Option<PeerHealth>, CallError>> {
        self.poll(cx, |state| match (state.health, state.ended) {
            (Some(health), _) => Some(Ok(health)),
            (None, Some(Err(cause))) => Some(Err(cause)),
            (None, Some(Ok(())) | None) => None,
        })
    }

    /// Waits for the end.
    pub(crate) fn poll_end(&self, cx: &Context<'_>) -> Poll<Result<(), CallError>> {
        self.poll(cx, |state| state.ended)
    }
}

/// Registers whoever polls.
fn wait(place: &mut Option<Waker>, cx: &Context<'_>) {
    match place {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *place = Some(cx.waker().clone()),
    }
}
