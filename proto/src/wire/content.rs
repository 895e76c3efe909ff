//! What a message is besides its payload: the content type of TRANSFER_NOTIFY (spec 5.2).

use bytes::Bytes;

use super::codec::{Reader, Writer, varint_len};

/// The content type of a message, a set of flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Content(u8);

const HEADERS_ONLY: u8 = 1 << 0;
const SPLIT: u8 = 1 << 1;

impl Content {
    /// A content type: `headers_only` says that the message has no payload, not even an empty one;
    /// `split`, that headers follow the metadata in its field.
    pub const fn new(headers_only: bool, split: bool) -> Self {
        Self(if headers_only { HEADERS_ONLY } else { 0 } | if split { SPLIT } else { 0 })
    }

    /// The field of a notify; none if this version does not know the type.
    pub const fn from_wire(field: Option<u64>) -> Option<Self> {
        match field {
            None => Some(Self(0)),
            Some(flags @ 1..=3) => Some(Self(flags as u8)),
            Some(_) => None,
        }
    }

    /// The field of a notify; absent for an ordinary message.
    pub const fn to_wire(self) -> Option<u64> {
        if self.0 == 0 { None } else { Some(self.0 as u64) }
    }

    /// The message has no payload: it only carries headers, or the end of its direction.
    pub const fn is_headers_only(self) -> bool {
        self.0 & HEADERS_ONLY != 0
    }

    /// The metadata field holds a length, the metadata, and headers behind it.
    pub const fn is_split(self) -> bool {
        self.0 & SPLIT != 0
    }

    /// The metadata field for metadata with headers; the metadata itself without.
    pub fn join(metadata: Bytes, headers: &[u8]) -> (Bytes, bool) {
        if headers.is_empty() {
            return (metadata, false);
        }
        let mut field = vec![0; varint_len(metadata.len() as u64) + metadata.len() + headers.len()];
        let mut writer = Writer::new(&mut field);
        writer.counted(&metadata);
        writer.bytes(headers);
        (field.into(), true)
    }

    /// The length of the metadata and where it starts in its field; none if it ends too early.
    pub fn split(field: &[u8]) -> Option<(usize, usize)> {
        let mut reader = Reader::new(field);
        let metadata = reader.counted("metadata").ok()?;
        let start = field.len() - reader.rest().len() - metadata.len();
        Some((start, metadata.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_and_headers_share_a_field() {
        for (metadata, headers) in [("", "h"), ("route", "a: b"), ("route", "")] {
            let (field, split) = Content::join(Bytes::from(metadata), headers.as_bytes());
            assert_eq!(split, !headers.is_empty());
            if split {
                let (start, len) = Content::split(&field).unwrap();
                assert_eq!(&field[start..start + len], metadata.as_bytes());
                assert_eq!(&field[start + len..], headers.as_bytes());
            } else {
                assert_eq!(field, metadata);
            }
        }
        assert_eq!(Content::split(&[5, 1]), None);
        assert_eq!(Content::split(&[]), None);
    }

    #[test]
    fn unknown_types_are_told_apart() {
        for flags in 0..4 {
            let content = Content(flags);
            assert_eq!(Content::from_wire(content.to_wire()), Some(content));
        }
        assert_eq!(Content::from_wire(Some(0)), None, "absent is how nothing is said");
        assert_eq!(Content::from_wire(Some(4)), None);
    }
}
