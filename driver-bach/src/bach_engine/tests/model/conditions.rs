//! The hosts, the network and the configuration of a run, and what befalls them.

use dcquic_proto::config::Config;

use super::plan::{Chance, MS};
use crate::net::{Buffer, Cable, Fault, NetworkSpec, Picos, RandomFaults, Reordering, Topology};

/// An outage up to this long hurts no call.
const SHORT_MS: u64 = 100;

/// A host that dies, and when it comes back, if it does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crash {
    pub(super) host: u32,
    pub(super) at: Picos,
    pub(super) back: Option<Picos>,
}

#[derive(Clone, Debug)]
pub(super) struct Conditions {
    pub(super) network: NetworkSpec,
    pub(super) config: Config,
    pub(super) crash: Option<Crash>,
    /// A host whose calls an outage may end.
    cut_off: Option<u32>,
    /// Hosts take turns of one instant in an order by chance.
    pub(super) interleave: bool,
    /// Sessions are begun ahead of the calls.
    pub(super) connect: bool,
}

impl Conditions {
    pub(super) fn by_chance(chance: &mut Chance) -> Self {
        let hosts = 2 + chance.below(3) as u32;
        let rate = chance.of(&[1_000_000_000, 10_000_000_000, 100_000_000_000]);
        let mut network = NetworkSpec {
            topology: Topology::Star { hosts, nics_per_host: 1 },
            rate_bits_per_sec: rate,
            ..NetworkSpec::default()
        };
        if chance.percent(40) {
            network.random = random_faults(chance);
        }
        if chance.percent(25) {
            let bytes = 40_000 + chance.below(200_000);
            network.buffer = Buffer::Shared { bytes, alpha: 1.0 };
            network.ecn_threshold_bytes = chance.percent(50).then_some(bytes / 5);
        }
        let mut cut_off = None;
        if chance.percent(20) {
            let long = chance.percent(30);
            let for_ms = if long { chance.below(15_000) } else { chance.below(SHORT_MS) };
            let host = chance.below(hosts.into()) as u32;
            cut_off = long.then_some(host);
            network.faults = vec![Fault::Down {
                at_ns: chance.below(20_000_000),
                for_ns: Some(1 + for_ms * 1_000_000),
                cable: Cable::Nic { host, nic: 0 },
            }];
        }
        let crash = chance.percent(12).then(|| {
            let at = Picos(chance.below(20 * MS.0));
            let back = chance.percent(60).then(|| Picos(at.0 + 1 + chance.below(100 * MS.0)));
            Crash { host: chance.below(hosts.into()) as u32, at, back }
        });
        Self {
            network,
            config: config(chance, rate),
            crash,
            cut_off,
            interleave: chance.percent(15),
            connect: chance.percent(40),
        }
    }

    pub(super) fn hosts(&self) -> u32 {
        self.network.topology.hosts()
    }

    /// Which life of a host a moment is in: it has another one behind a crash.
    pub(super) fn life(&self, host: u32, at: Picos) -> u32 {
        match self.crash {
            Some(Crash { back: Some(back), .. }) if self.is_crashed(host) && at >= back => 1,
            _ => 0,
        }
    }

    pub(super) fn is_crashed(&self, host: u32) -> bool {
        self.crash.is_some_and(|crash| crash.host == host)
    }

    /// Whether calls from or to this host may fail by themselves.
    pub(super) fn is_fragile(&self, host: u32) -> bool {
        self.is_crashed(host) || self.cut_off == Some(host)
    }

    /// Whether the network or a host is at fault in some way.
    pub(super) fn has_failures(&self) -> bool {
        self.crash.is_some() || self.cut_off.is_some()
    }
}

fn random_faults(chance: &mut Chance) -> RandomFaults {
    let thousandth = |chance: &mut Chance, most: u64| chance.below(most + 1) as f64 / 1_000.0;
    let reordering = chance.percent(50).then(|| Reordering {
        probability: thousandth(chance, 300),
        extra_delay_ns: chance.below(200_000),
    });
    let most = chance.of(&[0, 20, 100]);
    RandomFaults {
        loss: thousandth(chance, most),
        duplication: thousandth(chance, 50),
        corruption: thousandth(chance, 5),
        reordering,
        ..RandomFaults::default()
    }
}

fn config(chance: &mut Chance, rate: u64) -> Config {
    let mut config =
        if chance.percent(30) { Config::dedicated(rate / 8) } else { Config::datacenter() };
    if chance.percent(20) {
        config.auto_receive = chance.of(&[0, 1_024, 30_000]);
    }
    if chance.percent(20) {
        config.stream_messages = 1 + chance.below(8);
    }
    if chance.percent(20) {
        config.stream_bytes = 1 + chance.below(20_000);
    }
    if chance.percent(10) {
        config.notify_credit = 1 + chance.below(4);
    }
    if chance.percent(10) {
        config.max_inline = chance.below(1_025) as usize;
    }
    if chance.percent(10) {
        config.unscheduled_budget = 1_024;
    }
    config
}
