use super::*;

#[test]
fn the_defaults_pass_their_own_checks() {
    let limits = KeyLimits::default();
    let same = limits
        .with_epoch_packets(limits.epoch_packets())
        .and_then(|limits| limits.with_epoch_bytes(limits.epoch_bytes()))
        .and_then(|limits| limits.with_epoch_forgeries(limits.epoch_forgeries()))
        .and_then(|limits| limits.with_replay_window(limits.replay_window()))
        .and_then(|limits| limits.with_paths(limits.paths()))
        .and_then(|limits| limits.with_remote_workers(limits.remote_workers()))
        .and_then(|limits| limits.with_data_key_records(limits.data_key_records()))
        .and_then(|limits| limits.with_opening_keys(limits.opening_keys()))
        .unwrap()
        .with_keep_previous(limits.keep_previous());
    assert_eq!(same, limits);
}

/// [SEC-16]
#[test]
fn the_defaults_are_well_below_the_safe_bounds() {
    let limits = KeyLimits::default();
    assert!(limits.epoch_packets() * 2 <= KeyLimits::MAX_SEALS);
    assert!(limits.epoch_bytes() * 8 <= KeyLimits::MAX_BYTES);
    assert!(limits.data_key_records() * 8 <= KeyLimits::MAX_SEALS);
    // (blocks + packets)^2 / 2^129 <= 2^-64, with up to 5 more blocks a packet for header and tag.
    let blocks = u128::from(limits.epoch_bytes() / 16 + 5 * limits.epoch_packets());
    assert!((blocks + u128::from(limits.epoch_packets())).pow(2) <= 1 << (129 - 64));
}

#[test]
fn each_limit_out_of_range_has_its_error() {
    let limits = KeyLimits::default;
    for packets in [0, KeyLimits::MAX_SEALS + 1, u64::MAX] {
        assert_eq!(limits().with_epoch_packets(packets), Err(KeyLimitsError::EpochPackets));
        assert_eq!(limits().with_data_key_records(packets), Err(KeyLimitsError::DataKeyRecords));
    }
    assert_eq!(limits().with_epoch_bytes(0), Err(KeyLimitsError::EpochBytes));
    assert_eq!(limits().with_epoch_bytes(u64::MAX), Err(KeyLimitsError::EpochBytes));
    assert_eq!(limits().with_epoch_forgeries(0), Err(KeyLimitsError::EpochForgeries));
    assert_eq!(limits().with_epoch_forgeries(1 << 53), Err(KeyLimitsError::EpochForgeries));
    for numbers in [0, 32, 63, 65, 4095, 1 << 17] {
        assert_eq!(limits().with_replay_window(numbers), Err(KeyLimitsError::ReplayWindow));
    }
    for count in [0, 257] {
        assert_eq!(limits().with_paths(count), Err(KeyLimitsError::Paths));
        assert_eq!(limits().with_remote_workers(count), Err(KeyLimitsError::RemoteWorkers));
    }
    assert_eq!(limits().with_opening_keys(0), Err(KeyLimitsError::OpeningKeys));
}
