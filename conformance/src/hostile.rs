//! Hostile inputs for decoders, the same in every run.
//!
//! A fuzzer explores; this is the short slice of it that every test run can afford.

/// Calls `target` with every sample, every way of cutting one short, `mutations` damaged copies of
/// each, and `random` inputs without any model.
pub fn each_input(
    samples: &[Vec<u8>],
    mutations: usize,
    random: usize,
    mut target: impl FnMut(&[u8]),
) {
    let mut dice = Dice(1);
    for sample in samples {
        for length in 0..=sample.len() {
            target(&sample[..length]);
        }
        for _ in 0..mutations {
            target(&damage(sample, &mut dice));
        }
    }
    for _ in 0..random {
        let magnitude = dice.below(12);
        let length = dice.below(1 << magnitude);
        let input: Vec<u8> = (0..length).map(|_| dice.byte()).collect();
        target(&input);
    }
}

/// Changes a few places of a sample: values at the edges of their range are the likeliest to hurt.
fn damage(sample: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = sample.to_vec();
    for _ in 0..=dice.below(3) {
        let place = dice.below(bytes.len() + 1);
        match dice.below(5) {
            0 => bytes.insert(place, dice.byte()),
            1 => bytes.truncate(place),
            kind => {
                let Some(byte) = bytes.get_mut(place) else { continue };
                match kind {
                    2 => *byte ^= 1 << dice.below(8),
                    3 => *byte = [0x00, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xff][dice.below(8)],
                    _ => *byte = dice.byte(),
                }
            }
        }
    }
    bytes
}

/// SplitMix64: enough for test inputs, and equal everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// A number under `bound`, which is small; 0 for 0.
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        self.next().checked_rem(bound).and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(samples: &[Vec<u8>], mutations: usize, random: usize) -> Vec<Vec<u8>> {
        let mut inputs = Vec::new();
        each_input(samples, mutations, random, |input| inputs.push(input.to_vec()));
        inputs
    }

    #[test]
    fn inputs_are_the_same_every_time() {
        let samples = [vec![1, 2, 3], Vec::new()];
        assert_eq!(inputs(&samples, 50, 50), inputs(&samples, 50, 50));
    }

    #[test]
    fn samples_and_their_prefixes_come_whole() {
        let expected: [&[u8]; 3] = [&[], &[1], &[1, 2]];
        assert_eq!(inputs(&[vec![1, 2]], 0, 0), expected);
    }

    #[test]
    fn damage_varies() {
        let mut damaged = inputs(&[vec![5; 20]], 200, 0).split_off(21);
        damaged.sort();
        damaged.dedup();
        assert!(damaged.len() > 100, "{}", damaged.len());
        assert!(inputs(&[], 0, 200).iter().any(|input| input.len() > 500));
    }
}
