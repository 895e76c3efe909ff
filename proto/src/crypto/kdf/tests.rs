use super::*;
use crate::crypto::testing::{hex, unhex};

/// RFC 5869, appendix A.1.
#[test]
fn hkdf_agrees_with_rfc_5869_case_1() {
    let prk = extract(&unhex("000102030405060708090a0b0c"), &[0x0b; 22]);
    assert_eq!(hex(&*prk), "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    let mut okm = [0; 42];
    expand(&prk, &[&unhex("f0f1f2f3f4"), &unhex("f5f6f7f8f9")], &mut okm);
    assert_eq!(
        hex(&okm),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    );
}

/// RFC 5869, appendix A.3: no salt, no info.
#[test]
fn hkdf_agrees_with_rfc_5869_case_3() {
    let prk = extract(&[], &[0x0b; 22]);
    assert_eq!(hex(&*prk), "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
    let mut okm = [0; 42];
    expand(&prk, &[], &mut okm);
    assert_eq!(
        hex(&okm),
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    );
}

/// RFC 4231, test case 2.
#[test]
fn mac_is_hmac_sha256_over_the_joined_parts() {
    let key = extract(b"a", b"b");
    assert_eq!(
        mac(&key, &[b"what do ya want ", b"for nothing?"]),
        *extract(&*key, b"what do ya want for nothing?")
    );
    assert_eq!(
        hex(&*extract(b"Jefe", b"what do ya want for nothing?")),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}

/// FIPS 180-4's "abc".
#[test]
fn hash_is_sha256_over_the_joined_parts() {
    assert_eq!(
        hex(&hash(&[b"a", b"bc"])),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn every_part_of_a_labelled_input_matters() {
    let secret = extract(b"salt", b"input");
    let derive = |label: &str, context: &[u8]| *derive_secret(&secret, label, context);
    let reference = derive("ab", b"cd");
    assert_ne!(reference, derive("abc", b"d"), "the border between label and context");
    assert_ne!(reference, derive("ab", b"ce"));
    assert_ne!(reference, derive("aa", b"cd"));
    let mut short = [0; 16];
    expand_label(&secret, "ab", b"cd", &mut short);
    assert_ne!(reference[..16], short, "the length enters");
}

/// [SEC-3]
#[test]
fn labels_are_distinct() {
    let all = [
        label::PSK_ID,
        label::PSK_PATH,
        label::HELLO_INIT,
        label::HELLO_REPLY,
        label::PATH_SECRET,
        label::SECRET_ID,
        label::CONTROL_KEY,
        label::CONTROL_IV,
        label::SECRET_CONTROL,
        label::UNKNOWN_SECRET,
        label::GENERATOR,
    ];
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len());
}
