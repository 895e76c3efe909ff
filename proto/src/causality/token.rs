//! Names of transfers in a causality map.

use core::fmt;

/// Names a map, so that the tokens of another are told apart. The caller chooses it: maps whose
/// tokens can meet need different ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MapId(pub u64);

/// Bits of the slot in a name; the generation has the rest.
const SLOT_BITS: u32 = 24;

/// Slots that can be named.
pub(super) const SLOT_LIMIT: u32 = 1 << SLOT_BITS;

/// The generation that is never handed out: a slot that reaches it is retired.
pub(super) const LAST_GENERATION: u64 = (1 << (u64::BITS - SLOT_BITS)) - 1;

/// A slot, and how often it had been used before. A name is given to one transfer, once. [CAUS-1]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name(u64);

impl Name {
    pub(super) const fn new(slot: u32, generation: u64) -> Self {
        Self(generation << SLOT_BITS | slot as u64)
    }

    pub(super) const fn slot(self) -> u32 {
        (self.0 & (SLOT_LIMIT as u64 - 1)) as u32
    }

    pub(super) const fn generation(self) -> u64 {
        self.0 >> SLOT_BITS
    }
}

/// Names one transfer of one map, for good: no other transfer of the map ever has the same token.
///
/// A token is a plain value and keeps nothing alive; a [`TokenGuard`](super::TokenGuard) also keeps
/// a failure from being forgotten.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    pub(super) map: MapId,
    pub(super) name: Name,
}

impl Token {
    /// The token that is `wire` in packets, reports and logs of the map `map`.
    pub const fn from_wire(map: MapId, wire: u64) -> Self {
        Self { map, name: Name(wire) }
    }

    /// The token without its map: slot in the lower 24 bits, generation above. Unique in the map,
    /// hence the correlation id of its transfer.
    pub const fn to_wire(self) -> u64 {
        self.name.0
    }

    /// The map it belongs to.
    pub const fn map(self) -> MapId {
        self.map
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { map, name } = self;
        write!(f, "Token({:x}.{}.{})", map.0, name.generation(), name.slot())
    }
}

impl fmt::Display for Token {
    /// As it stands in logs: generation and slot.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.name.generation(), self.name.slot())
    }
}

/// A token that a map cannot answer for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It belongs to another map.
    #[error("token {token} belongs to another causality map")]
    Foreign {
        /// The token.
        token: Token,
    },
    /// The map has not given it to anyone.
    #[error("token {token} was never allocated")]
    Unknown {
        /// The token.
        token: Token,
    },
    /// Its transfer has ended, and its slot is free or in use again. It succeeded, or it failed and
    /// nobody held it.
    #[error("the transfer of token {token} has ended")]
    Ended {
        /// The token.
        token: Token,
    },
}

const _: () = assert!(size_of::<Token>() == 16);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_round_trip_through_64_bits() {
        for (slot, generation) in
            [(0, 0), (SLOT_LIMIT - 1, 0), (0, LAST_GENERATION), (0x12_3456, 0x78_9abc_def0)]
        {
            let name = Name::new(slot, generation);
            assert_eq!((name.slot(), name.generation()), (slot, generation));
            let token = Token { map: MapId(7), name };
            assert_eq!(Token::from_wire(MapId(7), token.to_wire()), token);
            assert_ne!(Token::from_wire(MapId(8), token.to_wire()), token);
        }
        assert_eq!(Name::new(SLOT_LIMIT - 1, LAST_GENERATION).0, u64::MAX);
    }

    #[test]
    fn a_token_reads_as_generation_and_slot() {
        let token = Token { map: MapId(0xab), name: Name::new(3, 9) };
        assert_eq!(
            (format!("{token}"), format!("{token:?}")),
            ("9.3".into(), "Token(ab.9.3)".into())
        );
    }
}
