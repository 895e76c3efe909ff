//! How a peer is doing: healthy, degraded, probing or failed (spec chapter 9).
//!
//! The machine is pure: what happened with a peer goes in, a change of state comes out. It knows no
//! timers and sends nothing; the peer that owns it does.

use core::{fmt, time::Duration};

use crate::{config::Config, time::Timestamp};

/// What a peer may be trusted with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HealthState {
    /// Nothing speaks against it.
    #[default]
    Healthy,
    /// Much goes wrong with it: others come first, and it is asked less often.
    Degraded,
    /// It may be gone: nothing new is begun with it, what is open goes on, and probes are sent.
    Probing,
    /// It is gone: everything with it has ended, nothing new is begun, and probes are sent slowly
    /// while somebody asks for it.
    Failed,
}

impl HealthState {
    /// Every state, from best to worst.
    pub const ALL: [Self; 4] = [Self::Healthy, Self::Degraded, Self::Probing, Self::Failed];

    /// The state's name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Probing => "probing",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for HealthState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a peer's state changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HealthCause {
    /// Too great a share of what was tried with it came to nothing.
    Failures,
    /// Timers fired, one after the other, and nothing was heard of it.
    Timeouts,
    /// The network says that its address cannot be reached.
    Unreachable,
    /// Probes were not answered.
    ProbesUnanswered,
    /// It was heard of again.
    Heard,
    /// What was tried with it succeeded again.
    Successes,
}

/// What a peer's health is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthFigures {
    /// Exponentially weighted share of what was tried with the peer and failed, in per mille.
    pub failure_permille: u16,
    /// Timers that fired in a row, and nothing was heard of the peer.
    pub timeouts: u32,
    /// Probes in a row that were not answered.
    pub unanswered_probes: u32,
    /// When something authentic last came; or when the peer became known.
    pub last_heard: Timestamp,
    /// The smoothed round-trip time.
    pub rtt: Duration,
}

/// A peer's health at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerHealth {
    /// The state.
    pub state: HealthState,
    /// What it is judged by.
    pub figures: HealthFigures,
}

/// Thresholds of a peer's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthConfig {
    /// An outcome weighs 2^-n in the failure share, 1 to 8.
    pub gain_log2: u8,
    /// Failure share from which a peer is degraded, in per mille.
    pub degraded_permille: u16,
    /// Failure share down to which a degraded peer is healthy again, in per mille.
    pub healthy_permille: u16,
    /// Failure share from which a peer is probed when one more message to it is given up, in per
    /// mille; 1,000 is never reached.
    pub probing_permille: u16,
    /// Timeouts in a row after which a peer is degraded.
    pub degraded_timeouts: u32,
    /// Timeouts in a row after which a peer is probed, once it was silent for long enough.
    pub probing_timeouts: u32,
    /// How long that is, or a quarter of [`Config::idle_timeout`] if that is less.
    pub probing_after: Duration,
    /// Probes that a peer must leave unanswered before it has failed.
    pub failed_probes: u32,
    /// Packets, or answered probes, that make a probed peer healthy.
    pub recovery_signs: u32,
    /// Time between probes of a failed peer, which is doubled eight-fold at most; greetings of a
    /// failed peer are no closer to each other.
    pub slow_probe: Duration,
    /// A failed peer for which nobody asked for so long is forgotten.
    pub forget_after: Duration,
    /// Levels of priority that a peer which is not healthy loses, 0 to 7.
    pub demotion: u8,
    /// Reports of unreachability that turned out wrong are not believed again for so long.
    pub hint_interval: Duration,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self {
            gain_log2: 3,
            degraded_permille: 300,
            healthy_permille: 100,
            probing_permille: 900,
            degraded_timeouts: 3,
            probing_timeouts: 6,
            probing_after: Duration::from_secs(2),
            failed_probes: 3,
            recovery_signs: 3,
            slow_probe: Duration::from_secs(1),
            forget_after: Duration::from_secs(60),
            demotion: 2,
            hint_interval: Duration::from_secs(1),
        }
    }
}

