//! What a rate makes of bytes and of time.

use super::Picos;

/// Picoseconds that one byte takes at one bit per second.
const BYTE_PICOS: u64 = 8_000_000_000_000;

/// A rate of transmission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    bits_per_sec: u64,
    /// Picoseconds per byte where that is whole, as it is for the usual rates; otherwise 0.
    picos_per_byte: u64,
}

impl Rate {
    /// A rate; 0 counts as 1.
    pub(super) const fn new(bits_per_sec: u64) -> Self {
        let bits_per_sec = if bits_per_sec == 0 { 1 } else { bits_per_sec };
        let whole = BYTE_PICOS.is_multiple_of(bits_per_sec);
        Self { bits_per_sec, picos_per_byte: if whole { BYTE_PICOS / bits_per_sec } else { 0 } }
    }

    /// The rate at which so many bytes take so long.
    pub(super) fn mean(bytes: u64, span: Picos) -> Self {
        let bits = u128::from(bytes) * u128::from(BYTE_PICOS) / u128::from(span.0.max(1));
        Self::new(u64::try_from(bits).unwrap_or(u64::MAX))
    }

    /// The time that `bytes` take, rounded up.
    pub(super) fn span(self, bytes: u64) -> Picos {
        if self.picos_per_byte != 0 {
            return Picos(bytes.saturating_mul(self.picos_per_byte));
        }
        let picos = u128::from(bytes) * u128::from(BYTE_PICOS);
        let span = picos.div_ceil(u128::from(self.bits_per_sec));
        Picos(u64::try_from(span).unwrap_or(u64::MAX))
    }

    /// The bytes that `span` has room for. A byte that is partly sent still counts, except at rates
    /// where a byte takes a fraction of a picosecond: spans were rounded up there.
    pub(super) fn bytes(self, span: Picos) -> u64 {
        if self.picos_per_byte != 0 {
            return span.0.div_ceil(self.picos_per_byte);
        }
        let bytes = u128::from(span.0) * u128::from(self.bits_per_sec) / u128::from(BYTE_PICOS);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests;
