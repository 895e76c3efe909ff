//! A message on a stream: a header of 16 bytes, then payload from one fixed pattern.

use bytes::Bytes;

/// Bytes before the payload: transfer (4), zero (4), size (8), big-endian.
pub(super) const HEADER_BYTES: u64 = 16;

/// Length of the pattern that payload repeats.
const PATTERN_BYTES: usize = 1 << 16;

/// What all payload is cut from, so that sending copies and allocates nothing.
static PATTERN: [u8; PATTERN_BYTES] = pattern();

const fn pattern() -> [u8; PATTERN_BYTES] {
    let mut bytes = [0; PATTERN_BYTES];
    let mut at = 0;
    while at < PATTERN_BYTES {
        // the high byte counts in, so that a shift by 256 bytes is noticed
        bytes[at] = (at as u8) ^ ((at >> 8) as u8).wrapping_mul(31);
        at += 1;
    }
    bytes
}

/// Which part of `len` bytes at `offset` of a stream is payload.
pub(super) fn payload_bytes(offset: u64, len: u64) -> u64 {
    offset.saturating_add(len).max(HEADER_BYTES) - offset.max(HEADER_BYTES)
}

/// A message on its way out.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// The transfer's number.
    pub(super) transfer: u32,
    size: u64,
    /// Bytes that the stream took, the header's included.
    written: u64,
}

impl Outgoing {
    pub(super) fn new(transfer: u32, size: u64) -> Self {
        Self { transfer, size, written: 0 }
    }

    /// The next bytes to write; `None` at the end.
    pub(super) fn next(&self) -> Option<Bytes> {
        let Some(at) = self.written.checked_sub(HEADER_BYTES) else {
            let mut header = [0; HEADER_BYTES as usize];
            header[..4].copy_from_slice(&self.transfer.to_be_bytes());
            header[8..].copy_from_slice(&self.size.to_be_bytes());
            return Some(Bytes::copy_from_slice(&header[self.written as usize..]));
        };
        let start = (at % PATTERN_BYTES as u64) as usize;
        let len = (self.size - at).min((PATTERN_BYTES - start) as u64) as usize;
        (len > 0).then(|| Bytes::from_static(&PATTERN[start..start + len]))
    }

    /// Notes that the stream took `bytes` more.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.written += bytes as u64;
    }
}

/// A message on its way in.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    header: [u8; HEADER_BYTES as usize],
    /// Bytes read so far, the header's included.
    read: u64,
    damaged: bool,
}

impl Incoming {
    /// Takes the next bytes of the stream; returns how many of them are payload.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> u64 {
        let payload = payload_bytes(self.read, bytes.len() as u64);
        if let Some(room) = self.header.get_mut(self.read as usize..) {
            let (head, rest) = bytes.split_at(room.len().min(bytes.len()));
            room[..head.len()].copy_from_slice(head);
            self.read += head.len() as u64;
            bytes = rest;
        }
        while !bytes.is_empty() {
            let at = ((self.read - HEADER_BYTES) % PATTERN_BYTES as u64) as usize;
            let (part, rest) = bytes.split_at(bytes.len().min(PATTERN_BYTES - at));
            self.damaged |= part != &PATTERN[at..at + part.len()];
            self.read += part.len() as u64;
            bytes = rest;
        }
        payload
    }

    /// The transfer's number, once the header is there.
    pub(super) fn transfer(&self) -> Option<u32> {
        let [a, b, c, d, ..] = self.header;
        (self.read >= HEADER_BYTES).then_some(u32::from_be_bytes([a, b, c, d]))
    }

    /// Whether this is the whole message, with the payload that was sent.
    pub(super) fn is_whole(&self) -> bool {
        let [.., a, b, c, d, e, f, g, h] = self.header;
        let size = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        !self.damaged && self.read == HEADER_BYTES.saturating_add(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moves a message over in pieces of `piece` bytes.
    fn carry(size: u64, piece: usize) -> Incoming {
        let (mut from, mut to) = (Outgoing::new(7, size), Incoming::default());
        let mut payload = 0;
        while let Some(bytes) = from.next() {
            let bytes = bytes.slice(..bytes.len().min(piece));
            from.wrote(bytes.len());
            payload += to.take(&bytes);
        }
        assert_eq!(payload, size);
        to
    }

    #[test]
    fn messages_arrive_in_pieces_of_any_size() {
        for size in [0, 1, 16, 65_535, 65_536, 65_537, 200_000] {
            for piece in [1_000, 7, usize::MAX] {
                let message = carry(size, piece);
                assert!(message.is_whole(), "{size} in {piece}");
                assert_eq!(message.transfer(), Some(7));
            }
        }
    }

    #[test]
    fn damage_and_loss_are_noticed() {
        let mut message = Incoming::default();
        message.take(&Outgoing::new(1, 2).next().unwrap());
        assert!(!message.is_whole());
        message.take(&PATTERN[..1]);
        assert!(!message.is_whole());
        message.take(&PATTERN[..1]);
        assert!(!message.is_whole(), "a repeated byte is not the second one");
    }

    #[test]
    fn the_header_is_not_payload() {
        assert_eq!(payload_bytes(0, 10), 0);
        assert_eq!(payload_bytes(0, 16), 0);
        assert_eq!(payload_bytes(10, 10), 4);
        assert_eq!(payload_bytes(16, 10), 10);
        assert_eq!(payload_bytes(100, 0), 0);
    }
}
