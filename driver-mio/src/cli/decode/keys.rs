//! Opens a packet with keys given on the command line.

use std::path::PathBuf;

use dcquic_proto::{
    crypto::{KeyLimits, PathKeys, PathSecret, Suite, hello_observe},
    id::{Role, WorkerId},
    time::Timestamp,
    wire::PacketKind,
};
use zeroize::Zeroizing;

use crate::cli::{failure::Failure, hex, psk};

/// Where the key comes from.
#[derive(Debug, clap::Args)]
pub(crate) struct KeyOptions {
    /// The file with the pre-shared key of the two peers.
    #[arg(long, value_name = "FILE", requires = "init", requires = "reply")]
    psk: Option<PathBuf>,
    /// The HELLO_INIT packet between them, in hexadecimal or a file.
    #[arg(long, value_name = "HEX|FILE", requires = "psk")]
    init: Option<String>,
    /// The HELLO_REPLY packet that answered it, likewise.
    #[arg(long, value_name = "HEX|FILE", requires = "psk")]
    reply: Option<String>,
    /// What the TLS exporter gave them: 64 hexadecimal digits.
    #[arg(long, value_name = "HEX", conflicts_with = "psk")]
    exporter: Option<String>,
}

impl KeyOptions {
    /// The path secret that the options lead to, if there are any.
    pub(crate) fn secret(&self) -> Result<Option<PathSecret>, Failure> {
        if let Some(text) = &self.exporter {
            let exported = hex::decode(text).map(Zeroizing::new);
            let exported: Option<&[u8; 32]> =
                exported.as_ref().and_then(|bytes| bytes.as_slice().try_into().ok());
            return match exported {
                Some(exported) => Ok(Some(PathSecret::from_exporter(exported))),
                None => Err(Failure::new("--exporter takes 64 hexadecimal digits")),
            };
        }
        let (Some(psk), Some(init), Some(reply)) = (&self.psk, &self.init, &self.reply) else {
            return Ok(None);
        };
        let psk = psk::read(psk)?;
        let (init, reply) = (super::input(init)?, super::input(reply)?);
        hello_observe(&psk, &init, &reply)
            .map(Some)
            .map_err(|error| Failure::new(format_args!("no key follows from the hello: {error}")))
    }
}

/// A packet that proved authentic.
pub(crate) struct Opened {
    /// Which side of the hello sealed it.
    pub(crate) sender: &'static str,
    /// Its frames, if it has any.
    pub(crate) frames: Option<Vec<u8>>,
}

/// Opens `packet` with the keys of either direction and any cipher.
pub(crate) fn open(secret: &PathSecret, packet: &[u8]) -> Result<Opened, Failure> {
    let kind = PacketKind::peek(packet);
    if !matches!(kind, Some(PacketKind::Control | PacketKind::Data)) {
        return Err(Failure::new("a packet of this kind has no frames to open"));
    }
    let limits = KeyLimits::default()
        .with_remote_workers(256)
        .and_then(|limits| limits.with_paths(256))
        .map_err(Failure::new)?;
    let mut reason = None;
    for suite in [Suite::Aes128Gcm, Suite::Aes256Gcm] {
        for (receiver, sender) in [(Role::Responder, "initiator"), (Role::Initiator, "responder")] {
            let mut keys = PathKeys::new(secret, receiver, WorkerId(0), suite, limits);
            let mut copy = packet.to_vec();
            let opened = if kind == Some(PacketKind::Control) {
                keys.open_control(Timestamp::ZERO, &mut copy).map(|c| Some(c.frames.to_vec()))
            } else {
                keys.open_data(Timestamp::ZERO, &copy).map(|_| None)
            };
            match opened {
                Ok(frames) => return Ok(Opened { sender, frames }),
                Err(error) => reason = Some(error),
            }
        }
    }
    let reason = reason.map_or_else(String::new, |error| error.to_string());
    Err(Failure::new(format_args!("the key does not open the packet: {reason}")))
}
