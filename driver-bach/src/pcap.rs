//! Captures for packet analysers, in the pcapng format.
//!
//! A [`PcapWriter`] puts UDP payloads into Ethernet, IPv4 and UDP headers, and writes each as one
//! enhanced packet block. A [`Capture`] does so for all that a
//! [`Network`](crate::net::Network) transmits, with one interface per NIC and port.

use core::net::SocketAddr;
use std::io::{self, BufWriter, Write};

use dcquic_proto::link::Ecn;

use self::packet::headers;
use crate::net::Picos;

mod capture;
mod packet;

pub use capture::Capture;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
/// Tells readers the order of bytes.
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// The link type of Ethernet.
const ETHERNET: u16 = 1;
const OPTION_END: u16 = 0;
const OPTION_NAME: u16 = 2;
const OPTION_TIME_RESOLUTION: u16 = 9;
/// Times are in units of 10^-9 seconds.
const NANOSECONDS: u8 = 9;

/// Bytes around the body of a block: its type, and its length at both ends.
const BLOCK_BYTES: usize = 12;
/// Bytes before the packet in the body of an enhanced packet block.
const PACKET_FIELDS: usize = 20;

/// An interface of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface(u32);

/// Writes a capture to `W`, through a buffer.
#[derive(Debug)]
pub struct PcapWriter<W: Write> {
    out: BufWriter<W>,
    interfaces: u32,
}

impl<W: Write> PcapWriter<W> {
    /// Begins a capture.
    ///
    /// # Errors
    /// The output fails.
    pub fn new(out: W) -> io::Result<Self> {
        let mut writer = Self { out: BufWriter::new(out), interfaces: 0 };
        let mut body = Vec::new();
        body.extend(BYTE_ORDER_MAGIC.to_le_bytes());
        // Version 1.0.
        body.extend(1_u16.to_le_bytes());
        body.extend(0_u16.to_le_bytes());
        // The length of the section is not known.
        body.extend(u64::MAX.to_le_bytes());
        writer.block(SECTION_HEADER, &[&body])?;
        Ok(writer)
    }

    /// Adds an interface.
    ///
    /// # Errors
    /// The output fails, or the name has more than 65,535 bytes.
    pub fn interface(&mut self, name: &str) -> io::Result<Interface> {
        let mut body = Vec::new();
        body.extend(ETHERNET.to_le_bytes());
        body.extend(0_u16.to_le_bytes());
        // Packets are never cut.
        body.extend(0_u32.to_le_bytes());
        option(&mut body, OPTION_NAME, name.as_bytes())?;
        option(&mut body, OPTION_TIME_RESOLUTION, &[NANOSECONDS])?;
        option(&mut body, OPTION_END, &[])?;
        self.block(INTERFACE_DESCRIPTION, &[&body])?;
        let interface = Interface(self.interfaces);
        self.interfaces += 1;
        Ok(interface)
    }

    /// Writes one UDP datagram; its time is rounded up to a nanosecond.
    ///
    /// # Errors
    /// The output fails, an address is not of IPv4, or the payload is larger than UDP allows.
    pub fn datagram(
        &mut self,
        interface: Interface,
        at: Picos,
        (from, to): (SocketAddr, SocketAddr),
        ecn: Ecn,
        payload: &[u8],
    ) -> io::Result<()> {
        let headers = headers(from, to, ecn, payload.len())?;
        let nanos = at.nanos_ceil();
        // The payload is known to be small enough.
        let len = (headers.len() + payload.len()) as u32;
        let mut fields = [0; PACKET_FIELDS];
        let parts = [interface.0, (nanos >> 32) as u32, nanos as u32, len, len];
        for (field, part) in fields.chunks_exact_mut(4).zip(parts) {
            field.copy_from_slice(&part.to_le_bytes());
        }
        self.block(ENHANCED_PACKET, &[&fields, &headers, payload])
    }

    /// Ends the capture, and gives back the output.
    ///
    /// # Errors
    /// The output fails.
    pub fn finish(self) -> io::Result<W> {
        self.out.into_inner().map_err(io::IntoInnerError::into_error)
    }

    /// Writes a block with a body in parts.
    fn block(&mut self, kind: u32, parts: &[&[u8]]) -> io::Result<()> {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let padding = len.next_multiple_of(4) - len;
        let total = u32::try_from(BLOCK_BYTES + len + padding).map_err(io::Error::other)?;
        self.out.write_all(&kind.to_le_bytes())?;
        self.out.write_all(&total.to_le_bytes())?;
        parts.iter().try_for_each(|part| self.out.write_all(part))?;
        self.out.write_all(&[0; 3][..padding])?;
        self.out.write_all(&total.to_le_bytes())
    }
}

/// Adds an option of a block, padded.
fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) -> io::Result<()> {
    let too_long = |_| io::Error::new(io::ErrorKind::InvalidInput, "the name is too long");
    let len = u16::try_from(value.len()).map_err(too_long)?;
    body.extend(code.to_le_bytes());
    body.extend(len.to_le_bytes());
    body.extend(value);
    body.resize(body.len().next_multiple_of(4), 0);
    Ok(())
}

#[cfg(test)]
mod tests;
