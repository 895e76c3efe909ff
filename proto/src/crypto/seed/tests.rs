use super::*;

/// [SEC-2]
#[test]
fn same_seed_and_label_give_the_same_bytes() {
    let draw = |seed, label| {
        let mut rng = SecretRng::new(&Seed::from_bytes([seed; 32]), label);
        (rng.array::<100>(), rng.array::<3>())
    };
    assert_eq!(draw(1, "a"), draw(1, "a"));
    assert_ne!(draw(1, "a"), draw(1, "b"));
    assert_ne!(draw(1, "a"), draw(2, "a"));
}

#[test]
fn nothing_is_drawn_twice() {
    let mut rng = SecretRng::new(&Seed::from_bytes([9; 32]), "test");
    let mut seen = std::collections::BTreeSet::new();
    for len in 1..200 {
        let mut out = vec![0; len * 16];
        rng.fill(&mut out);
        for block in out.chunks(16) {
            assert!(seen.insert(block.to_vec()), "a block came twice");
        }
    }
}

/// [SEC-2]
#[test]
fn the_key_moves_on_with_every_fill() {
    let mut rng = SecretRng::new(&Seed::from_bytes([9; 32]), "test");
    let before = *rng.key;
    rng.fill(&mut []);
    assert_ne!(before, *rng.key);
}
