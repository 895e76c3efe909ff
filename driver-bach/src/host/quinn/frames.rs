//! The STREAM frames of a packet's plaintext (RFC 9000, section 12.4).

/// Where the bytes of one STREAM frame belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StreamFrame {
    /// The stream's id.
    pub(super) stream: u64,
    /// Offset of the first byte.
    pub(super) offset: u64,
    /// Number of bytes; 0 for a frame that only ends the stream.
    pub(super) len: u64,
}

/// Hands over every STREAM frame of a packet's plaintext, in order.
///
/// Returns `false` if it met a frame that it cannot read; what follows that one is not looked at.
pub(super) fn stream_frames(plaintext: &[u8], found: &mut dyn FnMut(StreamFrame)) -> bool {
    let mut reader = Reader { rest: plaintext };
    while !reader.rest.is_empty() {
        if reader.frame(found).is_none() {
            return false;
        }
    }
    true
}

/// What is left of a plaintext; each read is `None` at its end.
struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    /// Reads one frame of any type.
    fn frame(&mut self, found: &mut dyn FnMut(StreamFrame)) -> Option<()> {
        match self.varint()? {
            // PADDING, PING, HANDSHAKE_DONE, IMMEDIATE_ACK
            0x00 | 0x01 | 0x1e | 0x1f => Some(()),
            kind @ (0x02 | 0x03) => self.ack(kind == 0x03),
            kind @ 0x08..=0x0f => {
                found(self.stream(kind)?);
                Some(())
            }
            // MAX_DATA, MAX_STREAMS, DATA_BLOCKED, STREAMS_BLOCKED, RETIRE_CONNECTION_ID
            0x10 | 0x12..=0x14 | 0x16 | 0x17 | 0x19 => self.varints(1),
            // STOP_SENDING, MAX_STREAM_DATA, STREAM_DATA_BLOCKED
            0x05 | 0x11 | 0x15 => self.varints(2),
            // RESET_STREAM
            0x04 => self.varints(3),
            // ACK_FREQUENCY
            0xaf => self.varints(4),
            // CRYPTO
            0x06 => {
                self.varints(1)?;
                self.bytes()
            }
            // NEW_TOKEN, and DATAGRAM with a length
            0x07 | 0x31 => self.bytes(),
            // NEW_CONNECTION_ID
            0x18 => {
                self.varints(2)?;
                let len = *self.rest.first()?;
                self.skip(1 + u64::from(len) + 16)
            }
            // PATH_CHALLENGE, PATH_RESPONSE
            0x1a | 0x1b => self.skip(8),
            // CONNECTION_CLOSE
            kind @ (0x1c | 0x1d) => {
                self.varints(if kind == 0x1c { 2 } else { 1 })?;
                self.bytes()
            }
            _ => None,
        }
    }

    /// The rest of an ACK frame.
    fn ack(&mut self, ecn: bool) -> Option<()> {
        self.varints(2)?;
        let ranges = self.varint()?;
        self.varints(1 + 2 * ranges + if ecn { 3 } else { 0 })
    }

    /// The rest of a STREAM frame whose type is `kind`.
    fn stream(&mut self, kind: u64) -> Option<StreamFrame> {
        let stream = self.varint()?;
        let offset = if kind & 0x04 == 0 { 0 } else { self.varint()? };
        let len = if kind & 0x02 == 0 { self.rest.len() as u64 } else { self.varint()? };
        self.skip(len)?;
        Some(StreamFrame { stream, offset, len })
    }

    /// Skips `count` variable-length integers.
    fn varints(&mut self, count: u64) -> Option<()> {
        (0..count).try_for_each(|_| self.varint().map(drop))
    }

    /// Skips a length and that many bytes.
    fn bytes(&mut self) -> Option<()> {
        let len = self.varint()?;
        self.skip(len)
    }

    fn skip(&mut self, len: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(len).ok()?..)?;
        Some(())
    }

    /// A variable-length integer (RFC 9000, section 16).
    fn varint(&mut self) -> Option<u64> {
        let first = *self.rest.first()?;
        let (bytes, rest) = self.rest.split_at_checked(1 << (first >> 6))?;
        self.rest = rest;
        let tail = bytes[1..].iter();
        Some(tail.fold(u64::from(first & 0x3f), |value, byte| value << 8 | u64::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(plaintext: &[u8]) -> (Vec<StreamFrame>, bool) {
        let mut found = Vec::new();
        let read = stream_frames(plaintext, &mut |frame| found.push(frame));
        (found, read)
    }

    #[test]
    fn stream_frames_are_found_among_others() {
        let plaintext = [
            &[0x00, 0x01][..],                           // PADDING, PING
            &[0x02, 0x05, 0x00, 0x01, 0x00, 0x00, 0x00], // ACK with two ranges
            &[0x03, 0x05, 0x00, 0x00, 0x00, 1, 2, 3],    // ACK with ECN counts
            &[0x0a, 0x02, 0x03, 1, 2, 3],                // STREAM 2 at 0, three bytes
            &[0x11, 0x02, 0x40, 0x80],                   // MAX_STREAM_DATA
            &[0x18, 1, 0, 2, 9, 9],                      // NEW_CONNECTION_ID …
            &[0; 16],                                    // … and its reset token
            &[0x40, 0xaf, 1, 2, 3, 4],                   // ACK_FREQUENCY
            &[0x0d, 0x06, 0x7f, 0xff, 7, 7],             // STREAM 6 at 16,383 to the end, FIN
        ]
        .concat();
        let expected = [
            StreamFrame { stream: 2, offset: 0, len: 3 },
            StreamFrame { stream: 6, offset: 16_383, len: 2 },
        ];
        assert_eq!(frames(&plaintext), (expected.to_vec(), true));
    }

    #[test]
    fn every_truncation_and_unknown_type_is_refused() {
        let stream = [0x0e, 0x02, 0x40, 0x40, 0x02, 1, 2];
        for len in 1..stream.len() {
            assert_eq!(frames(&stream[..len]), (vec![], false), "{len}");
        }
        assert_eq!(frames(&[0x21]), (vec![], false));
        assert_eq!(frames(&[]), (vec![], true));
    }
}
