//! How much may be pulled and not have arrived: in all, and of one sender.

use core::time::Duration;

use crate::{config::Config, time::Timestamp};

/// The receiver's bounds, in bytes of sealed payload.
///
/// With a known link rate they follow the bandwidth-delay product (BDP), where the delay is that
/// from a pull to its first data, the peer's software included, as far as it was ever seen to be
/// short in the last [`MIN_DELAY_WINDOW`]. Without, the configured bounds hold.
#[derive(Debug)]
pub(crate) struct PullCredit {
    /// Pulled and not arrived, but for what stalled senders hold.
    outstanding: u64,
    link_rate: u64,
    most: u64,
    most_per_peer: u64,
    quantum: u64,
    delay: WindowedMin,
}

/// How long the shortest delay is remembered: RFC 9002 and BBR remember as long.
const MIN_DELAY_WINDOW: Duration = Duration::from_secs(10);

impl PullCredit {
    /// Nothing is on its way.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            outstanding: 0,
            link_rate: config.link_rate,
            most: config.pull_credit,
            most_per_peer: config.pull_credit_per_peer,
            quantum: config.quantum(),
            delay: WindowedMin::new(config.initial_rtt),
        }
    }

    /// Takes a delay from a pull to its first data.
    pub(crate) fn on_delay(&mut self, now: Timestamp, delay: Duration) {
        self.delay.update(now, delay);
    }

    /// The delay from pull to data without queues.
    pub(crate) const fn delay(&self) -> Duration {
        self.delay.get()
    }

    /// The bandwidth-delay product in bytes, if the link rate is known.
    pub(crate) fn bdp(&self) -> Option<u64> {
        (self.link_rate > 0).then(|| {
            let nanos = self.delay.get().as_nanos();
            let bytes = u128::from(self.link_rate) * nanos / 1_000_000_000;
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

    /// Whether another pull fits.
    pub(crate) fn has_room(&self) -> bool {
        self.outstanding == 0 || self.outstanding + self.quantum <= self.total()
    }

    /// Bytes pulled and not arrived, but for what stalled senders hold.
    pub(crate) const fn outstanding(&self) -> u64 {
        self.outstanding
    }

    /// More is on its way.
    pub(crate) const fn add(&mut self, bytes: u64) {
        self.outstanding += bytes;
    }

    /// Less is on its way: it arrived, or its sender has stalled.
    pub(crate) const fn subtract(&mut self, bytes: u64) {
        self.outstanding = self.outstanding.saturating_sub(bytes);
    }
}

/// The least value of a sliding window, kept as the minima of its two halves.
#[derive(Debug)]
struct WindowedMin {
    current: Option<Duration>,
    previous: Option<Duration>,
    turned_at: Timestamp,
    initial: Duration,
}

impl WindowedMin {
    const fn new(initial: Duration) -> Self {
        Self { current: None, previous: None, turned_at: Timestamp::ZERO, initial }
    }

    fn update(&mut self, now: Timestamp, value: Duration) {
        if now.saturating_since(self.turned_at) > MIN_DELAY_WINDOW / 2 {
            self.previous = self.current.take();
            self.turned_at = now;
        }
        self.current = Some(self.current.map_or(value, |least| least.min(value)));
    }

    const fn get(&self) -> Duration {
        match (self.current, self.previous) {
            (Some(current), Some(previous)) => {
                if current.as_nanos() < previous.as_nanos() {
                    current
                } else {
                    previous
                }
            }
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => self.initial,
        }
    }
}

/// The part of [`PullCredit::per_peer`] that one sender gets: two loops of additive increase and
/// multiplicative decrease as in SIRD, and the smaller result counts [SCHED-3].
///
/// One follows the sender's word that it holds more credit than its own link can use; the other
/// follows congestion marks of the network between.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SenderShare {
    host: Loop,
    network: Loop,
    round_ends: Timestamp,
    arrived: u64,
    held: u64,
    marked: u64,
}

/// Shares are counted in these parts of the whole.
const WHOLE: u64 = 1 << 16;

/// Weight of a round in the average of marked bytes: SIRD's 0.08.
const WEIGHT: u64 = WHOLE * 8 / 100;

/// The least share by the sender's feedback and by the network's: SIRD's 0.1 and 0.03.
const LEAST_HOST: u64 = WHOLE / 10;
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
            host: Loop::FULL,
            network: Loop::FULL,
            round_ends: Timestamp::ZERO,
            arrived: 0,
            held: 0,
            marked: 0,
        }
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
        self.held += if held { bytes } else { 0 };
        self.marked += if marked { bytes } else { 0 };
        if now >= self.round_ends {
            self.host.round(self.arrived, self.held, LEAST_HOST);
            self.network.round(self.arrived, self.marked, LEAST_NETWORK);
            (self.arrived, self.held, self.marked) = (0, 0, 0);
            self.round_ends = now + delay;
        }
    }

    /// The part of `bytes` that the sender gets.
    pub(crate) fn of(&self, bytes: u64) -> u64 {
        let share = self.host.share.min(self.network.share);
        (u128::from(bytes) * u128::from(share) / u128::from(WHOLE)) as u64
    }
}

#[cfg(test)]
mod tests;
