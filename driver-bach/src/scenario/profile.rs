//! How dcquic's endpoints are configured: the same for every scenario.

use dcquic_proto::config::Config;
use serde::{Deserialize, Serialize};

use crate::net::{IP_UDP_BYTES, NetworkSpec};

/// A set of defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// A stack that has its NIC for itself and polls it.
    #[default]
    Dedicated,
}

impl Profile {
    /// What a host is told that knows the rate and the MTU of its NIC, and nothing else.
    pub(super) fn config(self, network: &NetworkSpec) -> Config {
        let Self::Dedicated = self;
        let mut config = Config::dedicated(network.rate_bits_per_sec / 8);
        let payload = u64::from(network.mtu_bytes).saturating_sub(IP_UDP_BYTES);
        config.max_datagram = u16::try_from(payload).unwrap_or(u16::MAX).min(65_507);
        // every message is offered to the application, which checks its records
        config.auto_receive = 0;
        config
    }
}
