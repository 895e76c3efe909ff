//! What both ends of every call saw.

use core::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};
use std::{cell::RefCell, rc::Rc, sync::OnceLock};

use bytes::Bytes;
use dcquic_proto::{
    id::Status,
    pool::{CallCause, CallError, Download},
    rng::Jitter,
};

use super::plan::{Call, Message, Plan};
use crate::{Clock, net::Picos};

/// How one end of a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The caller has the whole answer; the answerer knows that it has.
    Done(Status),
    Failed(CallCause),
    /// This end dropped its handles, as planned.
    Dropped,
    /// The messages ended without a status.
    Unknown,
}

impl End {
    /// The kinds of ends that runs should meet, in order.
    pub(super) const NAMES: [&'static str; 10] = [
        "another status",
        "answered",
        "cancelled",
        "closed",
        "deadline",
        "dependency failed",
        "dropped",
        "peer failed",
        "peer unavailable",
        "worker gone",
    ];

    /// Which kind it is.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Done(Status::OK) => "answered",
            Self::Done(_) => "another status",
            Self::Dropped => "dropped",
            Self::Unknown => "unknown",
            Self::Failed(cause) => match cause {
                CallCause::Cancelled => "cancelled",
                CallCause::ClosedByPeer(_) => "closed",
                CallCause::Deadline => "deadline",
                CallCause::DependencyFailed => "dependency failed",
                CallCause::PeerFailed(_) => "peer failed",
                CallCause::Start(_) => "peer unavailable",
                CallCause::Unanswered => "unanswered",
                CallCause::WorkerGone => "worker gone",
                _ => "unknown",
            },
        }
    }

    pub(super) fn of<T>(result: Result<T, CallError>, status: impl FnOnce(T) -> Status) -> Self {
        match result {
            Ok(done) => Self::Done(status(done)),
            Err(error) => Self::Failed(error.cause),
        }
    }
}

/// One message as it was read: headers, body.
pub(super) type Read = (Bytes, Bytes);

/// What one end saw of a call.
#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    /// When the call was started, or handed over; the order is over all hosts.
    pub(super) began: Option<(u64, Picos)>,
    pub(super) read: Vec<Read>,
    /// The peer's messages ended as they should.
    pub(super) read_all: bool,
    /// When the answer was given.
    pub(super) answered: Option<(u64, Picos)>,
    pub(super) ended: Option<(u64, Picos, End)>,
    /// How the sending half of a call of two handles ended.
    pub(super) sent: Option<End>,
}

/// What came of one call.
#[derive(Clone, Debug, Default)]
pub(super) struct CallLog {
    pub(super) caller: Side,
    /// Every time that the call was handed to an application.
    pub(super) answerers: Vec<Side>,
}

/// What all tasks of a run share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) plan: Rc<Plan>,
    log: Rc<RefCell<Log>>,
}

#[derive(Debug, Default)]
struct Log {
    calls: Vec<CallLog>,
    order: u64,
    problems: Vec<String>,
    /// Calls and handlers that have not ended.
    open: usize,
}

impl Shared {
    pub(super) fn new(plan: &Rc<Plan>) -> Self {
        let calls = vec![CallLog::default(); plan.calls.len()];
        let log = Log { calls, ..Log::default() };
        Self { plan: Rc::clone(plan), log: Rc::new(RefCell::new(log)) }
    }

    pub(super) fn problem(&self, problem: String) {
        self.log.borrow_mut().problems.push(problem);
    }

    /// The next number in the order of everything, and the time.
    pub(super) fn stamp(&self) -> (u64, Picos) {
        let mut log = self.log.borrow_mut();
        log.order += 1;
        (log.order, Clock::Picoseconds.now())
    }

    pub(super) fn caller(&self, call: usize, change: impl FnOnce(&mut Side)) {
        change(&mut self.log.borrow_mut().calls[call].caller);
    }

