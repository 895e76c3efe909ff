//! How much may be pulled and not have arrived: in all, and of one sender.

use core::time::Duration;
use std::collections::VecDeque;

use crate::{config::Config, time::Timestamp};

/// The receiver's bounds, in bytes of sealed payload.
///
/// With a known link rate they follow the bandwidth-delay product (BDP), where the delay is that
/// from a pull to its first data, the peer's software included: the shortest of each peer, averaged
/// over those that deliver, so that neither queues nor the nearest peer alone decide. Without, the
/// configured bounds hold.
#[derive(Debug)]
pub(crate) struct PullCredit {
    /// Pulled, not arrived and not late.
    outstanding: u64,
    link_rate: u64,
    most: u64,
    most_per_peer: u64,
    quantum: u64,
    /// In nanoseconds, times [`DELAY_WEIGHT`]; zero before the first.
    delay: u64,
    initial_delay: Duration,
}

/// A new delay has one part in this many of the average.
const DELAY_WEIGHT: u64 = 64;

impl PullCredit {
    /// Nothing is on its way.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            outstanding: 0,
            link_rate: config.link_rate,
            most: config.pull_credit,
            most_per_peer: config.pull_credit_per_peer,
            quantum: config.quantum(),
            delay: 0,
            initial_delay: config.initial_rtt,
        }
    }

    /// Data came from a peer from which it takes `shortest` at best.
    pub(crate) fn on_delay(&mut self, shortest: Duration) {
        let nanos = u64::try_from(shortest.as_nanos()).unwrap_or(u64::MAX / DELAY_WEIGHT);
        let nanos = nanos.min(u64::MAX / (2 * DELAY_WEIGHT));
        if self.delay == 0 {
            self.delay = nanos * DELAY_WEIGHT;
        } else {
            self.delay = self.delay - self.delay / DELAY_WEIGHT + nanos;
        }
    }

    /// Bytes of an ordinary pull.
    pub(crate) const fn quantum(&self) -> u64 {
        self.quantum
    }

    /// The delay from pull to data without queues.
    pub(crate) const fn delay(&self) -> Duration {
        match self.delay {
            0 => self.initial_delay,
            delay => Duration::from_nanos(delay / DELAY_WEIGHT),
        }
    }

    /// The bandwidth-delay product in bytes, if the link rate is known.
    pub(crate) fn bdp(&self) -> Option<u64> {
        (self.link_rate > 0).then(|| {
            let bytes = u128::from(self.link_rate) * self.delay().as_nanos() / 1_000_000_000;
            u64::try_from(bytes).unwrap_or(u64::MAX)
        })
    }

    /// The bound for all senders together [SCHED-2].
    ///
    /// 1.5 BDP: one fills the link, and what senders may hoard before their feedback works, half a
    /// BDP, must not be missing from it (SIRD).
    pub(crate) fn total(&self) -> u64 {
        self.bdp().map_or(self.most, |bdp| {
            (bdp + bdp / 2).max(4 * self.quantum).min(self.most.max(self.quantum))
        })
    }

    /// The bound for one sender whose feedback allows all.
    ///
    /// A quarter more than the BDP: pulls come in quanta, and one sender alone must fill the link.
    pub(crate) fn per_peer(&self) -> u64 {
        self.bdp().map_or(self.most_per_peer, |bdp| {
            (bdp + bdp / 4).max(2 * self.quantum).min(self.most_per_peer.max(self.quantum))
        })
    }

    /// Whether another pull fits. Short transfers may use half a BDP more, which long ones leave to
    /// them: what these hold at busy senders must not delay those.
    pub(crate) fn has_room(&self, short: bool) -> bool {
        let more = if short { self.bdp().unwrap_or(0) / 2 } else { 0 };
        self.outstanding == 0 || self.outstanding + self.quantum <= self.total() + more
    }

    /// A transfer that needs no more than this is short, in bytes.
    pub(crate) fn short(&self) -> u64 {
        self.bdp().unwrap_or(0)
    }

    /// Bytes pulled, not arrived and not late.
    pub(crate) const fn outstanding(&self) -> u64 {
        self.outstanding
    }

    /// More is on its way.
    pub(crate) const fn add(&mut self, bytes: u64) {
        self.outstanding += bytes;
    }

    /// Less is on its way: it arrived, or is late.
    pub(crate) const fn subtract(&mut self, bytes: u64) {
        self.outstanding = self.outstanding.saturating_sub(bytes);
    }
}

/// What one sender was asked for and has not delivered.
///
/// What does not come in time no longer counts against the bound for all: the link must not wait
/// for a sender that serves others first, or none [SCHED-5]. It counts against the sender's own.
#[derive(Debug, Default)]
pub(crate) struct OnTheWay {
    /// When it was asked for and how much of it is to come, oldest first.
    due: VecDeque<(Timestamp, u64)>,
    due_bytes: u64,
    late_bytes: u64,
}

/// Bytes that no longer are on their way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrived {
    /// They counted against the bound for all.
    pub(crate) due: u64,
    /// They were late, and did not.
    pub(crate) late: u64,
}

/// What is asked for within this part of the delay counts as asked for at once.
const DUE_STEPS: u32 = 8;

impl OnTheWay {
    /// All of it, in bytes.
    pub(crate) const fn bytes(&self) -> u64 {
        self.due_bytes + self.late_bytes
    }

    /// More was asked for; it usually takes `delay`.
    pub(crate) fn add(&mut self, now: Timestamp, bytes: u64, delay: Duration) {
        self.due_bytes += bytes;
        match self.due.back_mut() {
            Some((at, sum)) if now.saturating_since(*at) < delay / DUE_STEPS => *sum += bytes,
            _ => self.due.push_back((now, bytes)),
        }
    }

