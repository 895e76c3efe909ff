use super::*;

const MS: Duration = Duration::from_millis(1);

#[test]
fn three_timeouts_of_silence_are_persistent_once() {
    let mut persistent = PersistentCongestion::default();
    assert!(!persistent.check(MS) && !persistent.check(Duration::ZERO));
    persistent.on_sent(Timestamp::ZERO);
    persistent.on_sent(Timestamp::from_nanos(2_999_999));
    assert!(!persistent.check(MS));
    persistent.on_sent(Timestamp::from_nanos(3_000_000));
    assert_eq!(persistent.silent_span(), MS * 3);
    assert!(persistent.check(MS));
    assert!(!persistent.check(MS));
}

#[test]
fn an_answer_begins_anew() {
    let mut persistent = PersistentCongestion::default();
    persistent.on_sent(Timestamp::ZERO);
    persistent.on_sent(Timestamp::from_micros(3_000));
    persistent.on_answered();
    assert!(!persistent.check(MS));
    persistent.on_sent(Timestamp::from_micros(4_000));
    assert!(!persistent.check(MS));
    persistent.on_sent(Timestamp::from_micros(7_000));
    assert!(persistent.check(MS));
}

#[test]
fn a_quiet_sender_is_not_congested() {
    let mut persistent = PersistentCongestion::default();
    persistent.on_sent(Timestamp::ZERO);
    assert!(!persistent.check(MS));
    // time that goes backwards is no silence either
    persistent.on_sent(Timestamp::MAX);
    persistent.on_sent(Timestamp::ZERO);
    assert!(!persistent.check(Duration::MAX));
}
