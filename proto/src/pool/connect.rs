//! A session that is begun ahead of its calls.

use core::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};
use std::sync::Arc;

use super::{
    CallError,
    mailbox::{Command, Shared},
    question::Question,
};

/// Ready when a peer has a session with us. The peer is greeted when this is first polled;
/// dropping it afterwards takes nothing back.
#[derive(Debug)]
#[must_use = "a peer is greeted when this is polled"]
pub struct Connect {
    question: Question,
}

impl Connect {
    pub(super) fn new(shared: Arc<Shared>, remote: SocketAddr) -> Self {
        Self { question: Question::new(shared, remote, |cell| Command::Connect { cell }) }
    }
}

impl Future for Connect {
    type Output = Result<(), CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.question.ask().poll_end(cx)
    }
}
