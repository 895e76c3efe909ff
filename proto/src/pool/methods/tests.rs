use super::*;

#[test]
fn a_name_ends_at_the_first_zero() {
    let split = |metadata: &'static str| {
        let metadata = Bytes::from(metadata);
        (Bytes::copy_from_slice(name_of(&metadata)), arguments_of(&metadata))
    };
    assert_eq!(split("echo"), ("echo".into(), "".into()));
    assert_eq!(split("get\0a\0b"), ("get".into(), "a\0b".into()));
    assert_eq!(split("\0x"), ("".into(), "x".into()));
    assert_eq!(split("x\0"), ("x".into(), "".into()));
    assert_eq!(split(""), ("".into(), "".into()));
}
