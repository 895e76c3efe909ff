//! How quinn is set up: as somebody would who knows the network and wants it fast.

use core::time::Duration;
use std::{sync::Arc, time::Instant};

use aws_lc_rs::hmac;
use dcquic_proto::rng::Jitter;
use quinn_proto::{
    AckFrequencyConfig, ClientConfig, Endpoint, EndpointConfig, IdleTimeout, NoneTokenStore,
    ServerConfig, TransportConfig, VarInt,
    congestion::{BbrConfig, ControllerFactory, CubicConfig},
};

use super::{
    cid::{SeededCids, first_cids},
    identity::Identity,
    meter::{Meter, MeteredClient, MeteredServer},
    sessions::Clock,
};

/// IPv4 and UDP headers.
const HEADERS: u16 = 28;

/// The smallest UDP payload that QUIC can live with.
const MIN_UDP_PAYLOAD: u16 = 1_200;

/// Streams that a peer may have open at a time, and with them transfers in flight.
const MAX_STREAMS: u32 = 20_000;

/// Bytes that one stream may have in flight: 5 ms at 100 Gbit/s.
const STREAM_WINDOW: u32 = 64 << 20;

/// Bytes of all streams of a connection that were written and not acknowledged.
const SEND_WINDOW: u64 = 1 << 30;

/// Longer than any run, and short enough that a partition that stays is noticed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);

/// The granularity of timers in tokio, under which quinn runs.
const TIMER_TICK: Duration = Duration::from_millis(1);

/// The shortest time that quinn lets a peer ask for.
const MAX_ACK_DELAY: Duration = Duration::from_millis(1);

/// Packets that quinn acknowledges together unless it is told otherwise.
const PACKETS_PER_ACK: u32 = 2;

/// Why quinn could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum QuinnError {
    /// QUIC needs UDP payloads of 1,200 bytes.
    #[error("quinn needs an MTU of 1228 or more, not {mtu}")]
    Mtu {
        /// The network's MTU.
        mtu: u16,
    },
    /// A setting that quinn does not accept.
    #[error("a setting is out of quinn's bounds")]
    OutOfBounds,
    /// The certificate could not be made.
    #[error("no certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS could not be set up.
    #[error("no TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// TLS lacks the cipher that QUIC begins with.
    #[error("no TLS: {0}")]
    Cipher(#[from] quinn_proto::crypto::rustls::NoInitialCipherSuite),
}

/// Which congestion controller of quinn's is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Congestion {
    /// CUBIC (RFC 8312), quinn's default.
    #[default]
    Cubic,
    /// quinn's BBR, which it calls experimental.
    ///
    /// As soon as the application no longer limits it, it spends 200 ms in its ProbeRtt phase with
    /// a window of four packets, and shorter runs see little else. After that it draws the phase of
    /// its gain cycle from the operating system's randomness, and runs no longer repeat.
    Bbr,
}

/// What a user would tell quinn about the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuinnSettings {
    /// The congestion controller.
    pub congestion: Congestion,
    /// The network's MTU: the largest IP packet. Nothing is probed, it is right from the start.
    pub mtu: u16,
    /// The network's round trip without queues, assumed until it is measured.
    pub rtt: Duration,
    /// The initial congestion window in bytes, at least two packets. By default what RFC 9002
    /// recommends for this MTU, and quinn's own 240,000 for BBR.
    pub initial_window: Option<u64>,
    /// How long a peer may hold back an acknowledgement, which is part of every probe timeout. By
    /// default 1 ms, the least that quinn accepts; without a value its own 25 ms, which make an
    /// incast of 500 senders take ten times as long.
    pub max_ack_delay: Option<Duration>,
    /// After how many packets a peer acknowledges at once; at least 1. By default 2, as quinn does.
    /// A connection whose window has room for one packet then waits for `max_ack_delay`. With 1,
    /// incasts end sooner where a message has many packets; with jumbo frames and hundreds of
    /// senders they end later. Whoever compares should look at both.
    pub packets_per_ack: u32,
    /// The granularity of a host's timers. By default 1 ms, which is what a user of quinn has from
    /// its runtime. Every host counts from a moment of its own: with exact timers, all senders of
    /// an incast would probe at the same nanosecond, lose that too, and back off together.
    pub timer_tick: Duration,
}

impl QuinnSettings {
    /// What suits a network with this MTU and round trip.
    pub fn new(congestion: Congestion, mtu: u16, rtt: Duration) -> Self {
        let max_ack_delay = Some(MAX_ACK_DELAY);
        Self {
            congestion,
            mtu,
            rtt,
            initial_window: None,
            max_ack_delay,
            packets_per_ack: PACKETS_PER_ACK,
            timer_tick: TIMER_TICK,
        }
    }

