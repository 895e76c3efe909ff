//! What happens in one run: drawn from a seed, and known to both ends of every call.

use core::time::Duration;

use dcquic_proto::{
    id::{Pattern, Priority, Status},
    rng::Jitter,
};

use super::conditions::Conditions;
use crate::net::Picos;

/// Lengths of messages: nothing, inline, on both sides of a limit, many packets.
const SIZES: [u64; 10] = [0, 0, 1, 100, 1_023, 1_024, 1_025, 5_000, 20_000, 70_000];
const LARGE: u64 = 300_000;
/// Bytes of one direction of one call, at most, a last message aside.
const DIRECTION_BYTES: u64 = 250_000;

pub(super) const MS: Picos = Picos::from_micros(1_000);

/// One run.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) conditions: Conditions,
    /// In order of the time at which their handles are made.
    pub(super) calls: Vec<Call>,
}

/// How a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Unary,
    Bulk,
    /// A bulk call whose request is written piece by piece.
    Upload,
    /// A unary call whose response is read record by record.
    Download,
    Responses,
    Requests,
    Both,
}

impl Kind {
    pub(super) const fn pattern(self) -> Pattern {
        match self {
            Self::Unary | Self::Download => Pattern::Unary,
            Self::Bulk | Self::Upload => Pattern::Bulk,
            Self::Responses => Pattern::StreamingResponse,
            Self::Requests => Pattern::StreamingRequest,
            Self::Both => Pattern::Bidirectional,
        }
    }

    /// Whether the caller may choose more than metadata and payload.
    pub(super) const fn has_options(self) -> bool {
        !matches!(self, Self::Upload | Self::Download)
    }
}

/// A message of `size` bytes with `headers` bytes of headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) size: usize,
    pub(super) headers: usize,
}

/// A dependency on an earlier call of the same host.
#[derive(Clone, Copy, Debug)]
pub(super) struct After {
    pub(super) on: usize,
    pub(super) answered: bool,
    pub(super) optional: bool,
}

/// Which handles the caller drops before their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    All,
    Sender,
    Receiver,
}

/// One call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) index: usize,
    pub(super) from: u32,
    pub(super) to: u32,
    /// When its handle is made, and how much later it is started.
    pub(super) at: Picos,
    pub(super) lag: Picos,
    pub(super) kind: Kind,
    pub(super) priority: Priority,
    pub(super) headers: usize,
    pub(super) named: bool,
    pub(super) after: Vec<After>,
    pub(super) deadline: Option<Duration>,
    /// After its start.
    pub(super) dropped: Option<(Picos, Dropped)>,
    pub(super) requests: Vec<Message>,
    /// The caller's reader pauses behind so many messages, so long.
    pub(super) pause: Option<(usize, Picos)>,
    pub(super) answer: Answer,
}

/// How much of the requests the answerer takes before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    All,
    /// Record by record; of a call with many requests as `All`.
    Records,
    /// So many.
    First(usize),
}

/// What ends a call at the answerer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Answer(Status),
    /// Refused without an answer.
    Reject(Status),
    /// Every handle dropped behind so many responses.
    Drop(usize),
}

/// What the answerer does.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) read: Read,
    pub(super) pause: Option<(usize, Picos)>,
    /// Between the requests and the responses.
    pub(super) delay: Picos,
    pub(super) responses: Vec<Message>,
    /// A single response is written piece by piece.
    pub(super) pieces: bool,
    pub(super) ending: Ending,
}

/// Choices by chance.
pub(super) struct Chance(Jitter);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(Jitter::new(seed))
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    pub(super) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(super) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    /// A time below a bound; short ones are as likely as long ones.
    pub(super) fn time(&mut self, bound: Picos) -> Picos {
        let bound = if self.percent(50) { Picos(bound.0 / 50) } else { bound };
        Picos(self.below(bound.0 + 1))
    }

    fn message(&mut self) -> Message {
        let size = if self.percent(4) { self.below(LARGE) } else { self.of(&SIZES) };
        let headers = if self.percent(20) { self.below(300) as usize } else { 0 };
        Message { size: size as usize, headers }
    }

    /// The messages of a direction.
    fn messages(&mut self, many: bool) -> Vec<Message> {
        if !many {
            return vec![self.message()];
        }
        let count = if self.percent(30) { self.below(31) } else { self.below(6) };
        let mut bytes = 0;
        let mut messages = Vec::new();
        for _ in 0..count {
            messages.push(self.message());
            bytes += messages.last().map_or(0, |message| message.size as u64);
            if bytes > DIRECTION_BYTES {
                break;
            }
        }
        messages
    }

    fn pause(&mut self) -> Option<(usize, Picos)> {
        self.percent(15).then(|| (self.below(8) as usize, self.time(Picos(30 * MS.0))))
    }
}

