use super::{packet::checksum, *};
use crate::net::{Frame, PortId, Transmitter};

/// The blocks of a capture, as (type, body), with lengths checked at both ends.
fn blocks(mut bytes: &[u8]) -> Vec<(u32, &[u8])> {
    let mut blocks = Vec::new();
    while !bytes.is_empty() {
        let (kind, len) = (u32_at(bytes, 0), u32_at(bytes, 4) as usize);
        assert_eq!(len % 4, 0);
        let (block, rest) = bytes.split_at(len);
        assert_eq!(u32_at(block, len - 4) as usize, len);
        blocks.push((kind, &block[8..len - 4]));
        bytes = rest;
    }
    blocks
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn be16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn ends() -> (SocketAddr, SocketAddr) {
    (address("10.0.0.1:1111"), address("10.0.1.2:2222"))
}

#[test]
fn capture_begins_with_section_and_interface() {
    let mut writer = PcapWriter::new(Vec::new()).unwrap();
    writer.interface("nic0").unwrap();
    let bytes = writer.finish().unwrap();
    let blocks = blocks(&bytes);
    assert_eq!(blocks.len(), 2);
    let (kind, section) = blocks[0];
    assert_eq!((kind, u32_at(section, 0)), (0x0a0d_0d0a, 0x1a2b_3c4d));
    assert_eq!(section[4..], [1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
    let (kind, interface) = blocks[1];
    assert_eq!(kind, 1);
    // Ethernet, no limit; the name, nanoseconds, the end.
    assert_eq!(interface[..8], [1, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(interface[8..16], *b"\x02\0\x04\0nic0");
    assert_eq!(interface[16..], [9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn datagram_has_headers_that_parse() {
    let mut writer = PcapWriter::new(Vec::new()).unwrap();
    writer.interface("a").unwrap();
    let interface = writer.interface("b").unwrap();
    let at = Picos((5 << 32) * 1_000 + 1);
    writer.datagram(interface, at, ends(), Ecn::Ce, b"payload").unwrap();
    let bytes = writer.finish().unwrap();
    let (kind, body) = blocks(&bytes)[3];
    assert_eq!(kind, 6);
    let fields: Vec<_> = (0..5).map(|field| u32_at(body, field * 4)).collect();
    // The second interface, the time rounded up, and the length twice.
    assert_eq!(fields, [1, 5, 1, 49, 49]);
    let packet = &body[20..20 + 49];
    assert_eq!(body.len(), 20 + 52);
    assert_eq!(packet[..6], [2, 0, 10, 0, 1, 2]);
    assert_eq!(packet[6..12], [2, 0, 10, 0, 0, 1]);
    assert_eq!(be16(packet, 12), 0x0800);
    let ip = &packet[14..34];
    assert_eq!((ip[0], ip[1], be16(ip, 2), ip[9]), (0x45, 0b11, 35, 17));
    assert_eq!(ip[12..], [10, 0, 0, 1, 10, 0, 1, 2]);
    // A header with a right checksum sums up to nothing.
    assert_eq!(checksum(ip), 0);
    let udp = &packet[34..];
    assert_eq!((be16(udp, 0), be16(udp, 2), be16(udp, 4), be16(udp, 6)), (1_111, 2_222, 15, 0));
    assert_eq!(udp[8..], *b"payload");
}

#[test]
fn checksum_is_that_of_a_known_header() {
    let header = [
        0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0x00, 0x00, 0xc0, 0xa8, 0x00,
        0x01, 0xc0, 0xa8, 0x00, 0xc7,
    ];
    assert_eq!(checksum(&header), 0xb861);
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut writer = PcapWriter::new(Vec::new()).unwrap();
    let interface = writer.interface("a").unwrap();
    let mut put = |ends, payload: &[u8]| {
        writer.datagram(interface, Picos::ZERO, ends, Ecn::NotEct, payload).map_err(|e| e.kind())
    };
    assert_eq!(put(ends(), &[0; 65_507]), Ok(()));
    assert_eq!(put(ends(), &[0; 65_508]), Err(io::ErrorKind::InvalidInput));
    let mixed = (address("[::1]:1"), address("10.0.0.1:1"));
    assert_eq!(put(mixed, &[]), Err(io::ErrorKind::InvalidInput));
    let name = "n".repeat(65_536);
    assert_eq!(writer.interface(&name).map_err(|e| e.kind()), Err(io::ErrorKind::InvalidInput));
}

/// Takes so many bytes and then fails.
#[derive(Debug)]
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        if taken == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn capture_names_transmitters_and_keeps_its_first_error() {
    let (from, to) = ends();
    let frame = Frame { id: 0, from, to, ecn: Ecn::Ect0, control: false, payload: vec![7; 9] };
    let port = Transmitter::Port(PortId(3));
    let mut capture = Capture::new(Vec::new()).unwrap();
    capture.handle_frame(port, Picos(1), &frame);
    capture.handle_frame(port, Picos(2), &frame);
    let bytes = capture.finish().unwrap();
    let kinds: Vec<_> = blocks(&bytes).iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [0x0a0d_0d0a, 1, 6, 6]);
    assert_eq!(blocks(&bytes)[1].1[12..17], *b"port3");

    let mut capture = Capture::new(Full(100)).unwrap();
    capture.handle_frame(port, Picos(1), &Frame { payload: vec![0; 60_000], ..frame.clone() });
    capture.handle_frame(port, Picos(2), &frame);
    assert_eq!(capture.finish().map_err(|e| e.kind()).unwrap_err(), io::ErrorKind::StorageFull);
    // What still fits the buffer fails at the end.
    let mut capture = Capture::new(Full(100)).unwrap();
    capture.handle_frame(port, Picos(1), &frame);
    assert_eq!(capture.finish().map_err(|e| e.kind()).unwrap_err(), io::ErrorKind::StorageFull);
}