/// A value and the range it must be in.
pub(crate) type Bound<T> = (&'static str, T, T, T);

impl HealthConfig {
    /// The numbers that must be in range.
    pub(crate) fn numbers(&self) -> [Bound<u64>; 9] {
        let (degraded, probing) = (self.degraded_timeouts.into(), self.probing_timeouts.into());
        [
            ("health.gain_log2", self.gain_log2.into(), 1, 8),
            ("health.degraded_permille", self.degraded_permille.into(), 1, 1_000),
            (
                "health.healthy_permille",
                self.healthy_permille.into(),
                1,
                u64::from(self.degraded_permille).saturating_sub(1),
            ),
            (
                "health.probing_permille",
                self.probing_permille.into(),
                self.degraded_permille.into(),
                1_000,
            ),
            ("health.degraded_timeouts", degraded, 1, 1_000),
            ("health.probing_timeouts", probing, degraded, 1_000),
            ("health.failed_probes", self.failed_probes.into(), 1, 1_000),
            ("health.recovery_signs", self.recovery_signs.into(), 1, 1_000),
            ("health.demotion", self.demotion.into(), 0, 7),
        ]
    }

    /// The spans that must be in range.
    pub(crate) fn spans(&self) -> [Bound<Duration>; 4] {
        let (zero, least) = (Duration::ZERO, Duration::from_millis(1));
        let day = Duration::from_secs(86_400);
        [
            ("health.probing_after", self.probing_after, zero, day),
            ("health.slow_probe", self.slow_probe, least, day),
            ("health.forget_after", self.forget_after, self.slow_probe, day),
            ("health.hint_interval", self.hint_interval, zero, day),
        ]
    }
}

/// Something that happened with a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// An authentic packet came.
    Heard,
    /// A probe was answered.
    Answered,
    /// A message was delivered, either way.
    Delivered,
    /// A message was given up, because the peer did not do its part.
    GaveUp,
    /// A timer fired, and nothing was heard since the peer was asked. It is silent for `quiet`.
    Timeout { quiet: Duration },
    /// The same of a probe.
    ProbeUnanswered { quiet: Duration },
    /// The network says that the peer cannot be reached. That is not authentic: who was `heard` a
    /// moment ago, or owes no answer, is asked first.
    Unreachable { heard: bool },
}

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transition {
    pub(crate) from: HealthState,
    pub(crate) to: HealthState,
    pub(crate) cause: HealthCause,
}

/// The machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Health {
    state: HealthState,
    /// Exponentially weighted share of failures, in parts of [`ONE`].
    failures: u32,
    timeouts: u32,
    unanswered: u32,
    signs: u32,
    /// The network called the peer unreachable: the next probe decides.
    suspected: bool,
    /// It is heard, but nothing gets through to it: only an answer says that this is over.
    deaf: bool,
}

/// A share of failures of 1.
const ONE: u32 = 1 << 16;

impl Health {
    pub(crate) const fn state(&self) -> HealthState {
        self.state
    }

    /// The exponentially weighted share of failures, in per mille.
    pub(crate) const fn failure_permille(&self) -> u16 {
        (self.failures as u64 * 1_000 / ONE as u64) as u16
    }

    /// Timeouts in a row in which nothing was heard.
    pub(crate) const fn timeouts(&self) -> u32 {
        self.timeouts
    }

    /// Probes in a row that were not answered.
    pub(crate) const fn unanswered(&self) -> u32 {
        self.unanswered
    }

    /// Whether only an answer tells that the peer is back, not any packet.
    pub(crate) const fn is_deaf(&self) -> bool {
        self.deaf
    }

    /// Takes what happened; the change of state, if it made one [HLTH-1].
    pub(crate) fn handle(&mut self, config: &Config, input: Input) -> Option<Transition> {
        match input {
            Input::Heard => {
                (self.timeouts, self.suspected) = (0, false);
                if !self.deaf { self.on_sign(config) } else { None }
            }
            Input::Answered => {
                self.sample(config, 0);
                if self.deaf { self.on_sign(config) } else { self.on_success(config) }
            }
            Input::Delivered => {
                self.sample(config, 0);
                self.on_success(config)
            }
            Input::GaveUp => {
                self.sample(config, ONE);
                self.on_given_up(config)
            }
            Input::Timeout { quiet } => {
                self.timeouts = self.timeouts.saturating_add(1);
                self.sample(config, ONE);
                self.on_failure(config, quiet)
            }
            Input::ProbeUnanswered { quiet } => {
                self.timeouts = self.timeouts.saturating_add(1);
                self.unanswered = self.unanswered.saturating_add(1);
                self.sample(config, ONE);
                self.on_unanswered(config, quiet)
            }
            Input::Unreachable { heard } => self.on_unreachable(heard),
        }
    }