impl Plan {
    pub(super) fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let conditions = Conditions::by_chance(&mut chance);
        let count = if chance.percent(50) { 1 + chance.below(8) } else { 1 + chance.below(40) };
        // a peer that has failed is known to have after seconds
        let long = if conditions.has_failures() { 25_000 } else { 1 };
        let span =
            chance.of(&[Picos(MS.0 / 10), Picos(20 * MS.0), Picos(200 * MS.0), Picos(long * MS.0)]);
        let mut times: Vec<_> = (0..count).map(|_| Picos(chance.below(span.0))).collect();
        times.sort_unstable();
        let tame = chance.percent(30);
        let mut plan = Self { seed, conditions, calls: Vec::new() };
        for at in times {
            let call = plan.call(&mut chance, at, tame);
            plan.calls.push(call);
        }
        plan
    }

    fn call(&self, chance: &mut Chance, at: Picos, tame: bool) -> Call {
        use Kind::{Both, Bulk, Download, Requests, Responses, Unary, Upload};
        let hosts = self.conditions.hosts();
        let from = chance.below(hosts.into()) as u32;
        let to = (from + 1 + chance.below(u64::from(hosts) - 1) as u32) % hosts;
        let kinds = [Unary, Unary, Unary, Bulk, Upload, Download, Responses, Requests, Both];
        let kind = chance.of(&kinds);
        let options = kind.has_options();
        let after = if options && chance.percent(40) {
            self.dependencies(chance, from, at)
        } else {
            Vec::new()
        };
        let which = chance.of(&match kind {
            Both => [Dropped::All, Dropped::Sender, Dropped::Receiver],
            _ => [Dropped::All; 3],
        });
        let rare = if tame { 0 } else { 5 };
        Call {
            index: self.calls.len(),
            from,
            to,
            at,
            lag: if chance.percent(20) { chance.time(Picos(5 * MS.0)) } else { Picos::ZERO },
            kind,
            priority: match options && chance.percent(50) {
                true => Priority::new(chance.below(8) as u8).unwrap_or_default(),
                false => Priority::default(),
            },
            headers: if options && chance.percent(20) { chance.below(300) as usize } else { 0 },
            named: options && chance.percent(60),
            after,
            deadline: (options && chance.percent(rare))
                .then(|| Duration::from_micros(10 + chance.below(50_000))),
            dropped: chance.percent(rare).then(|| match chance.percent(15) {
                true => (Picos::ZERO, which),
                false => (Picos(1 + chance.time(Picos(10 * MS.0)).0), which),
            }),
            requests: chance.messages(kind.pattern().has_many_requests()),
            pause: chance.pause(),
            answer: Self::answer(chance, kind, tame),
        }
    }

    fn dependencies(&self, chance: &mut Chance, from: u32, at: Picos) -> Vec<After> {
        let life = self.conditions.life(from, at);
        let candidates: Vec<usize> = self
            .calls
            .iter()
            .filter(|call| call.from == from && self.conditions.life(from, call.at) == life)
            .filter(|call| call.named || !call.after.is_empty())
            .map(|call| call.index)
            .collect();
        if candidates.is_empty() {
            return Vec::new();
        }
        let count = 1 + chance.below(3);
        (0..count)
            .map(|_| After {
                on: chance.of(&candidates[candidates.len().saturating_sub(6)..]),
                answered: chance.percent(50),
                optional: chance.percent(30),
            })
            .collect()
    }

    fn answer(chance: &mut Chance, kind: Kind, tame: bool) -> Answer {
        let many = kind.pattern().has_many_responses();
        let responses = chance.messages(many);
        let read = match chance.below(10) {
            0 => Read::First(chance.below(3) as usize),
            1 | 2 => Read::Records,
            _ => Read::All,
        };
        let statuses = [Status::FORBIDDEN, Status::INTERNAL, Status(99)];
        let ending = match chance.below(if tame { 1 } else { 100 }) {
            1..=4 => Ending::Answer(chance.of(&statuses)),
            5..=7 => Ending::Reject(chance.of(&statuses)),
            8..=10 => Ending::Drop(chance.below(responses.len() as u64 + 1) as usize),
            _ => Ending::Answer(Status::OK),
        };
        Answer {
            read,
            pause: chance.pause(),
            delay: if chance.percent(30) { chance.time(Picos(20 * MS.0)) } else { Picos::ZERO },
            responses,
            pieces: !many && chance.percent(30),
            ending,
        }
    }
}
