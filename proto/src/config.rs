//! Every limit and timer of an endpoint, with the reason for its default.

use core::time::Duration;

use crate::{
    causality::{CausalityConfig, CausalityConfigError},
    congestion::{CongestionConfig, CongestionControl},
    crypto::{KeyLimits, Suite},
    health::{Bound, HealthConfig},
};

/// How an endpoint behaves; [`Config::validate`] names what is out of range.
#[derive(Clone, Debug)]
pub struct Config {
    /// The largest UDP payload to send, in bytes; both sides' minimum is used. 1,200 to 65,507.
    ///
    /// The default of 1,400 passes every Ethernet, with room for a tunnel's headers.
    pub max_datagram: u16,
    /// Datagrams in one transmission at most (GSO); never more than the link's capability.
    pub max_segments: usize,
    /// Records hold 2^n bytes of plaintext, 10 to 16. The largest that a message fills is used.
    ///
    /// AES-GCM over 64 KiB runs twice as fast as over 1,400 bytes.
    pub max_record_log2: u8,
    /// The cipher of control packets and records.
    pub suite: Suite,
    /// When keys are replaced.
    pub key_limits: KeyLimits,

    /// Peers, connected or in the hello, at most.
    pub max_peers: usize,
    /// Hellos that were answered but not confirmed by the peer yet, at most.
    pub max_pending_hellos: usize,
    /// Open streams per peer and direction, at most.
    pub max_streams: u32,
    /// Transfers per peer and direction, at most.
    pub max_transfers: u32,
    /// Calls of a pool that wait until their peer allows another stream, per peer, at most; more
    /// are refused.
    pub max_waiting_calls: usize,
    /// Messages of one stream and direction that the application has not taken, at most.
    pub stream_messages: u64,
    /// Bytes of such messages, at most; the last of them may go beyond.
    pub stream_bytes: u64,
    /// How many calls of a pool may name each other as what must come first.
    pub causality: CausalityConfig,
    /// Metadata and headers of one message in bytes, at most.
    pub max_metadata: usize,
    /// The largest message received to memory, in bytes.
    pub max_message: u64,
    /// Requests up to this many bytes are received to memory without asking the application.
    pub auto_receive: u64,
    /// Messages up to this many bytes travel inside their notify, if a packet holds them.
    pub max_inline: usize,
    /// Notifies that a peer may send ahead of our accepts, at most.
    pub notify_credit: u64,
    /// Payload that all peers together may send inside notifies ahead of our accepts, in bytes:
    /// what the link's receive buffer can take at once. Divided among the peers with every accept.
    pub unscheduled_budget: u64,
    /// Received bytes in memory that the application has not taken yet, over all peers, at most.
    pub receive_memory: u64,
    /// Sealed records kept for unacknowledged ranges, over all peers, in bytes, at most.
    pub send_memory: u64,

    /// What the link carries, in bytes per second, framing included; 0 if that is not known.
    ///
    /// With it the endpoint paces what it asks for and what it sends, and bounds what is on its way
    /// by the bandwidth-delay product. Without it only the credits below bound what is on its way.
    pub link_rate: u64,
    /// Bytes that a datagram takes on the link besides its payload.
    ///
    /// The default of 66 is UDP, IPv4 and Ethernet with preamble and gap.
    pub frame_overhead: u16,
    /// The part of the link rate that pulls fill, in per mille, what comes unasked included.
    ///
    /// The default is all of it: the queue that remains is drained by the response to congestion
    /// marks, and bounded by the credit. A fixed margin would cost what it leaves free.
    pub pull_rate_permille: u16,
    /// How fast data leaves for a peer, besides what the peer asks for: the lower counts.
    pub congestion: CongestionControl,
    /// How late timers may be handled, the wheel's resolution included: pacing makes up for so much
    /// and no more, since what it makes up for leaves as a burst.
    pub timer_slack: Duration,
    /// Bytes pulled but not arrived, over all peers, at most. Never more than the link's receive
    /// buffer holds.
    pub pull_credit: u64,
    /// Bytes pulled but not arrived from one peer, at most.
    pub pull_credit_per_peer: u64,
    /// The most that one PULL_REQUEST asks for, in bytes.
    pub pull_quantum: u64,
    /// Datagrams that may overtake a missing one before it counts as lost.
    pub reorder_threshold: u32,

