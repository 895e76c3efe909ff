use super::*;
use crate::rng::Jitter;

#[test]
fn cube_roots_are_exact() {
    for root in (0..2_000).chain([1 << 20, (1 << 42) - 1, 5_000_000_000_000]) {
        let cube = u128::from(root) * u128::from(root) * u128::from(root);
        assert_eq!(cube_root(cube), root);
        if root > 0 {
            assert_eq!((cube_root(cube - 1), cube_root(cube + 1)), (root - 1, root.max(1)));
        }
    }
    let mut rng = Jitter::new(1);
    for _ in 0..10_000 {
        let value = u128::from(rng.next_u64()) << (rng.below(65) as u32);
        let root = u128::from(cube_root(value));
        assert!(root.pow(3) <= value);
        assert!((root + 1).checked_pow(3).is_none_or(|above| above > value));
    }
    assert_eq!(cube_root(u128::MAX), 6_981_463_658_331);
}

#[test]
fn extremes_saturate() {
    assert_eq!(scale(u64::MAX, u64::MAX, 0), u64::MAX);
    assert_eq!(scale(7, 1, 2), 3);
    assert_eq!(rate_bytes_per_sec(1, Duration::ZERO), None);
    assert_eq!(rate_bytes_per_sec(u64::MAX, Duration::from_nanos(1)), Some(u64::MAX));
    assert_eq!(rate_bytes_per_sec(125, Duration::from_nanos(100)), Some(1_250_000_000));
    assert_eq!(bytes_in(u64::MAX, Duration::MAX), u64::MAX);
    assert_eq!(bytes_in(1_250_000_000, Duration::from_micros(100)), 125_000);
}
