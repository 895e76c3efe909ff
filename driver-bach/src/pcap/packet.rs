//! The headers around a UDP payload.

use core::net::{Ipv4Addr, SocketAddr};
use std::io;

use dcquic_proto::link::Ecn;

/// Bytes of the Ethernet, IPv4 and UDP headers.
pub(super) const HEADER_BYTES: usize = ETHERNET_BYTES + IP_BYTES + UDP_BYTES;
const ETHERNET_BYTES: usize = 14;
const IP_BYTES: usize = 20;
const UDP_BYTES: usize = 8;

const ETHERTYPE_IPV4: u16 = 0x0800;
/// Version 4, and a header of five words.
const VERSION: u8 = 0x45;
const DONT_FRAGMENT: u16 = 0x4000;
const TIME_TO_LIVE: u8 = 64;
const PROTOCOL_UDP: u8 = 17;

/// The headers of a UDP datagram between two addresses.
///
/// Hardware addresses are local ones made of the IP addresses. The UDP checksum is 0, which means
/// that there is none.
pub(super) fn headers(
    from: SocketAddr,
    to: SocketAddr,
    ecn: Ecn,
    payload_len: usize,
) -> io::Result<[u8; HEADER_BYTES]> {
    let (SocketAddr::V4(from), SocketAddr::V4(to)) = (from, to) else {
        return Err(invalid("a capture has IPv4 addresses only"));
    };
    let too_long = |_| invalid("the payload exceeds 65,507 bytes");
    let ip_len = u16::try_from(IP_BYTES + UDP_BYTES + payload_len).map_err(too_long)?;
    let udp_len = ip_len - IP_BYTES as u16;
    let mut ip = [0; IP_BYTES];
    ip[0] = VERSION;
    ip[1] = ecn.bits();
    ip[2..4].copy_from_slice(&ip_len.to_be_bytes());
    ip[6..8].copy_from_slice(&DONT_FRAGMENT.to_be_bytes());
    ip[8] = TIME_TO_LIVE;
    ip[9] = PROTOCOL_UDP;
    ip[12..16].copy_from_slice(&from.ip().octets());
    ip[16..20].copy_from_slice(&to.ip().octets());
    let sum = checksum(&ip);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());

    let mut headers = [0; HEADER_BYTES];
    let (ethernet, rest) = headers.split_at_mut(ETHERNET_BYTES);
    ethernet[..6].copy_from_slice(&hardware_address(*to.ip()));
    ethernet[6..12].copy_from_slice(&hardware_address(*from.ip()));
    ethernet[12..].copy_from_slice(&ETHERTYPE_IPV4.to_be_bytes());
    let (ip_part, udp) = rest.split_at_mut(IP_BYTES);
    ip_part.copy_from_slice(&ip);
    udp[..2].copy_from_slice(&from.port().to_be_bytes());
    udp[2..4].copy_from_slice(&to.port().to_be_bytes());
    udp[4..6].copy_from_slice(&udp_len.to_be_bytes());
    Ok(headers)
}

/// A locally administered address.
fn hardware_address(ip: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = ip.octets();
    [2, 0, a, b, c, d]
}

/// The Internet checksum of an even number of bytes (RFC 1071).
pub(super) fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks_exact(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1]));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