    /// RTT assumed before the first sample.
    pub initial_rtt: Duration,
    /// No retry timer is shorter.
    ///
    /// The default is what a kernel's scheduler may take to run the peer's thread: asking again
    /// sooner mostly repeats what is late, not lost.
    pub min_timeout: Duration,
    /// Retry timers grow up to this.
    pub max_timeout: Duration,
    /// Acknowledgements wait at most this long for a packet to ride on.
    pub ack_delay: Duration,
    /// A peer from which nothing authentic was heard for this long, while work is outstanding,
    /// has failed: see [`HealthConfig`] for what comes before.
    pub idle_timeout: Duration,
    /// Times that a message is repeated to a peer that is heard but leaves it unanswered, at most,
    /// and at least for half of `idle_timeout`; the message is then given up.
    pub max_repeats: u32,
    /// When a peer is degraded, probed or failed.
    pub health: HealthConfig,
    /// A hello that is not answered for this long has failed.
    pub hello_timeout: Duration,
}

impl Config {
    /// For hosts of one datacenter.
    pub fn datacenter() -> Self {
        Self {
            max_datagram: 1_400,
            max_segments: 64,
            max_record_log2: 16,
            suite: Suite::default(),
            key_limits: KeyLimits::default(),
            max_peers: 65_536,
            max_pending_hellos: 1_024,
            max_streams: 1 << 20,
            max_transfers: 1 << 20,
            max_waiting_calls: 1 << 16,
            stream_messages: 256,
            stream_bytes: 1 << 20,
            causality: CausalityConfig::default(),
            max_metadata: 1_024,
            max_message: 1 << 30,
            auto_receive: 1 << 20,
            max_inline: 1_024,
            notify_credit: 1_024,
            unscheduled_budget: 2 << 20,
            receive_memory: 1 << 30,
            send_memory: 256 << 20,
            link_rate: 0,
            frame_overhead: 66,
            pull_rate_permille: 1_000,
            congestion: CongestionControl::Bbr,
            timer_slack: Duration::from_micros(50),
            pull_credit: 2 << 20,
            pull_credit_per_peer: 2 << 20,
            pull_quantum: 128 << 10,
            reorder_threshold: 32,
            initial_rtt: Duration::from_micros(200),
            min_timeout: Duration::from_millis(5),
            max_timeout: Duration::from_millis(500),
            ack_delay: Duration::from_micros(50),
            idle_timeout: Duration::from_secs(10),
            max_repeats: 16,
            health: HealthConfig::default(),
            hello_timeout: Duration::from_secs(5),
        }
    }

    /// For two processes of one machine: the loopback interface carries large datagrams, and has no
    /// network whose congestion could be controlled; the receiver's credit is bound enough.
    pub fn loopback() -> Self {
        let congestion = CongestionControl::FixedRate { bytes_per_sec: 1 << 37 };
        Self { max_datagram: 8_900, congestion, ..Self::datacenter() }
    }

    /// Between sites: round trips of milliseconds, paths that lose packets and carry no more than
    /// ordinary frames. Retry timers, patience with silence and the credits follow.
    pub fn wan() -> Self {
        Self {
            max_datagram: 1_200,
            pull_credit: 32 << 20,
            pull_credit_per_peer: 16 << 20,
            initial_rtt: Duration::from_millis(50),
            min_timeout: Duration::from_millis(20),
            max_timeout: Duration::from_secs(4),
            ack_delay: Duration::from_millis(1),
            idle_timeout: Duration::from_secs(30),
            hello_timeout: Duration::from_secs(15),
            ..Self::datacenter()
        }
    }

