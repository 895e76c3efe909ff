//! What happens to frames by chance.

use serde::{Deserialize, Serialize};

/// Chances per frame, which act on the last link only: from the last switch to the receiving NIC.
///
/// A frame thus meets each of them once, whatever its path, and has used all the bandwidth that it
/// would have used. Every such link draws its own random numbers. The order is: loss, corruption,
/// reordering, duplication; the copy arrives together with the original.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomFaults {
    /// Probability that a frame is lost, independently of others.
    pub loss: f64,
    /// Losses in bursts, on top of the above.
    pub burst: Option<GilbertElliott>,
    /// Frames that later ones overtake.
    pub reordering: Option<Reordering>,
    /// Probability that a frame arrives twice.
    pub duplication: f64,
    /// Probability that a byte of the payload is changed. The UDP checksum is taken not to notice.
    pub corruption: f64,
}

/// The Gilbert-Elliott model: a link is in a good or a bad state, and starts in the good one.
///
/// With each frame it may first change the state, and then loses the frame with that state's
/// probability. Bad times last for 1 / `bad_to_good` frames on average.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GilbertElliott {
    /// Probability per frame of turning bad.
    pub good_to_bad: f64,
    /// Probability per frame of turning good.
    pub bad_to_good: f64,
    /// Probability of loss in the good state.
    pub loss_good: f64,
    /// Probability of loss in the bad state.
    pub loss_bad: f64,
}

/// Frames that later ones overtake.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reordering {
    /// Probability that a frame is held back.
    pub probability: f64,
    /// For how long, in nanoseconds.
    pub extra_delay_ns: u64,
}