    fn controller(&self) -> Arc<dyn ControllerFactory + Send + Sync> {
        let payload = u64::from(self.mtu - HEADERS);
        // quinn stops one byte before the window is full, so two packets need that byte
        let at_least = 2 * payload + 1;
        match self.congestion {
            Congestion::Cubic => {
                let recommended = (10 * payload).min(14_720.max(2 * payload));
                let window = self.initial_window.unwrap_or(recommended).max(at_least);
                let mut config = CubicConfig::default();
                config.initial_window(window);
                Arc::new(config)
            }
            Congestion::Bbr => {
                let mut config = BbrConfig::default();
                if let Some(bytes) = self.initial_window {
                    config.initial_window(bytes.max(at_least));
                }
                Arc::new(config)
            }
        }
    }

    fn transport(&self) -> Result<TransportConfig, QuinnError> {
        let mut config = TransportConfig::default();
        let idle = IdleTimeout::try_from(IDLE_TIMEOUT).map_err(|_| QuinnError::OutOfBounds)?;
        config
            .max_concurrent_uni_streams(VarInt::from_u32(MAX_STREAMS))
            .max_concurrent_bidi_streams(VarInt::from_u32(0))
            .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
            .receive_window(VarInt::MAX)
            .send_window(SEND_WINDOW)
            .max_idle_timeout(Some(idle))
            .datagram_receive_buffer_size(None)
            .initial_rtt(self.rtt)
            .initial_mtu(self.mtu - HEADERS)
            .min_mtu(self.mtu - HEADERS)
            .mtu_discovery_config(None)
            .congestion_controller_factory(self.controller());
        if self.max_ack_delay.is_some() || self.packets_per_ack != PACKETS_PER_ACK {
            let mut acks = AckFrequencyConfig::default();
            let held_back = self.packets_per_ack.saturating_sub(1);
            acks.max_ack_delay(self.max_ack_delay)
                .ack_eliciting_threshold(VarInt::from_u32(held_back));
            config.ack_frequency_config(Some(acks));
        }
        Ok(config)
    }
}

/// What all quinn hosts of a run share; made once per run.
pub struct QuinnShared {
    identity: Identity,
    transport: Arc<TransportConfig>,
    max_payload: u16,
    timer_tick: Duration,
    /// The instant that stands for the start of the run. quinn only ever looks at differences.
    pub(super) epoch: Instant,
}

impl QuinnShared {
    /// Prepares hosts with these settings.
    ///
    /// # Errors
    /// The MTU is too small for QUIC, or TLS refuses to be set up.
    pub fn new(settings: &QuinnSettings) -> Result<Self, QuinnError> {
        if settings.mtu < MIN_UDP_PAYLOAD + HEADERS {
            return Err(QuinnError::Mtu { mtu: settings.mtu });
        }
        Ok(Self {
            identity: Identity::new()?,
            transport: Arc::new(settings.transport()?),
            max_payload: settings.mtu - HEADERS,
            timer_tick: settings.timer_tick,
            epoch: Instant::now(),
        })
    }

    /// The timer of the host with this seed, which ticks when no other host's does.
    pub(super) fn clock(&self, seed: u64) -> Clock {
        let tick = u64::try_from(self.timer_tick.as_nanos()).unwrap_or(u64::MAX);
        let phase = Jitter::new(!seed).below(tick);
        Clock { first: self.epoch + Duration::from_nanos(phase), tick: self.timer_tick }
    }

    /// An endpoint whose choices all come from `seed`, where TLS does not make them.
    pub(super) fn endpoint(&self, seed: u64, meter: &Arc<Meter>) -> Result<Endpoint, QuinnError> {
        let mut rng = Jitter::new(seed);
        let mut rng_seed = [0; 32];
        for bytes in rng_seed.chunks_exact_mut(8) {
            bytes.copy_from_slice(&rng.next_u64().to_le_bytes());
        }
        let reset_key = hmac::Key::new(hmac::HMAC_SHA256, &rng.next_u64().to_le_bytes());
        let cids = rng.next_u64();
        let mut config = EndpointConfig::new(Arc::new(reset_key));
        config
            .max_udp_payload_size(self.max_payload)
            .map_err(|_| QuinnError::OutOfBounds)?
            .cid_generator(move || Box::new(SeededCids::new(cids)))
            .rng_seed(Some(rng_seed));
        let inner = Arc::clone(&self.identity.server);
        let crypto = MeteredServer { inner, meter: Arc::clone(meter) };
        let mut server = ServerConfig::with_crypto(Arc::new(crypto));
        server.transport_config(Arc::clone(&self.transport));
        Ok(Endpoint::new(Arc::new(config), Some(Arc::new(server)), false, None))
    }

    /// What the host with this seed connects with.
    pub(super) fn client(&self, seed: u64, meter: &Arc<Meter>) -> ClientConfig {
        let inner = Arc::clone(&self.identity.client);
        let crypto = MeteredClient { inner, meter: Arc::clone(meter) };
        let mut config = ClientConfig::new(Arc::new(crypto));
        config
            .transport_config(Arc::clone(&self.transport))
            .token_store(Arc::new(NoneTokenStore))
            .initial_dst_cid_provider(first_cids(seed));
        config
    }
}