    /// For a stack that polls a NIC of its own, `link_rate` bytes per second fast, and for the
    /// simulator: no scheduler stands between the wire and the endpoint, so that retry timers need
    /// no more than its round trips ask for.
    ///
    /// The budget of unscheduled bytes is what a fast switch port queues without harm.
    pub fn dedicated(link_rate: u64) -> Self {
        Self {
            link_rate,
            unscheduled_budget: 256 << 10,
            timer_slack: Duration::from_nanos(1_100),
            pull_credit: 8 << 20,
            pull_credit_per_peer: 8 << 20,
            initial_rtt: Duration::from_micros(50),
            min_timeout: Duration::from_micros(200),
            max_timeout: Duration::from_millis(20),
            ..Self::datacenter()
        }
    }

    /// What the congestion controller of a new path starts from. With a known link rate that is a
    /// whole round trip of it: whoever pulls asks for no more than it can take.
    pub(crate) fn path_congestion(&self, max_datagram: usize, seed: u64) -> CongestionConfig {
        let defaults = CongestionConfig { control: self.congestion, seed, ..Default::default() };
        let max_datagram_bytes = max_datagram as u64;
        let max_quantum_bytes = defaults.max_quantum_bytes.max(2 * max_datagram_bytes);
        let mut config = CongestionConfig { max_datagram_bytes, max_quantum_bytes, ..defaults };
        if self.link_rate > 0 {
            let bdp = u128::from(self.link_rate) * self.initial_rtt.as_nanos() / 1_000_000_000;
            config.initial_rate_bytes_per_sec = self.link_rate;
            config.initial_window_bytes =
                (2 * bdp as u64).clamp(config.min_window_bytes, config.max_window_bytes);
        }
        config
    }

    /// Messages and bytes that each stream may announce before we say more: little enough for many
    /// streams at once.
    pub(crate) fn first_stream_credit(&self) -> (u64, u64) {
        (self.stream_messages.min(16), self.stream_bytes.min(1 << 16))
    }

    /// An ordinary turn of pulling or sending, in bytes.
    ///
    /// Four datagrams, or two microseconds of the link if that is more: enough for a batch, too
    /// little to keep a short transfer waiting. Without a known link rate, the longest pull.
    pub(crate) fn quantum(&self) -> u64 {
        if self.link_rate == 0 {
            return self.pull_quantum;
        }
        let datagrams = 4 * u64::from(self.max_datagram);
        datagrams.max(self.link_rate / 500_000).min(self.pull_quantum)
    }

