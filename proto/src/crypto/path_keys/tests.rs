use core::time::Duration;

use super::*;
use crate::crypto::{kdf, testing::derivations};

mod hostile;
mod restarts;

const NOW: Timestamp = Timestamp::from_micros(1);

fn secret(seed: u8) -> PathSecret {
    PathSecret::from_exporter(&[seed; kdf::SECRET_LEN])
}

fn pair(limits: KeyLimits) -> (PathKeys, PathKeys) {
    let secret = secret(1);
    let keys = |role| PathKeys::new(&secret, role, WorkerId(0), Suite::default(), limits);
    (keys(Role::Initiator), keys(Role::Responder))
}

fn control(keys: &mut PathKeys, path: u8, frames: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; frames.len() + CONTROL_OVERHEAD];
    packet[PACKET_HEADER_LEN..PACKET_HEADER_LEN + frames.len()].copy_from_slice(frames);
    keys.seal_control(PathId(path), &mut packet, frames.len()).unwrap();
    packet
}

fn fields(length: u16) -> DataFields {
    DataFields { transfer: TransferId(0x0102), position: 0x0304, length, flags: 1, backlog: 9 }
}

fn data(keys: &mut PathKeys, path: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; DATA_OVERHEAD + payload.len()];
    let (header, rest) = packet.split_at_mut(DATA_OVERHEAD);
    keys.seal_data_header(PathId(path), fields(payload.len() as u16), header).unwrap();
    rest.copy_from_slice(payload);
    packet
}

fn open(keys: &mut PathKeys, packet: &[u8]) -> Result<PacketNumber, OpenError> {
    open_at(keys, NOW, packet)
}

fn open_at(keys: &mut PathKeys, now: Timestamp, packet: &[u8]) -> Result<PacketNumber, OpenError> {
    keys.open_control(now, &mut packet.to_vec()).map(|opened| opened.number)
}

#[test]
fn both_kinds_of_packet_round_trip_in_both_suites() {
    for suite in [Suite::Aes128Gcm, Suite::Aes256Gcm] {
        let secret = secret(1);
        let limits = KeyLimits::default().with_paths(4).unwrap();
        let mut a = PathKeys::new(&secret, Role::Initiator, WorkerId(3), suite, limits);
        let mut b = PathKeys::new(&secret, Role::Responder, WorkerId(5), suite, limits);
        let mut packet = control(&mut a, 2, b"some frames");
        let opened = b.open_control(NOW, &mut packet).unwrap();
        assert_eq!(opened.frames, b"some frames");
        let place = (opened.worker, opened.path, opened.number);
        assert_eq!(place, (WorkerId(3), PathId(2), PacketNumber(0)));

        let packet = data(&mut a, 2, b"sealed payload");
        let opened = b.open_data(NOW, &packet).unwrap();
        let place = (opened.worker, opened.path, opened.number);
        assert_eq!(place, (WorkerId(3), PathId(2), PacketNumber(1)));
        assert_eq!((opened.transfer, opened.position), (TransferId(0x0102), 0x0304));
        assert_eq!((opened.flags, opened.backlog), (1, 9));
        assert_eq!(opened.payload, b"sealed payload");

        let mut packet = control(&mut b, 0, &[]);
        assert!(a.open_control(NOW, &mut packet).unwrap().frames.is_empty());
    }
}

#[test]
fn memory_of_the_wrong_length_is_refused_and_takes_no_number() {
    let (mut a, _) = pair(KeyLimits::default());
    for len in [0, 10, 47, 48, 49, 57, 59] {
        let sealed = a.seal_control(PathId::ZERO, &mut vec![0; len], 10);
        assert_eq!(sealed, Err(SealError::Length));
    }
    assert_eq!(a.seal_control(PathId::ZERO, &mut [], usize::MAX), Err(SealError::Length));
    for len in [0, 67, 69] {
        let sealed = a.seal_data_header(PathId::ZERO, fields(1), &mut vec![0; len]);
        assert_eq!(sealed, Err(SealError::Length));
    }
    assert_eq!(a.seal_control(PathId::ZERO, &mut [0; 58], 10), Ok(PacketNumber(0)));
}

/// [SEC-11] Compiles only while neither type is `Clone`: the hint would be ambiguous otherwise.
#[test]
fn keys_and_secrets_cannot_be_copied() {
    trait Ambiguous<Hint> {
        fn check() {}
    }
    impl<T> Ambiguous<()> for T {}
    impl<T: Clone> Ambiguous<u8> for T {}
    <PathKeys as Ambiguous<_>>::check();
    <PathSecret as Ambiguous<_>>::check();
}

