//! Placeholder.
/// Placeholder.
#[derive(Clone, Debug, Default)]
pub struct KeyLimits;
/// Placeholder.
#[derive(Clone, Debug, Default)]
pub struct Suite;
/// Placeholder.
#[derive(Clone, Debug, Default)]
pub struct Psk;
/// Placeholder.
#[derive(Clone, Debug, Default)]
pub struct Seed;
