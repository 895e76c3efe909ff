use std::collections::VecDeque;

use super::*;
use crate::crypto::seed::Seed;

fn cache(limit: u32) -> OpeningKeys {
    let mut rng = SecretRng::new(&Seed::from_bytes([3; 32]), "cache");
    OpeningKeys::new(&mut rng, &KeyLimits::default().with_opening_keys(limit).unwrap())
}

fn bytes(name: u16, long: bool) -> Vec<u8> {
    let mut bytes = vec![0; if long { 32 } else { 16 }];
    bytes[3..5].copy_from_slice(&name.to_be_bytes());
    bytes
}

/// The cache keeps exactly the keys that a plain list, most recent first, would keep.
#[test]
fn agrees_with_a_list_of_the_most_recent() {
    bolero::check!().with_type::<(u8, Vec<(u8, bool)>)>().for_each(|(limit, names)| {
        let limit = u32::from(limit % 9) + 1;
        let mut cache = cache(limit);
        let mut model: VecDeque<Vec<u8>> = VecDeque::new();
        for (name, long) in names {
            let bytes = bytes(u16::from(name % 16), *long);
            cache.get(&bytes).unwrap();
            model.retain(|known| *known != bytes);
            model.push_front(bytes);
            model.truncate(limit as usize);
            let kept: Vec<_> = listed(&cache);
            assert_eq!(kept, Vec::from(model.clone()));
        }
    });
}

fn listed(cache: &OpeningKeys) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut at = cache.newest;
    while let Some(slot) = cache.slots.get(at as usize) {
        out.push(slot.key.bytes().to_vec());
        at = slot.older;
    }
    assert_eq!(out.len(), cache.len());
    assert_eq!(out.len(), cache.index.len());
    out
}

#[test]
fn a_key_is_expanded_once_while_it_is_kept() {
    let mut cache = cache(2);
    let first = cache.get(&bytes(1, false)).unwrap();
    cache.get(&bytes(2, false)).unwrap();
    assert!(Arc::ptr_eq(&first.key, &cache.get(&bytes(1, false)).unwrap().key));
    cache.get(&bytes(3, false)).unwrap();
    cache.get(&bytes(4, false)).unwrap();
    assert!(!Arc::ptr_eq(&first.key, &cache.get(&bytes(1, false)).unwrap().key));
}

#[test]
fn a_key_of_no_suite_is_refused() {
    for len in [0, 15, 17, 24, 31, 33, 1000] {
        assert_eq!(cache(2).get(&vec![0; len]).unwrap_err(), DataKeyError { len });
    }
}