/// [SEC-10]
#[test]
fn a_packet_is_not_opened_by_another_direction_worker_suite_or_secret() {
    let (mut a, mut b) = pair(KeyLimits::default());
    let packet = control(&mut a, 0, b"frames");
    let keys = |secret: &PathSecret, role, worker, suite| {
        PathKeys::new(secret, role, worker, suite, KeyLimits::default())
    };
    let refused = Err(OpenError::NotAuthentic);
    assert_eq!(open(&mut a, &packet), refused, "reflected to its sender");
    let mut other = keys(&secret(2), Role::Responder, WorkerId(0), Suite::Aes128Gcm);
    assert_eq!(open(&mut other, &packet), refused);
    let mut other = keys(&secret(1), Role::Responder, WorkerId(0), Suite::Aes256Gcm);
    assert_eq!(open(&mut other, &packet), refused);
    let mut moved = packet.clone();
    moved[2] = 1;
    assert_eq!(open(&mut b, &moved), refused, "in another worker's name");
    assert_eq!(open(&mut b, &packet), Ok(PacketNumber(0)));
}

/// [SEC-14] [SEC-15]
#[test]
fn epochs_follow_each_other_by_packets_and_nothing_is_lost() {
    let limits = KeyLimits::default().with_epoch_packets(3).unwrap();
    let (mut a, mut b) = pair(limits);
    for number in 0..20 {
        let packet = control(&mut a, 0, b"frames");
        assert_eq!(a.epoch(), Epoch(number / 3));
        assert_eq!(open(&mut b, &packet), Ok(PacketNumber(u64::from(number))));
    }
}

/// [SEC-15]
#[test]
fn epochs_follow_each_other_by_bytes() {
    let limits = KeyLimits::default().with_epoch_bytes(150).unwrap();
    let (mut a, mut b) = pair(limits);
    let mut epochs = Vec::new();
    for _ in 0..4 {
        let packet = control(&mut a, 0, &[0; 52]);
        epochs.push(a.epoch().0);
        open(&mut b, &packet).unwrap();
    }
    assert_eq!(epochs, [0, 0, 1, 1], "a packet has 100 bytes");
    data(&mut a, 0, b"payload");
    assert_eq!(a.epoch(), Epoch(2));
}

/// [SEC-19]
#[test]
fn the_previous_epoch_opens_late_packets_for_a_bounded_time() {
    let limits = KeyLimits::default()
        .with_epoch_packets(4)
        .unwrap()
        .with_keep_previous(Duration::from_micros(10));
    let (mut a, mut b) = pair(limits);
    let packets: Vec<_> = (0..6).map(|_| control(&mut a, 0, b"frames")).collect();
    open(&mut b, &packets[0]).unwrap();
    open_at(&mut b, NOW, &packets[4]).unwrap();
    let last = NOW + Duration::from_nanos(9_999);
    assert_eq!(open_at(&mut b, last, &packets[1]), Ok(PacketNumber(1)));
    assert_eq!(open_at(&mut b, last, &packets[1]), Err(OpenError::Replayed));
    let over = NOW + Duration::from_micros(10);
    assert_eq!(open_at(&mut b, over, &packets[2]), Err(OpenError::UnknownEpoch));
    assert_eq!(open_at(&mut b, over, &packets[5]), Ok(PacketNumber(5)));
    // A clock that steps back does not bring the key back.
    assert_eq!(open_at(&mut b, NOW, &packets[2]), Err(OpenError::UnknownEpoch));
}

/// [SEC-17]
#[test]
fn an_epoch_that_was_skipped_is_unknown() {
    let limits = KeyLimits::default().with_epoch_packets(1).unwrap();
    let (mut a, mut b) = pair(limits);
    let packets: Vec<_> = (0..4).map(|_| control(&mut a, 0, b"frames")).collect();
    let before = derivations::count();
    assert_eq!(open(&mut b, &packets[1]), Err(OpenError::UnknownEpoch), "no epoch 0 yet");
    open(&mut b, &packets[0]).unwrap();
    assert_eq!(open(&mut b, &packets[2]), Err(OpenError::UnknownEpoch));
    assert_eq!(derivations::count() - before, 1);
    open(&mut b, &packets[1]).unwrap();
    open(&mut b, &packets[2]).unwrap();
    assert_eq!(open(&mut b, &packets[0]), Err(OpenError::UnknownEpoch), "two epochs back");
}