    pub(super) fn answerer(&self, call: usize, run: usize, change: impl FnOnce(&mut Side)) {
        change(&mut self.log.borrow_mut().calls[call].answerers[run]);
    }

    /// A call was handed to an application; which time this is.
    pub(super) fn handed_over(&self, call: usize) -> usize {
        let began = Some(self.stamp());
        let answerers = &mut self.log.borrow_mut().calls[call].answerers;
        answerers.push(Side { began, ..Side::default() });
        answerers.len() - 1
    }

    pub(super) fn begin(&self) {
        self.log.borrow_mut().open += 1;
    }

    pub(super) fn end(&self) {
        self.log.borrow_mut().open -= 1;
    }

    /// Tasks that have not ended.
    pub(super) fn open(&self) -> usize {
        self.log.borrow().open
    }

    pub(super) fn take(self) -> (Vec<CallLog>, Vec<String>) {
        let log = core::mem::take(&mut *self.log.borrow_mut());
        (log.calls, log.problems)
    }
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    Request = 1,
    Response = 2,
    /// Headers of the call itself.
    Head = 3,
}

/// `len` bytes that no other message has.
fn content(call: usize, way: Way, index: usize, salt: u64, len: usize) -> Bytes {
    static RANDOM: OnceLock<Bytes> = OnceLock::new();
    let random = RANDOM.get_or_init(|| {
        let mut jitter = Jitter::new(0);
        (0..1 << 17).flat_map(|_| jitter.next_u64().to_be_bytes()).collect::<Vec<u8>>().into()
    });
    let seed = (call as u64) << 32 | (way as u64) << 24 | (index as u64) << 8 | salt;
    let start = Jitter::new(seed).below((random.len() - len) as u64) as usize;
    random.slice(start..start + len)
}

pub(super) fn body(call: usize, way: Way, index: usize, message: Message) -> Bytes {
    content(call, way, index, 0, message.size)
}

pub(super) fn headers(call: usize, way: Way, index: usize, len: usize) -> Bytes {
    content(call, way, index, 1, len)
}

/// The metadata that says which call it is.
pub(super) fn metadata(call: &Call) -> Bytes {
    Bytes::copy_from_slice(&(call.index as u32).to_be_bytes())
}

pub(super) async fn sleep(span: Picos) {
    let clock = Clock::Picoseconds;
    clock.sleep_until(Picos(clock.now().0.saturating_add(span.0))).await;
}

/// Pauses behind a number of messages.
pub(super) async fn pause_behind(pause: Option<(usize, Picos)>, messages: usize) {
    if let Some((behind, span)) = pause
        && behind == messages
    {
        sleep(span).await;
    }
}

/// Runs a future to its end, or drops it when a span has passed.
pub(super) async fn within<T>(future: impl Future<Output = T>, span: Option<Picos>) -> Option<T> {
    let Some(span) = span else { return Some(future.await) };
    let (mut future, mut alarm) = (pin!(future), pin!(sleep(span)));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => alarm.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Reads a message record by record.
pub(super) async fn assemble(
    records: &mut Download,
    size: u64,
    pause: Option<(usize, Picos)>,
) -> Result<Bytes, CallError> {
    let mut bytes = vec![0; size as usize];
    let (mut count, mut taken) = (0, 0);
    pause_behind(pause, 0).await;
    while let Some(record) = records.next().await {
        let record = record?;
        let (start, len) = (record.offset as usize, record.data.len());
        bytes[start..start + len].copy_from_slice(&record.data);
        taken += len;
        count += 1;
        pause_behind(pause, count).await;
    }
    assert_eq!(taken, bytes.len(), "each byte comes once");
    Ok(bytes.into())
}

/// The pieces in which a message is written.
pub(super) fn pieces(body: &Bytes) -> Vec<Bytes> {
    let step = (body.len() / 5).max(1);
    (0..body.len()).step_by(step).map(|at| body.slice(at..body.len().min(at + step))).collect()
}
