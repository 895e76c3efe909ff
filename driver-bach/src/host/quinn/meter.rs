//! Counts the payload that packets carry, where it can be seen: between quinn and its cipher.
//!
//! quinn reports datagrams, frames and lost packets, but not how many bytes of streams it put on
//! the wire. Its cryptography is an interface, though, and whoever stands there sees the plaintext
//! of every packet that is sealed or opened. So TLS is wrapped here, and nothing about it changed.

use core::any::Any;
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use bytes::BytesMut;
use quinn_proto::{
    ConnectError, ConnectionId, Side, TransportError,
    crypto::{
        ClientConfig, CryptoError, ExportKeyingMaterialError, HeaderKey, KeyPair, Keys, PacketKey,
        ServerConfig, Session, UnsupportedVersion,
    },
    transport_parameters::TransportParameters,
};

use super::{
    frames::{StreamFrame, stream_frames},
    message::payload_bytes,
};

/// What the packets of one host carried.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// Payload bytes sealed, repetitions included.
    pub(super) sent: AtomicU64,
    /// Of these, the bytes that had been sealed before.
    pub(super) resent: AtomicU64,
    /// Payload bytes opened, repetitions included.
    pub(super) received: AtomicU64,
    /// STREAM frames sealed, empty ones included.
    pub(super) frames_sent: AtomicU64,
    /// Packets with a frame that the meter cannot read: the counts would be too low.
    pub(super) unreadable: AtomicU64,
}

/// TLS for connecting, metered.
pub(super) struct MeteredClient<C> {
    pub(super) inner: Arc<C>,
    pub(super) meter: Arc<Meter>,
}

impl<C: ClientConfig> ClientConfig for MeteredClient<C> {
    fn start_session(
        self: Arc<Self>,
        version: u32,
        server_name: &str,
        params: &TransportParameters,
    ) -> Result<Box<dyn Session>, ConnectError> {
        let session = Arc::clone(&self.inner).start_session(version, server_name, params)?;
        Ok(Box::new(MeteredSession::new(session, &self.meter)))
    }
}

/// TLS for accepting, metered.
pub(super) struct MeteredServer<C> {
    pub(super) inner: Arc<C>,
    pub(super) meter: Arc<Meter>,
}

impl<C: ServerConfig> ServerConfig for MeteredServer<C> {
    fn initial_keys(
        &self,
        version: u32,
        dst_cid: &ConnectionId,
    ) -> Result<Keys, UnsupportedVersion> {
        self.inner.initial_keys(version, dst_cid)
    }

    fn retry_tag(&self, version: u32, orig_dst_cid: &ConnectionId, packet: &[u8]) -> [u8; 16] {
        self.inner.retry_tag(version, orig_dst_cid, packet)
    }

    fn start_session(
        self: Arc<Self>,
        version: u32,
        params: &TransportParameters,
    ) -> Box<dyn Session> {
        let session = Arc::clone(&self.inner).start_session(version, params);
        Box::new(MeteredSession::new(session, &self.meter))
    }
}

/// How far each stream of a connection was sent, by the stream's number.
type SentTo = Arc<Mutex<Vec<u64>>>;

struct MeteredSession {
    inner: Box<dyn Session>,
    meter: Arc<Meter>,
    sent_to: SentTo,
}

impl MeteredSession {
    fn new(inner: Box<dyn Session>, meter: &Arc<Meter>) -> Self {
        Self { inner, meter: Arc::clone(meter), sent_to: SentTo::default() }
    }

    fn wrap(&self, keys: KeyPair<Box<dyn PacketKey>>) -> KeyPair<Box<dyn PacketKey>> {
        let key = |inner| MeteredKey {
            inner,
            meter: Arc::clone(&self.meter),
            sent_to: Arc::clone(&self.sent_to),
        };
        KeyPair { local: Box::new(key(keys.local)), remote: Box::new(key(keys.remote)) }
    }
}

impl Session for MeteredSession {
    fn initial_keys(&self, dst_cid: &ConnectionId, side: Side) -> Keys {
        self.inner.initial_keys(dst_cid, side)
    }

