use super::*;
use crate::crypto::{
    seed::Seed,
    testing::{hex, unhex},
};

fn rng(label: &str) -> SecretRng {
    SecretRng::new(&Seed::from_bytes([3; 32]), label)
}

fn keys(suite: Suite, records_per_key: u64) -> DataKeys {
    let limits = KeyLimits::default().with_data_key_records(records_per_key).unwrap();
    DataKeys::new(rng("data"), suite, &limits)
}

/// NIST's GCM test cases 4 and 16 (AES-128 and AES-256), without and with out-of-place calls.
#[test]
fn gcm_agrees_with_published_answers() {
    let half = "feffe9928665731c6d6a8f9467308308";
    let cases = [
        (
            Suite::Aes128Gcm,
            half.to_owned(),
            "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e\
             21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
            "5bc94fbc3221a5db94fae95ae7121a47",
        ),
        (
            Suite::Aes256Gcm,
            half.repeat(2),
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
             8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
            "76fc6ece0f4e1768cddf8853bb2d551b",
        ),
    ];
    let plain = unhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
         1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    );
    let aad = unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    for (suite, key, cipher, tag) in cases {
        let key = suite.expand_key(&unhex(&key));
        let nonce =
            || Nonce::try_assume_unique_for_key(&unhex("cafebabefacedbaddecaf888")).unwrap();
        let (mut text, mut made) = (vec![0; plain.len()], [0; 16]);
        key.seal_out_of_place_scatter(nonce(), Aad::from(&aad), &plain, &mut text, &[], &mut made)
            .unwrap();
        assert_eq!((hex(&text), hex(&made)), (cipher.to_owned(), tag.to_owned()), "{suite:?}");
        let mut in_place = plain.clone();
        key.seal_in_place_scatter(nonce(), Aad::from(&aad), &mut in_place, &[], &mut made).unwrap();
        assert_eq!((hex(&in_place), hex(&made)), (cipher.to_owned(), tag.to_owned()), "{suite:?}");
    }
    // Test case 1: nothing but a tag, as a data packet's header has.
    let key = Suite::Aes128Gcm.expand_key(&[0; 16]);
    let mut tag = [0; 16];
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    key.seal_in_place_scatter(nonce, Aad::empty(), &mut [], &[], &mut tag).unwrap();
    assert_eq!(hex(&tag), "58e2fccefa7e3061367f1d57a4e7455a");
}

#[test]
fn a_record_is_opened_by_its_key_and_number_only() {
    for suite in [Suite::Aes128Gcm, Suite::Aes256Gcm] {
        let mut keys = keys(suite, 100);
        keys.allocate(7).unwrap();
        let key = keys.allocate(3).unwrap();
        assert_eq!((key.first_record(), key.records()), (7, 3));
        assert_eq!(key.key_bytes().len(), suite.key_len());
        let mut cache = OpeningKeys::new(&mut rng("cache"), &KeyLimits::default());
        let opener = cache.get(key.key_bytes()).unwrap();
        let plain: Vec<u8> = (0..1000_u32).map(|byte| byte as u8).collect();
        let (mut sealed, mut opened) = (vec![0; 1016], vec![0xaa; 1000]);
        key.seal(2, &plain, &mut sealed).unwrap();
        opener.open(9, &sealed, &mut opened).unwrap();
        assert_eq!(opened, plain);
        let mut in_place = sealed.clone();
        opener.open_in_place(9, &mut in_place).unwrap();
        assert_eq!(in_place[..1000], plain);
        assert_eq!(opener.open(8, &sealed, &mut opened), Err(NotAuthentic));
        let mut other = key.key_bytes().to_vec();
        other[0] ^= 1;
        let other = cache.get(&other).unwrap();
        assert_eq!(other.open(9, &sealed, &mut opened), Err(NotAuthentic));
    }
}

/// [SEC-29]
#[test]
fn nothing_of_an_altered_record_is_left_in_the_output() {
    let key = keys(Suite::Aes128Gcm, 10).allocate(1).unwrap();
    let opener =
        OpeningKeys::new(&mut rng("cache"), &KeyLimits::default()).get(key.key_bytes()).unwrap();
    let plain = [0x5a; 100];
    let mut sealed = [0; 116];
    key.seal(0, &plain, &mut sealed).unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut altered = sealed;
        altered[bit / 8] ^= 1 << (bit % 8);
        let mut out = [0xff; 100];
        assert_eq!(opener.open(0, &altered, &mut out), Err(NotAuthentic));
        assert!(out.iter().all(|byte| *byte != 0x5a), "plaintext of a forged record");
        assert_eq!(opener.open_in_place(0, &mut altered), Err(NotAuthentic));
        let left = altered.windows(4).any(|window| window == [0x5a; 4]);
        assert!(!left, "plaintext of a forged record");
    }
}

#[test]
fn an_empty_record_is_a_tag() {
    let key = keys(Suite::Aes128Gcm, 10).allocate(1).unwrap();
    let mut sealed = [0; 16];
    key.seal(0, &[], &mut sealed).unwrap();
    let mut cache = OpeningKeys::new(&mut rng("cache"), &KeyLimits::default());
    let opener = cache.get(key.key_bytes()).unwrap();
    opener.open(0, &sealed, &mut []).unwrap();
    assert_eq!(opener.open(0, &sealed[1..], &mut []), Err(NotAuthentic));
}

#[test]
fn lengths_and_indexes_are_checked() {
    let key = keys(Suite::Aes128Gcm, 10).allocate(2).unwrap();
    assert_eq!(key.seal(2, &[1], &mut [0; 17]), Err(SealRecordError::Index));
    assert_eq!(key.seal(0, &[1], &mut [0; 16]), Err(SealRecordError::Length));
    assert_eq!(key.seal(0, &[1], &mut [0; 18]), Err(SealRecordError::Length));
    let mut cache = OpeningKeys::new(&mut rng("cache"), &KeyLimits::default());
    let opener = cache.get(key.key_bytes()).unwrap();
    let mut sealed = [0; 17];
    key.seal(0, &[1], &mut sealed).unwrap();
    assert_eq!(opener.open(0, &sealed, &mut [0; 2]), Err(NotAuthentic));
}

/// [SEC-27]
#[test]
fn no_record_number_of_a_key_is_given_out_twice() {
    let mut keys = keys(Suite::Aes128Gcm, 10);
    let mut seen = std::collections::BTreeSet::new();
    for round in 0..200_u64 {
        let key = keys.allocate(round % 11).unwrap();
        assert!(key.first_record() + key.records() <= 10);
        for index in 0..key.records() {
            let new = seen.insert((key.key_bytes().to_vec(), key.first_record() + index));
            assert!(new, "number given out twice");
        }
    }
    assert_eq!(keys.allocate(11).unwrap_err(), AllocateError { records: 11, limit: 10 });
}

/// [SEC-28]
#[test]
fn sealing_a_record_again_gives_the_same_bytes() {
    let key = keys(Suite::Aes128Gcm, 10).allocate(1).unwrap();
    let (mut one, mut two) = ([0; 48], [0; 48]);
    key.seal(0, &[7; 32], &mut one).unwrap();
    key.clone().seal(0, &[7; 32], &mut two).unwrap();
    assert_eq!(one, two);
}
