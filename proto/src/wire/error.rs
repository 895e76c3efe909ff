//! What can be wrong with bytes from the network.

/// Bytes that are not a packet or frame of this protocol [WIRE-3].
/// Network noise, never the caller's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// It ends before a field does.
    #[error("the bytes end inside {field}")]
    Truncated {
        /// The field.
        field: &'static str,
    },
    /// Bytes follow where nothing may.
    #[error("bytes follow the end of {field}")]
    TrailingBytes {
        /// What they follow.
        field: &'static str,
    },
    /// The first byte names no packet.
    #[error("no packet has the tag {tag:#04x}")]
    UnknownTag {
        /// The byte.
        tag: u8,
    },
    /// A variable-length integer takes more bytes than its value needs.
    #[error("{field} is not encoded in as few bytes as possible")]
    NonMinimal {
        /// The field.
        field: &'static str,
    },
    /// A reserved field or bit is not zero.
    #[error("the reserved bits of {field} are not zero")]
    Reserved {
        /// The field.
        field: &'static str,
    },
    /// A value that the field cannot have.
    #[error("{field} has an impossible value")]
    OutOfRange {
        /// The field.
        field: &'static str,
    },
    /// The length field of a data packet is not the length of what follows.
    #[error("the length field does not match the payload")]
    LengthMismatch,
    /// A byte range without bytes.
    #[error("a range is empty")]
    EmptyRange,
    /// Byte ranges that are not ascending, overlap or touch.
    #[error("ranges overlap, touch or are not ascending")]
    RangeOrder,
    /// A byte range that ends past what it is a range of.
    #[error("a range ends past the size")]
    RangePastEnd,
    /// A list that must have entries has none.
    #[error("{field} is empty")]
    EmptyList {
        /// The field.
        field: &'static str,
    },
    /// A list says that it has more entries than its bytes can hold.
    #[error("{field} has fewer entries than it says")]
    ListTooLong {
        /// The field.
        field: &'static str,
    },
    /// Parameters that are not ascending by id, or repeat one.
    #[error("the parameters are not ascending by id")]
    ParamOrder,
    /// Text that is not UTF-8.
    #[error("{field} is not UTF-8")]
    NotText {
        /// The field.
        field: &'static str,
    },
}

impl DecodeError {
    /// The variant's name, as test vectors give it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Truncated { .. } => "Truncated",
            Self::TrailingBytes { .. } => "TrailingBytes",
            Self::UnknownTag { .. } => "UnknownTag",
            Self::NonMinimal { .. } => "NonMinimal",
            Self::Reserved { .. } => "Reserved",
            Self::OutOfRange { .. } => "OutOfRange",
            Self::LengthMismatch => "LengthMismatch",
            Self::EmptyRange => "EmptyRange",
            Self::RangeOrder => "RangeOrder",
            Self::RangePastEnd => "RangePastEnd",
            Self::EmptyList { .. } => "EmptyList",
            Self::ListTooLong { .. } => "ListTooLong",
            Self::ParamOrder => "ParamOrder",
            Self::NotText { .. } => "NotText",
        }
    }
}