    /// What had come has to come again.
    pub(crate) const fn add_late(&mut self, bytes: u64) {
        self.late_bytes += bytes;
    }

    /// `bytes` came, or will not come: the oldest first.
    pub(crate) fn remove(&mut self, bytes: u64) -> Arrived {
        let late = bytes.min(self.late_bytes);
        self.late_bytes -= late;
        let due = (bytes - late).min(self.due_bytes);
        self.due_bytes -= due;
        let mut rest = due;
        while rest > 0
            && let Some((_, sum)) = self.due.front_mut()
        {
            let part = rest.min(*sum);
            *sum -= part;
            rest -= part;
            if *sum == 0 {
                self.due.pop_front();
            }
        }
        Arrived { due, late }
    }

    /// When the oldest is late, if it may take `patience`.
    pub(crate) fn late_at(&self, patience: Duration) -> Option<Timestamp> {
        self.due.front().map(|(at, _)| *at + patience)
    }

    /// What is late now and was not before, in bytes.
    pub(crate) fn expire(&mut self, now: Timestamp, patience: Duration) -> u64 {
        let mut expired = 0;
        while let Some(&(at, bytes)) = self.due.front()
            && at + patience <= now
        {
            self.due.pop_front();
            expired += bytes;
        }
        self.due_bytes -= expired;
        self.late_bytes += expired;
        expired
    }
}

/// The part of [`PullCredit::per_peer`] that one sender gets [SCHED-3].
///
/// It follows what the sender delivers: half more than in the last round while it says nothing, no
/// more once it says that it holds more credit than its own link can use. And it follows the marks
/// of the network between, by additive increase and multiplicative decrease as in SIRD. SIRD has
/// such a loop for the sender's word too; it is slow to recover, and left a fifth of the link of a
/// sender with four receivers unused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SenderShare {
    network: Loop,
    round_ends: Timestamp,
    arrived: u64,
    /// The sender has said in this round that it holds too much, and in the last.
    held: bool,
    was_held: bool,
    marked: u64,
    /// Nothing was on its way at some time of this round.
    idle: bool,
    /// What the sender delivered in the last round, if something was on its way all the time.
    delivered: Option<u64>,
}

/// Shares are counted in these parts of the whole.
const WHOLE: u64 = 1 << 16;

/// Weight of a round in the average of marked bytes: SIRD's 0.08.
const WEIGHT: u64 = WHOLE * 8 / 100;

/// The least share: SIRD's 0.03.
const LEAST_NETWORK: u64 = WHOLE * 3 / 100;

/// What a round without marks gives back: SIRD's one packet of 1,550 bytes of a BDP of 100 kB.
const STEP: u64 = WHOLE * 1_550 / 100_000;

#[derive(Clone, Copy, Debug)]
struct Loop {
    share: u64,
    average: u64,
}

impl Loop {
    const FULL: Self = Self { share: WHOLE, average: 0 };

    fn round(&mut self, arrived: u64, marked: u64, least: u64) {
        let part = marked * WHOLE / arrived.max(1);
        self.average = (self.average * (WHOLE - WEIGHT) + part * WEIGHT) / WHOLE;
        if marked > 0 {
            self.share = (self.share - self.share * self.average / (2 * WHOLE)).max(least);
        } else {
            self.share = (self.share + STEP).min(WHOLE);
        }
    }
}

impl SenderShare {
    /// All of it.
    pub(crate) const fn new() -> Self {
        Self {
            network: Loop::FULL,
            round_ends: Timestamp::ZERO,
            arrived: 0,
            held: false,
            was_held: false,
            marked: 0,
            idle: true,
            delivered: None,
        }
    }

    /// Nothing is on its way: how fast the sender is cannot be told from what it delivers.
    pub(crate) const fn on_idle(&mut self) {
        self.idle = true;
        self.delivered = None;
    }

    /// Nothing has come for so long that others got the credit.
    pub(crate) const fn on_stalled(&mut self) {
        self.delivered = Some(0);
    }

    /// Data arrived: `held` if its sender says that it holds too much credit, `marked` if the
    /// network met congestion. A round lasts `delay`.
    pub(crate) fn on_arrival(
        &mut self,
        now: Timestamp,
        bytes: u64,
        held: bool,
        marked: bool,
        delay: Duration,
    ) {
        self.arrived += bytes;
        self.held |= held;
        self.marked += if marked { bytes } else { 0 };
        if now >= self.round_ends {
            self.network.round(self.arrived, self.marked, LEAST_NETWORK);
            self.delivered = if self.idle { None } else { Some(self.arrived) };
            self.idle = false;
            self.was_held = core::mem::take(&mut self.held);
            (self.arrived, self.marked) = (0, 0);
            self.round_ends = now + delay;
        }
    }

    /// The part of `bytes` that the sender gets; a pull is `quantum` bytes.
    pub(crate) fn of(&self, bytes: u64, quantum: u64) -> u64 {
        let share = u128::from(self.network.share);
        let part = (u128::from(bytes) * share / u128::from(WHOLE)) as u64;
        // half more than it delivers lets it become faster; the rest would only wait at the sender
        let growth = if self.was_held { 0 } else { 2 };
        let usable =
            self.delivered.map_or(bytes, |delivered| delivered + delivered * growth / 4 + quantum);
        part.min(usable).max(quantum)
    }
}

#[cfg(test)]
mod tests;
