//! What happens to frames by chance, drawn per link.

use dcquic_proto::rng::Jitter;

use super::{Picos, spec::RandomFaults};

/// A probability, in units of 2^-53.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chance(u64);

impl Chance {
    const BITS: u32 = 53;

    fn new(probability: f64) -> Self {
        Self((probability * (1_u64 << Self::BITS) as f64) as u64)
    }

    /// Whether it happens. What cannot happen draws no number.
    fn strikes(self, rng: &mut Jitter) -> bool {
        self.0 > 0 && rng.next_u64() >> (u64::BITS - Self::BITS) < self.0
    }
}

/// The Gilbert-Elliott model's numbers.
#[derive(Clone, Copy, Debug)]
struct Burst {
    good_to_bad: Chance,
    bad_to_good: Chance,
    loss_good: Chance,
    loss_bad: Chance,
}

/// The state of one link.
#[derive(Clone, Debug)]
struct Stream {
    rng: Jitter,
    bad: bool,
}

/// How a frame is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// By itself.
    Random,
    /// In a burst.
    Burst,
}

/// What happens to one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) loss: Option<Loss>,
    /// A random number that says which byte changes and how.
    pub(super) corruption: Option<u64>,
    /// How much later it arrives.
    pub(super) held_back: Option<Picos>,
    pub(super) duplicated: bool,
}

/// The chances of every link to a NIC, with a stream of random numbers for each.
#[derive(Clone, Debug)]
pub(super) struct Chances {
    loss: Chance,
    burst: Option<Burst>,
    reordering: Option<(Chance, Picos)>,
    duplication: Chance,
    corruption: Chance,
    streams: Vec<Stream>,
}

impl Chances {
    /// The chances, or `None` if nothing can happen.
    pub(super) fn new(spec: &RandomFaults, links: u32, seed: u64) -> Option<Self> {
        if *spec == RandomFaults::default() {
            return None;
        }
        let burst = spec.burst.map(|burst| Burst {
            good_to_bad: Chance::new(burst.good_to_bad),
            bad_to_good: Chance::new(burst.bad_to_good),
            loss_good: Chance::new(burst.loss_good),
            loss_bad: Chance::new(burst.loss_bad),
        });
        let reordering = spec.reordering.map(|reordering| {
            let extra = Picos::from_nanos(reordering.extra_delay_ns);
            (Chance::new(reordering.probability), extra)
        });
        let mut seeds = Jitter::new(seed);
        let stream = |_| Stream { rng: Jitter::new(seeds.next_u64()), bad: false };
        Some(Self {
            loss: Chance::new(spec.loss),
            burst,
            reordering,
            duplication: Chance::new(spec.duplication),
            corruption: Chance::new(spec.corruption),
            streams: (0..links).map(stream).collect(),
        })
    }

    /// Draws what happens to the next frame of a link.
    pub(super) fn draw(&mut self, link: usize) -> Fate {
        let Some(Stream { rng, bad }) = self.streams.get_mut(link) else {
            return Fate::default();
        };
        if self.burst.is_some_and(|burst| burst.strikes(rng, bad)) {
            return Fate { loss: Some(Loss::Burst), ..Fate::default() };
        }
        if self.loss.strikes(rng) {
            return Fate { loss: Some(Loss::Random), ..Fate::default() };
        }
        let corruption = self.corruption.strikes(rng).then(|| rng.next_u64());
        let held_back = self.reordering.filter(|(chance, _)| chance.strikes(rng));
        let duplicated = self.duplication.strikes(rng);
        Fate { loss: None, corruption, held_back: held_back.map(|(_, extra)| extra), duplicated }
    }
}

impl Burst {
    /// Moves the state on by one frame; whether that frame is lost.
    fn strikes(self, rng: &mut Jitter, bad: &mut bool) -> bool {
        let turn = if *bad { self.bad_to_good } else { self.good_to_bad };
        if turn.strikes(rng) {
            *bad = !*bad;
        }
        if *bad { self.loss_bad.strikes(rng) } else { self.loss_good.strikes(rng) }
    }
}

/// Changes one byte of the payload, so that it differs.
pub(super) fn corrupt(payload: &mut [u8], random: u64) {
    let len = payload.len() as u64;
    let Some(index) = (random >> 8).checked_rem(len) else { return };
    if let Some(byte) = payload.get_mut(index as usize) {
        // A change of zero would be none.
        *byte ^= (random as u8).max(1);
    }
}

#[cfg(test)]
mod tests;
