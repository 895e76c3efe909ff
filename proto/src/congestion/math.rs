//! Integer arithmetic that saturates, the same on every platform.

use core::time::Duration;

const NANOS_PER_SEC: u128 = 1_000_000_000;

fn saturate(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// `value * numerator / denominator`, rounded down; a denominator of 0 counts as 1.
pub(super) fn scale(value: u64, numerator: u64, denominator: u64) -> u64 {
    saturate(u128::from(value) * u128::from(numerator) / u128::from(denominator.max(1)))
}

/// The rate at which `bytes` pass in `span`; `None` if that takes no time.
pub(super) fn rate_bytes_per_sec(bytes: u64, span: Duration) -> Option<u64> {
    Some(saturate((u128::from(bytes) * NANOS_PER_SEC).checked_div(span.as_nanos())?))
}

/// The bytes that pass at a rate in `span`.
pub(super) fn bytes_in(rate_bytes_per_sec: u64, span: Duration) -> u64 {
    saturate(u128::from(rate_bytes_per_sec).saturating_mul(span.as_nanos()) / NANOS_PER_SEC)
}

/// The largest integer whose cube is not above `value`, by Newton's method.
pub(super) fn cube_root(value: u128) -> u64 {
    if value == 0 {
        return 0;
    }
    // a power of two that is not below the root: from above, the sequence falls to the root
    let bits = 128 - value.leading_zeros();
    let mut root: u128 = 1 << bits.div_ceil(3);
    loop {
        let next = (2 * root + value / (root * root)) / 3;
        if next >= root {
            return saturate(root);
        }
        root = next;
    }
}

#[cfg(test)]
mod tests;
