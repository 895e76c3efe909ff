//! Whatever starts again, and however often: no key ever sees a nonce twice.

use super::*;
use crate::{
    crypto::{
        DataKeys, HelloError, HelloInitiator, HelloOutcome, Psk, SecretRng, Seed, hello_respond,
        testing::nonce_log,
    },
    id::Incarnation,
    wire::HelloParams,
};

/// A process: what it drew when it started, and nothing from before.
struct Process {
    psk: Psk,
    incarnation: Incarnation,
    rng: SecretRng,
    data: DataKeys,
    limits: KeyLimits,
}

impl Process {
    fn start(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let seed = Seed::from_bytes(bytes);
        let mut rng = SecretRng::new(&seed, "hello");
        let limits = KeyLimits::default()
            .with_epoch_packets(5)
            .and_then(|limits| limits.with_paths(2))
            .and_then(|limits| limits.with_data_key_records(7))
            .unwrap();
        Self {
            psk: Psk::from_bytes([8; 32]),
            incarnation: Incarnation(rng.array()),
            rng,
            data: DataKeys::new(SecretRng::new(&seed, "data"), Suite::default(), &limits),
            limits,
        }
    }

    fn begin(&mut self) -> HelloInitiator {
        let params = HelloParams::default();
        HelloInitiator::new(&self.psk, self.incarnation, &params, &mut self.rng)
    }

    fn respond(&mut self, init: &[u8]) -> Result<(HelloOutcome, [u8; 256]), HelloError> {
        let params = HelloParams::default();
        hello_respond(&self.psk, self.incarnation, &params, &mut self.rng, init)
    }

    fn keys(&self, secret: &PathSecret, role: Role) -> PathKeys {
        PathKeys::new(secret, role, WorkerId(0), Suite::default(), self.limits)
    }

    /// Takes numbers for records, and logs them like seals.
    fn allocate_records(&mut self) {
        let key = self.data.allocate(3).unwrap();
        for index in 0..key.records() {
            let mut nonce = [0; 12];
            nonce[4..].copy_from_slice(&(key.first_record() + index).to_be_bytes());
            nonce_log::record(kdf::hash(&[key.key_bytes()]), nonce);
        }
    }
}

fn connect(a: &mut Process, b: &mut Process) -> (PathKeys, PathKeys) {
    let mut initiator = a.begin();
    let (at_b, reply) = b.respond(initiator.packet()).unwrap();
    let at_a = initiator.handle_reply(&reply).unwrap();
    assert_eq!(at_a.secret.id(), at_b.secret.id());
    assert_eq!((at_a.incarnation, at_b.incarnation), (b.incarnation, a.incarnation));
    (a.keys(&at_a.secret, Role::Initiator), b.keys(&at_b.secret, Role::Responder))
}

/// Seals both kinds of packet on both paths in both directions, through several epochs.
fn exchange(a: &mut PathKeys, b: &mut PathKeys) {
    for round in 0..12 {
        send(a, b, round % 2);
        send(b, a, round % 2);
    }
    assert_eq!(a.epoch(), Epoch(4), "24 packets, 5 an epoch");
}

fn send(from: &mut PathKeys, to: &mut PathKeys, path: u8) {
    let mut packet = control(from, path, b"frames");
    to.open_control(NOW, &mut packet).unwrap();
    let packet = data(from, path, b"payload");
    to.open_data(NOW, &packet).unwrap();
}

/// [SEC-1] [SEC-14]
#[test]
fn restarts_never_repeat_a_nonce() {
    nonce_log::begin();
    let mut seeds = 0..;
    let mut start = || Process::start(seeds.next().unwrap());
    let run = |a: &mut Process, b: &mut Process| {
        let (mut at_a, mut at_b) = connect(a, b);
        exchange(&mut at_a, &mut at_b);
        a.allocate_records();
        b.allocate_records();
        (at_a, at_b)
    };

    // Both sides start again.
    for _ in 0..10 {
        run(&mut start(), &mut start());
    }
    // One side starts again while the other stays up, in both roles.
    let mut up = start();
    for _ in 0..10 {
        run(&mut start(), &mut up);
        run(&mut up, &mut start());
    }
    // Two processes with the same key talk to a third, in turns.
    let (mut one, mut two) = (start(), start());
    let (mut one_keys, mut up_keys) = run(&mut one, &mut up);
    let (mut two_keys, mut up_other_keys) = run(&mut two, &mut up);
    for _ in 0..10 {
        let packet = control(&mut one_keys, 0, b"frames");
        open(&mut up_keys, &packet).unwrap();
        let packet = control(&mut two_keys, 0, b"frames");
        open(&mut up_other_keys, &packet).unwrap();
    }
    // The same pair says hello again without a restart.
    for _ in 0..5 {
        run(&mut one, &mut up);
    }
    let uses = nonce_log::end();
    assert!(uses > 2_000, "{uses}");
}

/// [SEC-1] A snapshot that is resumed does again what it did before, but its peer does not.
#[test]
fn a_resumed_snapshot_repeats_no_nonce_with_a_peer_that_is_up() {
    nonce_log::begin();
    let mut up = Process::start(1);
    let mut randoms = std::collections::BTreeSet::new();
    for _ in 0..10 {
        let mut resumed = Process::start(2);
        randoms.insert(*resumed.begin().packet());
        let (mut at_resumed, mut at_up) = connect(&mut resumed, &mut up);
        exchange(&mut at_resumed, &mut at_up);
    }
    assert_eq!(randoms.len(), 1, "the snapshot did repeat itself");
    assert!(nonce_log::end() > 400);
}

/// [SEC-9]
#[test]
fn a_replayed_init_opens_nothing() {
    let (mut a, mut b) = (Process::start(1), Process::start(2));
    let mut initiator = a.begin();
    let init = *initiator.packet();
    let (at_b, reply) = b.respond(&init).unwrap();
    let secret = initiator.handle_reply(&reply).unwrap().secret;
    assert_eq!(secret.id(), at_b.secret.id());
    // The replayer holds every packet of the past, and gets a secret that none of them is under.
    let mut at_a = a.keys(&secret, Role::Initiator);
    let recorded = control(&mut at_a, 0, b"recorded");
    let (replayed, fresh_reply) = b.respond(&init).unwrap();
    assert_ne!(replayed.secret.id(), secret.id());
    let mut pending = b.keys(&replayed.secret, Role::Responder);
    assert_eq!(open(&mut pending, &recorded), Err(OpenError::NotAuthentic));
    // Nor does the initiator follow: it took its one secret from that hello.
    assert_eq!(initiator.handle_reply(&fresh_reply).unwrap_err(), HelloError::AlreadyAnswered);
}

/// [SEC-6] [SEC-8]
#[test]
fn a_replayed_reply_is_refused_by_a_fresh_initiator() {
    let (mut a, mut b) = (Process::start(1), Process::start(2));
    let mut first = a.begin();
    let (_, reply) = b.respond(first.packet()).unwrap();
    first.handle_reply(&reply).unwrap();
    assert_eq!(first.handle_reply(&reply).unwrap_err(), HelloError::AlreadyAnswered);
    let mut second = a.begin();
    assert_eq!(second.handle_reply(&reply).unwrap_err(), HelloError::WrongEcho);
    let mut restarted = Process::start(3).begin();
    assert_eq!(restarted.handle_reply(&reply).unwrap_err(), HelloError::WrongEcho);
}
