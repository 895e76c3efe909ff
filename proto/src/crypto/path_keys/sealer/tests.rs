use super::*;
use crate::{
    crypto::Suite,
    id::{Role, WorkerId},
};

#[test]
fn after_the_last_epoch_nothing_is_sealed() {
    let secret = PathSecret::from_exporter(&[1; 32]);
    let limits = KeyLimits::default().with_epoch_packets(2).unwrap();
    let name = KeyName {
        sender: Role::Initiator,
        worker: WorkerId(0),
        epoch: Epoch(u32::MAX - 1),
        suite: Suite::default(),
    };
    let mut sealer = Sealer::new(&secret, name, &limits);
    let mut numbers = Vec::new();
    let refused = loop {
        match sealer.reserve(&secret, &limits, PathId::ZERO, 100) {
            Ok(reserved) => numbers.push((reserved.epoch().0, reserved.number().0)),
            Err(error) => break error,
        }
    };
    let last = u32::MAX;
    assert_eq!(numbers, [(last - 1, 0), (last - 1, 1), (last, 2), (last, 3)]);
    assert_eq!(refused, SealError::EpochsExhausted);
    assert!(sealer.reserve(&secret, &limits, PathId(1), 1).is_err());
}

#[test]
fn paths_count_by_themselves() {
    let mut counters = Counters::default();
    let mut take = |path| counters.take(PathId(path)).unwrap().0;
    assert_eq!([take(0), take(0), take(7), take(0), take(7)], [0, 1, 0, 2, 1]);
}

#[test]
fn a_used_up_key_stays_used_up() {
    let limits = KeyLimits::default().with_epoch_packets(1).unwrap();
    let mut budget = KeyBudget::new(&limits);
    assert_eq!(budget.spend(10), Ok(()));
    assert_eq!(budget.spend(10), Err(KeyExhausted));
    assert_eq!(budget.spend(0), Err(KeyExhausted));
}
