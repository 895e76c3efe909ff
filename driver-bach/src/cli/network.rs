//! Options that describe the network.

use clap::Args;

use crate::{
    net::{Buffer, NetworkSpec, Reordering, Topology},
    units::{parse_probability, parse_rate, parse_size, parse_span_ns},
};

/// What the network is like; what is left out is as the scenario's help says.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArgs {
    /// Rate of NICs and of the ports that face them [default: 100Gbps unless said].
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    rate: Option<u64>,
    /// One-way propagation delay of the longest path.
    #[arg(long, value_name = "SPAN", default_value = "5us", value_parser = parse_span_ns)]
    delay: u64,
    /// Delay from a NIC to its host: interrupts, the kernel, the bus.
    #[arg(long, value_name = "SPAN", default_value = "5us", value_parser = parse_span_ns)]
    host_delay: u64,
    /// Buffer of each switch port [default: 500KB unless said].
    #[arg(long, value_name = "SIZE", value_parser = parse_size, conflicts_with = "shared_buffer")]
    buffer: Option<u64>,
    /// Instead: memory of each switch, shared by its ports under dynamic thresholds.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    shared_buffer: Option<u64>,
    /// The factor of the dynamic thresholds.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    alpha: f64,
    /// Ports mark ECN above this queue [default: 100KB].
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    ecn_threshold: Option<u64>,
    /// The largest IP packet, in bytes.
    #[arg(long, value_name = "BYTES", default_value = "9000", value_parser = mtu)]
    mtu: u32,
    /// Switch ports send control packets first.
    #[arg(long)]
    control_priority: bool,
    /// Leaves choose a spine anew for every packet, and not by the flow (ECMP).
    #[arg(long)]
    spray: bool,
    /// Probability that a packet is lost on the last link.
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = parse_probability)]
    loss: f64,
    /// Probability that a packet is held back, so that later ones overtake it.
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = parse_probability)]
    reorder: f64,
    /// For how long it is held back.
    #[arg(long, value_name = "SPAN", default_value = "20us", value_parser = parse_span_ns)]
    reorder_delay: u64,
    /// Probability that a packet arrives twice.
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = parse_probability)]
    duplicate: f64,
    /// Probability that a byte of a packet is changed.
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = parse_probability)]
    corrupt: f64,
}

/// What a scenario takes where the options are silent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Defaults {
    pub(crate) rate_bits_per_sec: u64,
    pub(crate) buffer: Buffer,
}

impl Default for Defaults {
    fn default() -> Self {
        Self { rate_bits_per_sec: 100_000_000_000, buffer: Buffer::PerPort { bytes: 500_000 } }
    }
}

/// Queue above which ports mark.
const ECN_THRESHOLD: u64 = 100_000;

impl NetworkArgs {
    /// The network with this topology.
    pub(crate) fn spec(&self, topology: Topology, defaults: Defaults) -> NetworkSpec {
        let alpha = self.alpha;
        let per_port = self.buffer.map(|bytes| Buffer::PerPort { bytes });
        let shared = self.shared_buffer.map(|bytes| Buffer::Shared { bytes, alpha });
        let mut spec = NetworkSpec {
            topology,
            rate_bits_per_sec: self.rate.unwrap_or(defaults.rate_bits_per_sec),
            delay_ns: self.delay,
            host_delay_ns: self.host_delay,
            buffer: per_port.or(shared).unwrap_or(defaults.buffer),
            ecn_threshold_bytes: Some(self.ecn_threshold.unwrap_or(ECN_THRESHOLD)),
            control_priority: self.control_priority,
            spray: self.spray,
            mtu_bytes: self.mtu,
            ..NetworkSpec::default()
        };
        spec.random.loss = self.loss;
        spec.random.duplication = self.duplicate;
        spec.random.corruption = self.corrupt;
        spec.random.reordering = (self.reorder > 0.0).then_some(Reordering {
            probability: self.reorder,
            extra_delay_ns: self.reorder_delay,
        });
        spec
    }
}

/// Reads an MTU, with or without its unit.
fn mtu(text: &str) -> Result<u32, String> {
    let bytes = text.trim().parse().ok().or_else(|| u32::try_from(parse_size(text).ok()?).ok());
    bytes.ok_or_else(|| format!("{text:?} is no MTU; write 9000 or 1500B"))
}
