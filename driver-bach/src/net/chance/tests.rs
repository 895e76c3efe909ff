use super::*;
use crate::net::{GilbertElliott, Reordering};

const DRAWS: usize = 100_000;

fn fates(spec: &RandomFaults, seed: u64) -> Vec<Fate> {
    let mut chances = Chances::new(spec, 2, seed).unwrap();
    (0..DRAWS).map(|_| chances.draw(1)).collect()
}

fn share(fates: &[Fate], is: impl Fn(&Fate) -> bool) -> f64 {
    fates.iter().filter(|fate| is(fate)).count() as f64 / fates.len() as f64
}

#[test]
fn nothing_can_happen_by_default() {
    assert!(Chances::new(&RandomFaults::default(), 1, 1).is_none());
}

#[test]
fn certain_and_impossible_are_exact() {
    let mut rng = Jitter::new(1);
    for _ in 0..10_000 {
        assert!(Chance::new(1.0).strikes(&mut rng));
        assert!(!Chance::new(0.0).strikes(&mut rng));
    }
}

#[test]
fn shares_are_as_told() {
    let spec = RandomFaults {
        loss: 0.05,
        burst: None,
        reordering: Some(Reordering { probability: 0.3, extra_delay_ns: 7 }),
        duplication: 0.02,
        corruption: 0.5,
    };
    let fates = fates(&spec, 3);
    let arrived = 0.95;
    for (what, expected, seen) in [
        ("loss", 0.05, share(&fates, |fate| fate.loss == Some(Loss::Random))),
        ("reordering", arrived * 0.3, share(&fates, |fate| fate.held_back.is_some())),
        ("duplication", arrived * 0.02, share(&fates, |fate| fate.duplicated)),
        ("corruption", arrived * 0.5, share(&fates, |fate| fate.corruption.is_some())),
    ] {
        // Half a percent is three standard deviations at the least.
        assert!((seen - expected).abs() < 0.005, "{what}: {seen}, not {expected}");
    }
    assert!(fates.iter().all(|fate| fate.held_back.is_none_or(|extra| extra == Picos(7_000))));
}

#[test]
fn bursts_are_as_long_and_as_frequent_as_told() {
    let burst =
        GilbertElliott { good_to_bad: 0.01, bad_to_good: 0.2, loss_good: 0.0, loss_bad: 1.0 };
    let spec = RandomFaults { burst: Some(burst), ..RandomFaults::default() };
    let lost: Vec<_> = fates(&spec, 5).iter().map(|fate| fate.loss.is_some()).collect();
    let losses = lost.iter().filter(|lost| **lost).count() as f64;
    let bursts = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count() as f64;
    // The mean length is 1 / 0.2, and the bad state's share 0.01 / (0.01 + 0.2).
    let (length, share) = (losses / bursts, losses / DRAWS as f64);
    assert!((4.6..5.4).contains(&length), "{length}");
    assert!((0.043..0.053).contains(&share), "{share}");
}

#[test]
fn states_lose_with_their_own_probability() {
    let burst =
        GilbertElliott { good_to_bad: 0.5, bad_to_good: 0.5, loss_good: 0.1, loss_bad: 0.5 };
    let spec = RandomFaults { burst: Some(burst), ..RandomFaults::default() };
    let seen = share(&fates(&spec, 6), |fate| fate.loss == Some(Loss::Burst));
    assert!((seen - 0.3).abs() < 0.005, "{seen}");
}

#[test]
fn links_draw_apart_and_seeds_repeat() {
    let spec = RandomFaults { loss: 0.5, ..RandomFaults::default() };
    assert_eq!(fates(&spec, 1), fates(&spec, 1));
    assert_ne!(fates(&spec, 1), fates(&spec, 2));
    let mut chances = Chances::new(&spec, 2, 1).unwrap();
    // Draws for another link in between change nothing.
    let mixed: Vec<_> = (0..DRAWS).map(|_| (chances.draw(0), chances.draw(1)).1).collect();
    assert_eq!(mixed, fates(&spec, 1));
}

#[test]
fn corruption_changes_exactly_one_byte() {
    let mut rng = Jitter::new(1);
    let mut touched = [false; 16];
    for _ in 0..1_000 {
        let mut payload = [0; 16];
        corrupt(&mut payload, rng.next_u64());
        assert_eq!(payload.iter().filter(|byte| **byte != 0).count(), 1);
        payload.iter().zip(&mut touched).for_each(|(byte, touched)| *touched |= *byte != 0);
    }
    assert!(touched.iter().all(|touched| *touched));
    corrupt(&mut [], 1);
    let mut payload = [5];
    corrupt(&mut payload, 0);
    assert_ne!(payload, [5]);
}
