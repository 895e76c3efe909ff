//! What the benchmarks over loopback have in common: two sockets, and how long.

use core::net::SocketAddr;
use std::time::Duration;

use dcquic_mio::Runtime;
use dcquic_proto::{config::Config, crypto::Psk, pool::Pool};

use crate::cli::{
    failure::Failure,
    load::{LoadServer, Usefulness},
    psk, span, transport,
};

/// Arguments of every benchmark that goes on for a while.
#[derive(Debug, clap::Args)]
pub(crate) struct Traffic {
    /// Largest UDP payload in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 8_900, value_parser = clap::value_parser!(u16).range(1_200..=65_507))]
    pub(crate) datagram: u16,
    /// How long to go on, each time that something is measured.
    #[arg(long, value_name = "SPAN", default_value = "3s", value_parser = span::parse)]
    pub(crate) duration: Duration,
}

/// A client and a server, a socket and a worker thread each.
pub(crate) struct Loopback {
    server: LoadServer,
    client: Runtime,
}

impl Loopback {
    /// Starts both, with a key of their own.
    pub(crate) fn start(config: Config) -> Result<Self, Failure> {
        let key = psk::random()?;
        let server = LoadServer::start(config.clone(), Psk::from_bytes(*key), None)?;
        let client = transport::start_towards(server.address(), config, Psk::from_bytes(*key))?;
        Ok(Self { server, client })
    }

    /// The client's pool.
    pub(crate) fn pool(&self) -> Pool {
        self.client.pool()
    }

    /// Where the server is.
    pub(crate) fn remote(&self) -> SocketAddr {
        self.server.address()
    }

    /// How much of what both sent was useful.
    pub(crate) fn usefulness(&self) -> Usefulness {
        Usefulness::of(&[self.pool().stats(), self.server.stats()])
    }
}

impl Traffic {
    /// The configuration of both sides.
    pub(crate) fn config(&self) -> Config {
        Config { max_datagram: self.datagram, ..Config::loopback() }
    }
}