    fn sample(&mut self, config: &Config, value: u32) {
        let gain = config.health.gain_log2;
        if value > self.failures {
            self.failures += (value - self.failures) >> gain;
        } else {
            // rounded up, so that it comes down to nothing
            self.failures -= (self.failures - value).div_ceil(1 << gain);
        }
    }

    /// The peer has shown that it is there.
    fn on_sign(&mut self, config: &Config) -> Option<Transition> {
        self.unanswered = 0;
        match self.state {
            HealthState::Healthy | HealthState::Degraded => None,
            HealthState::Probing => {
                self.signs += 1;
                if self.signs < config.health.recovery_signs {
                    return None;
                }
                // it begins anew: the failures before are not held against it
                self.failures = self.failures.min(share(config.health.healthy_permille));
                self.deaf = false;
                self.enter(HealthState::Healthy, HealthCause::Heard)
            }
            HealthState::Failed => {
                self.signs = 1;
                self.enter(HealthState::Probing, HealthCause::Heard)
            }
        }
    }

    fn on_success(&mut self, config: &Config) -> Option<Transition> {
        let well = self.timeouts == 0 && self.failures <= share(config.health.healthy_permille);
        if self.state == HealthState::Degraded && well {
            return self.enter(HealthState::Healthy, HealthCause::Successes);
        }
        None
    }

    /// Only a peer that is heard has its messages given up: nothing gets through to it.
    fn on_given_up(&mut self, config: &Config) -> Option<Transition> {
        let most = share(config.health.probing_permille);
        if self.state < HealthState::Probing && self.failures >= most {
            self.deaf = true;
            return self.probe(HealthCause::Failures);
        }
        self.on_failure(config, Duration::ZERO)
    }

    fn on_failure(&mut self, config: &Config, quiet: Duration) -> Option<Transition> {
        if self.state >= HealthState::Probing {
            return None;
        }
        let limits = &config.health;
        let silent = quiet >= limits.probing_after.min(config.idle_timeout / 4);
        if silent && self.timeouts >= limits.probing_timeouts {
            return self.probe(HealthCause::Timeouts);
        }
        if self.state == HealthState::Degraded {
            return None;
        }
        if self.timeouts >= limits.degraded_timeouts {
            return self.enter(HealthState::Degraded, HealthCause::Timeouts);
        }
        if self.failures >= share(limits.degraded_permille) {
            return self.enter(HealthState::Degraded, HealthCause::Failures);
        }
        None
    }

    fn on_unanswered(&mut self, config: &Config, quiet: Duration) -> Option<Transition> {
        if self.state != HealthState::Probing {
            return self.on_failure(config, quiet);
        }
        if self.suspected {
            return self.enter(HealthState::Failed, HealthCause::Unreachable);
        }
        let silent = quiet >= config.idle_timeout;
        if silent && self.unanswered >= config.health.failed_probes {
            return self.enter(HealthState::Failed, HealthCause::ProbesUnanswered);
        }
        None
    }

    /// [HLTH-6]
    fn on_unreachable(&mut self, heard: bool) -> Option<Transition> {
        let owes_answer = self.timeouts > 0;
        match self.state {
            HealthState::Failed => None,
            _ if owes_answer && !heard => self.enter(HealthState::Failed, HealthCause::Unreachable),
            HealthState::Probing => {
                self.suspected = true;
                None
            }
            HealthState::Healthy | HealthState::Degraded => {
                let transition = self.probe(HealthCause::Unreachable);
                self.suspected = true;
                transition
            }
        }
    }

    fn probe(&mut self, cause: HealthCause) -> Option<Transition> {
        (self.signs, self.unanswered, self.suspected) = (0, 0, false);
        self.enter(HealthState::Probing, cause)
    }

    fn enter(&mut self, to: HealthState, cause: HealthCause) -> Option<Transition> {
        let from = core::mem::replace(&mut self.state, to);
        if to == HealthState::Healthy || to == HealthState::Failed {
            self.suspected = false;
        }
        Some(Transition { from, to, cause })
    }
}

/// Per mille as a share of failures, rounded up: no share below it reaches it.
const fn share(permille: u16) -> u32 {
    (permille as u32 * ONE).div_ceil(1_000)
}

#[cfg(test)]
mod tests;
