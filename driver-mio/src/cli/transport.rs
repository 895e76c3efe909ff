//! Options and set-up that every command with a socket shares.

use std::{net::SocketAddr, time::Duration};

use dcquic_mio::runtime::{Runtime, RuntimeConfig};
use dcquic_proto::{config::Config, crypto::Psk};

use super::{failure::Failure, span};

/// How this side behaves.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TransportOptions {
    /// Give up when the other side is not heard from for this long.
    #[arg(long, value_name = "SPAN", default_value = "10s", value_parser = span::parse)]
    timeout: Duration,
    /// Largest UDP payload to send, in bytes; both sides' minimum is used [default: 1400, on
    /// loopback 8900].
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u16).range(1_200..=65_507))]
    datagram: Option<u16>,
}

impl TransportOptions {
    /// The transport's configuration for traffic at `address`.
    pub(crate) fn config(&self, address: SocketAddr) -> Config {
        let profile =
            if address.ip().is_loopback() { Config::loopback() } else { Config::datacenter() };
        with_timeout(
            Config { max_datagram: self.datagram.unwrap_or(profile.max_datagram), ..profile },
            self.timeout,
        )
    }
}

/// `config` with one limit for hellos and for silence.
pub(crate) fn with_timeout(config: Config, timeout: Duration) -> Config {
    Config {
        idle_timeout: timeout,
        hello_timeout: timeout,
        // timers that wait longer than the whole would never fire
        max_timeout: config.max_timeout.min(timeout / 2).max(config.min_timeout),
        ..config
    }
}

/// Opens a socket at `listen` and starts its worker.
pub(crate) fn start(listen: SocketAddr, config: Config, psk: Psk) -> Result<Runtime, Failure> {
    // a bad value should not be blamed on the address
    config.validate().map_err(Failure::new)?;
    Runtime::start(RuntimeConfig::new(listen, config, psk))
        .map_err(|error| Failure::new(format_args!("cannot listen on {listen}: {error}")))
}

/// Like [`start`], on any port of a family that reaches `remote`.
pub(crate) fn start_towards(
    remote: SocketAddr,
    config: Config,
    psk: Psk,
) -> Result<Runtime, Failure> {
    let any: std::net::IpAddr = match remote {
        SocketAddr::V4(remote) if remote.ip().is_loopback() => [127, 0, 0, 1].into(),
        SocketAddr::V4(_) => [0, 0, 0, 0].into(),
        SocketAddr::V6(remote) if remote.ip().is_loopback() => std::net::Ipv6Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    start(SocketAddr::new(any, 0), config, psk)
}
