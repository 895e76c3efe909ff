use super::*;

const GIGABIT: u64 = 1_000_000_000;

#[test]
fn usual_rates_are_exact() {
    for (gigabits, picos) in [(1, 8_000), (10, 800), (25, 320), (100, 80), (200, 40), (400, 20)] {
        let rate = Rate::new(gigabits * GIGABIT);
        assert_eq!(rate.span(1_500), Picos(1_500 * picos));
        assert_eq!(rate.bytes(Picos(1_500 * picos)), 1_500);
        assert_eq!(rate.bytes(Picos(1_499 * picos + 1)), 1_500);
        assert_eq!(rate.bytes(Picos(1_499 * picos)), 1_499);
    }
}

#[test]
fn other_rates_round_spans_up_and_give_whole_frames_back() {
    let rate = Rate::new(3 * GIGABIT);
    // 2,666.67 ps per byte.
    assert_eq!(rate.span(1), Picos(2_667));
    assert_eq!(rate.span(3), Picos(8_000));
    for bytes in 1..10_000 {
        assert_eq!(rate.bytes(rate.span(bytes)), bytes);
    }
}

#[test]
fn mean_gives_back_bytes_in_their_span() {
    let span = Picos(1_234_567);
    let rate = Rate::mean(10_000, span);
    assert!(rate.bytes(span).abs_diff(10_000) <= 1);
    assert_eq!(Rate::mean(0, span), Rate::new(1));
}