    fn handshake_data(&self) -> Option<Box<dyn Any>> {
        self.inner.handshake_data()
    }

    fn peer_identity(&self) -> Option<Box<dyn Any>> {
        self.inner.peer_identity()
    }

    fn early_crypto(&self) -> Option<(Box<dyn HeaderKey>, Box<dyn PacketKey>)> {
        self.inner.early_crypto()
    }

    fn early_data_accepted(&self) -> Option<bool> {
        self.inner.early_data_accepted()
    }

    fn is_handshaking(&self) -> bool {
        self.inner.is_handshaking()
    }

    fn read_handshake(&mut self, buf: &[u8]) -> Result<bool, TransportError> {
        self.inner.read_handshake(buf)
    }

    fn transport_parameters(&self) -> Result<Option<TransportParameters>, TransportError> {
        self.inner.transport_parameters()
    }

    fn write_handshake(&mut self, buf: &mut Vec<u8>) -> Option<Keys> {
        let Keys { header, packet } = self.inner.write_handshake(buf)?;
        Some(Keys { header, packet: self.wrap(packet) })
    }

    fn next_1rtt_keys(&mut self) -> Option<KeyPair<Box<dyn PacketKey>>> {
        let keys = self.inner.next_1rtt_keys()?;
        Some(self.wrap(keys))
    }

    fn is_valid_retry(&self, orig_dst_cid: &ConnectionId, header: &[u8], payload: &[u8]) -> bool {
        self.inner.is_valid_retry(orig_dst_cid, header, payload)
    }

    fn export_keying_material(
        &self,
        output: &mut [u8],
        label: &[u8],
        context: &[u8],
    ) -> Result<(), ExportKeyingMaterialError> {
        self.inner.export_keying_material(output, label, context)
    }
}

struct MeteredKey {
    inner: Box<dyn PacketKey>,
    meter: Arc<Meter>,
    sent_to: SentTo,
}

impl MeteredKey {
    fn on_sent(&self, frame: StreamFrame) {
        // a host sends on unidirectional streams of its own alone, numbered from the third bit up
        let stream = usize::try_from(frame.stream >> 2).unwrap_or(usize::MAX);
        let mut sent_to = self.sent_to.lock().unwrap_or_else(PoisonError::into_inner);
        if stream >= sent_to.len() {
            sent_to.resize(stream + 1, 0);
        }
        let end = frame.offset + frame.len;
        let fresh_from = sent_to[stream].clamp(frame.offset, end);
        sent_to[stream] = sent_to[stream].max(end);
        self.meter.frames_sent.fetch_add(1, Relaxed);
        self.meter.sent.fetch_add(payload_bytes(frame.offset, frame.len), Relaxed);
        let again = payload_bytes(frame.offset, fresh_from - frame.offset);
        self.meter.resent.fetch_add(again, Relaxed);
    }

    fn read(&self, plaintext: &[u8], found: &mut dyn FnMut(StreamFrame)) {
        if !stream_frames(plaintext, found) {
            self.meter.unreadable.fetch_add(1, Relaxed);
        }
    }
}

impl PacketKey for MeteredKey {
    fn encrypt(&self, packet: u64, buf: &mut [u8], header_len: usize) {
        let end = buf.len() - self.inner.tag_len();
        self.read(&buf[header_len..end], &mut |frame| self.on_sent(frame));
        self.inner.encrypt(packet, buf, header_len);
    }

    fn decrypt(
        &self,
        packet: u64,
        header: &[u8],
        payload: &mut BytesMut,
    ) -> Result<(), CryptoError> {
        self.inner.decrypt(packet, header, payload)?;
        self.read(payload, &mut |frame| {
            self.meter.received.fetch_add(payload_bytes(frame.offset, frame.len), Relaxed);
        });
        Ok(())
    }

    fn tag_len(&self) -> usize {
        self.inner.tag_len()
    }

    fn confidentiality_limit(&self) -> u64 {
        self.inner.confidentiality_limit()
    }

    fn integrity_limit(&self) -> u64 {
        self.inner.integrity_limit()
    }
}