    /// Checks every field and the relations between them.
    ///
    /// # Errors
    /// The first value that is out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let ranges: [Bound<u64>; 25] = [
            ("max_datagram", self.max_datagram.into(), 1_200, 65_507),
            ("max_segments", self.max_segments as u64, 1, 1_024),
            ("max_record_log2", self.max_record_log2.into(), 10, 16),
            ("max_peers", self.max_peers as u64, 1, 1 << 24),
            ("max_pending_hellos", self.max_pending_hellos as u64, 1, 1 << 20),
            ("max_streams", self.max_streams.into(), 1, 1 << 24),
            ("max_transfers", self.max_transfers.into(), 1, 1 << 24),
            ("max_waiting_calls", self.max_waiting_calls as u64, 0, 1 << 24),
            ("stream_messages", self.stream_messages, 1, 1 << 20),
            ("stream_bytes", self.stream_bytes, 1, 1 << 40),
            ("max_metadata", self.max_metadata as u64, 0, 1_024),
            ("max_message", self.max_message, 0, 1 << 46),
            ("auto_receive", self.auto_receive, 0, self.max_message),
            ("max_inline", self.max_inline as u64, 0, 65_507),
            ("notify_credit", self.notify_credit, 1, 1 << 32),
            ("unscheduled_budget", self.unscheduled_budget, 1_024, 1 << 40),
            ("receive_memory", self.receive_memory, self.auto_receive, 1 << 46),
            ("send_memory", self.send_memory, 1 << 17, 1 << 46),
            ("link_rate", self.link_rate, 0, 1 << 40),
            ("pull_rate_permille", self.pull_rate_permille.into(), 1, 1_000),
            ("pull_credit", self.pull_credit, self.pull_quantum, 1 << 40),
            ("pull_credit_per_peer", self.pull_credit_per_peer, 1, self.pull_credit),
            ("pull_quantum", self.pull_quantum, 1_024, 1 << 30),
            ("reorder_threshold", self.reorder_threshold.into(), 1, 1 << 20),
            ("max_repeats", self.max_repeats.into(), 1, 1 << 16),
        ];
        for (name, value, min, max) in ranges.into_iter().chain(self.health.numbers()) {
            if value < min || value > max {
                return Err(ConfigError::OutOfRange { name, value, min, max });
            }
        }
        self.causality.validate()?;
        self.path_congestion(usize::from(self.max_datagram), 0).validate()?;
        let spans = [
            ("timer_slack", self.timer_slack, Duration::ZERO, Duration::from_secs(1)),
            ("initial_rtt", self.initial_rtt, Duration::from_nanos(1), Duration::from_secs(10)),
            ("min_timeout", self.min_timeout, Duration::from_micros(1), self.max_timeout),
            ("max_timeout", self.max_timeout, self.min_timeout, Duration::from_secs(60)),
            ("ack_delay", self.ack_delay, Duration::ZERO, Duration::from_secs(1)),
            ("idle_timeout", self.idle_timeout, self.min_timeout, Duration::from_secs(86_400)),
            ("hello_timeout", self.hello_timeout, self.min_timeout, Duration::from_secs(86_400)),
        ];
        for (name, value, min, max) in spans.into_iter().chain(self.health.spans()) {
            if value < min || value > max {
                return Err(ConfigError::SpanOutOfRange { name, value, min, max });
            }
        }
        Ok(())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::datacenter()
    }
}

/// A configuration that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A size of the causality map is out of its range.
    #[error(transparent)]
    Causality(#[from] CausalityConfigError),
    /// A number is out of its range.
    #[error("{name} is {value}, must be {min} to {max}")]
    OutOfRange {
        /// The field.
        name: &'static str,
        /// Its value.
        value: u64,
        /// The least that is allowed.
        min: u64,
        /// The most that is allowed.
        max: u64,
    },
    /// A span of time is out of its range.
    #[error("{name} is {value:?}, must be {min:?} to {max:?}")]
    SpanOutOfRange {
        /// The field.
        name: &'static str,
        /// Its value.
        value: Duration,
        /// The least that is allowed.
        min: Duration,
        /// The most that is allowed.
        max: Duration,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_valid() {
        let dedicated = Config::dedicated(12_500_000_000);
        for config in [Config::datacenter(), Config::loopback(), Config::wan(), dedicated] {
            assert_eq!(config.validate(), Ok(()));
        }
    }

    #[test]
    fn a_bad_value_is_named() {
        let config = Config { max_record_log2: 17, ..Config::default() };
        let error = config.validate().unwrap_err();
        assert_eq!(error.to_string(), "max_record_log2 is 17, must be 10 to 16");
        let config = Config { min_timeout: Duration::from_secs(1), ..Config::default() };
        assert!(config.validate().unwrap_err().to_string().starts_with("min_timeout is 1s"));
        let mut config = Config::default();
        config.health.healthy_permille = config.health.degraded_permille;
        let error = config.validate().unwrap_err().to_string();
        assert_eq!(error, "health.healthy_permille is 300, must be 1 to 299");
    }
}