/// [SEC-18]
#[test]
fn a_forged_next_epoch_changes_nothing_and_costs_one_derivation() {
    let limits = KeyLimits::default().with_epoch_packets(2).unwrap();
    let (mut a, mut b) = pair(limits);
    let packets: Vec<_> = (0..4).map(|_| control(&mut a, 0, b"frames")).collect();
    open(&mut b, &packets[0]).unwrap();
    let before = derivations::count();
    for bit in 0..8 {
        let mut forged = packets[2].clone();
        forged[40] ^= 1 << bit;
        assert_eq!(open(&mut b, &forged), Err(OpenError::NotAuthentic));
    }
    assert_eq!(derivations::count() - before, 1);
    assert_eq!(open(&mut b, &packets[1]), Ok(PacketNumber(1)), "still in its epoch");
    assert_eq!(open(&mut b, &packets[2]), Ok(PacketNumber(2)));
    assert_eq!(open(&mut b, &packets[3]), Ok(PacketNumber(3)));
    assert_eq!(derivations::count() - before, 1);
}

/// [SEC-20]
#[test]
fn a_packet_is_opened_once_and_in_the_window_only() {
    let limits = KeyLimits::default().with_replay_window(64).unwrap().with_paths(2).unwrap();
    let (mut a, mut b) = pair(limits);
    let packets: Vec<_> = (0..66).map(|_| control(&mut a, 0, b"frames")).collect();
    open(&mut b, &packets[65]).unwrap();
    assert_eq!(open(&mut b, &packets[65]), Err(OpenError::Replayed));
    assert_eq!(open(&mut b, &packets[1]), Err(OpenError::TooOld));
    assert_eq!(open(&mut b, &packets[2]), Ok(PacketNumber(2)));
    assert_eq!(open(&mut b, &packets[2]), Err(OpenError::Replayed));
    let other_path = data(&mut a, 1, b"payload");
    assert_eq!(b.open_data(NOW, &other_path).unwrap().number, PacketNumber(0));
    assert_eq!(b.open_data(NOW, &other_path).unwrap_err(), OpenError::Replayed);
}

/// [SEC-21]
#[test]
fn a_forgery_does_not_use_up_its_number_nor_move_the_window() {
    let (mut a, mut b) = pair(KeyLimits::default());
    let packet = control(&mut a, 0, b"frames");
    let mut forged = packet.clone();
    forged[50] ^= 1;
    assert_eq!(open(&mut b, &forged), Err(OpenError::NotAuthentic));
    let mut far = packet.clone();
    far[8..16].copy_from_slice(&1_000_000_u64.to_be_bytes());
    assert_eq!(open(&mut b, &far), Err(OpenError::NotAuthentic));
    assert_eq!(open(&mut b, &packet), Ok(PacketNumber(0)));
}

/// [SEC-22]
#[test]
fn workers_and_paths_of_a_peer_are_bounded() {
    let limits = KeyLimits::default().with_remote_workers(2).unwrap().with_paths(3).unwrap();
    let (mut a, mut b) = pair(limits);
    let packet = control(&mut a, 3, b"frames");
    assert_eq!(open(&mut b, &packet), Err(OpenError::TooManyPaths));
    let mut packet = control(&mut a, 2, b"frames");
    for worker in 2..=255 {
        packet[2] = worker;
        assert_eq!(open(&mut b, &packet), Err(OpenError::TooManyWorkers));
    }
    packet[2] = 0;
    assert_eq!(open(&mut b, &packet), Ok(PacketNumber(0)));
}

/// [SEC-23]
#[test]
fn a_key_that_failed_too_often_opens_nothing_more() {
    let limits = KeyLimits::default().with_epoch_forgeries(2).unwrap();
    let (mut a, mut b) = pair(limits);
    let packet = control(&mut a, 0, b"frames");
    let mut forged = packet.clone();
    forged[50] ^= 1;
    assert_eq!(open(&mut b, &forged), Err(OpenError::NotAuthentic));
    assert_eq!(open(&mut b, &forged), Err(OpenError::NotAuthentic));
    assert_eq!(open(&mut b, &packet), Err(OpenError::ForgeryLimit));
}

#[test]
fn a_peer_that_counts_too_far_is_refused() {
    let (a, mut b) = pair(KeyLimits::default());
    let name = KeyName {
        sender: Role::Initiator,
        worker: WorkerId(0),
        epoch: Epoch(0),
        suite: Suite::default(),
    };
    let key = super::super::control_key::ControlKey::derive(&a.secret, name);
    for number in [1 << 62, u64::MAX] {
        let mut packet = [0; CONTROL_OVERHEAD];
        let (header, tag) = packet.split_at_mut(PACKET_HEADER_LEN);
        header[0] = 0x10;
        header[8..16].copy_from_slice(&number.to_be_bytes());
        header[16..].copy_from_slice(&a.secret_id().0);
        key.seal(PathId::ZERO, PacketNumber(number), header, &mut [], tag).unwrap();
        assert_eq!(open(&mut b, &packet), Err(OpenError::NumberOutOfRange));
    }
}
