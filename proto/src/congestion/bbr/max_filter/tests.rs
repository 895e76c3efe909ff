use super::*;

#[test]
fn a_value_is_forgotten_after_two_windows() {
    let mut filter = MaxFilter::default();
    filter.update(10);
    filter.update(5);
    filter.advance();
    filter.update(7);
    assert_eq!(filter.get(), 10);
    filter.advance();
    assert_eq!(filter.get(), 7);
    // a window without values does not count
    filter.advance();
    assert_eq!(filter.get(), 7);
    filter.expire();
    assert_eq!(filter.get(), 0);
}
