//! How a peer is doing, asked of the worker.

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
use crate::health::PeerHealth;

/// A peer's health at the moment in which the worker answers; none if no session with it is known.
/// Asking changes nothing: nobody is greeted or probed for it.
#[derive(Debug)]
#[must_use = "the worker is asked when this is polled"]
pub struct HealthQuery {
    question: Question,
}

impl HealthQuery {
    pub(super) fn new(shared: Arc<Shared>, remote: SocketAddr) -> Self {
        Self { question: Question::new(shared, remote, |cell| Command::Health { cell }) }
    }
}

impl Future for HealthQuery {
    type Output = Result<Option<PeerHealth>, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.question.ask().poll_health(cx)
    }
}
