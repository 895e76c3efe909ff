use super::*;

#[test]
fn the_profile_is_valid() {
    assert_eq!(CongestionConfig::default().validate(), Ok(()));
}

#[test]
fn a_bad_value_is_named() {
    let config = CongestionConfig { min_window_bytes: 2_799, ..CongestionConfig::default() };
    let error = config.validate().unwrap_err();
    assert_eq!(error.to_string(), "min_window_bytes is 2799, must be 2800 to 1099511627776");
    let config = CongestionConfig { initial_window_bytes: 1, ..CongestionConfig::default() };
    assert!(config.validate().unwrap_err().to_string().starts_with("initial_window_bytes is 1,"));
    let control = CongestionControl::FixedRate { bytes_per_sec: 0 };
    let config = CongestionConfig { control, ..CongestionConfig::default() };
    assert!(config.validate().unwrap_err().to_string().starts_with("bytes_per_sec is 0,"));
}
