use super::*;

#[test]
fn text_round_trips() {
    let psk = Psk::from_bytes(core::array::from_fn(|index| index as u8 * 7));
    let text = psk.to_text();
    assert_eq!(text.len(), "dcquic-psk-1:".len() + 64 + 1);
    assert!(text.ends_with('\n'));
    let parsed = Psk::parse(&text).unwrap();
    assert_eq!(*parsed.bytes, *psk.bytes);
    assert_eq!(parsed.id(), psk.id());
}

#[test]
fn surrounding_whitespace_and_capitals_are_accepted() {
    let text = format!(" dcquic-psk-1:{}\r\n", "AB".repeat(32));
    assert_eq!(*Psk::parse(&text).unwrap().bytes, [0xab; 32]);
}

#[test]
fn each_fault_of_the_text_has_its_error() {
    let digits = "0".repeat(64);
    assert_eq!(Psk::parse("").unwrap_err(), PskError::Prefix);
    assert_eq!(Psk::parse(&digits).unwrap_err(), PskError::Prefix);
    assert_eq!(Psk::parse(&format!("dcquic-psk-2:{digits}")).unwrap_err(), PskError::Prefix);
    assert_eq!(Psk::parse(&format!("dcquic-psk-1:{digits}0")).unwrap_err(), PskError::Length);
    assert_eq!(
        Psk::parse(&format!("dcquic-psk-1:{}", &digits[1..])).unwrap_err(),
        PskError::Length
    );
    assert_eq!(
        Psk::parse(&format!("dcquic-psk-1:{}g", &digits[1..])).unwrap_err(),
        PskError::Digit
    );
    assert_eq!(
        Psk::parse(&format!("dcquic-psk-1:{}é", &digits[2..])).unwrap_err(),
        PskError::Digit
    );
}

#[test]
fn ids_and_derived_secrets_differ_by_key_and_label() {
    let (one, two) = (Psk::from_bytes([1; 32]), Psk::from_bytes([2; 32]));
    assert_ne!(one.id(), two.id());
    assert_ne!(*one.derive("a"), *one.derive("b"));
    assert_ne!(*one.derive("a"), *two.derive("a"));
}
