use super::*;
use crate::crypto::{SecretRng, Seed};

struct Side {
    psk: Psk,
    incarnation: Incarnation,
    params: HelloParams,
    rng: SecretRng,
}

impl Side {
    fn new(name: u8) -> Self {
        Self {
            psk: Psk::from_bytes([1; 32]),
            incarnation: Incarnation([name; 16]),
            params: HelloParams { workers: name, ..HelloParams::default() },
            rng: SecretRng::new(&Seed::from_bytes([name; 32]), "hello"),
        }
    }

    fn begin(&mut self) -> HelloInitiator {
        HelloInitiator::new(&self.psk, self.incarnation, &self.params, &mut self.rng)
    }

    fn respond(&mut self, datagram: &[u8]) -> Result<(HelloOutcome, [u8; 256]), HelloError> {
        hello_respond(&self.psk, self.incarnation, &self.params, &mut self.rng, datagram)
    }
}

#[test]
fn both_sides_get_the_same_secret_and_each_others_parameters() {
    let (mut a, mut b) = (Side::new(2), Side::new(3));
    let mut initiator = a.begin();
    let (at_b, reply) = b.respond(initiator.packet()).unwrap();
    let at_a = initiator.handle_reply(&reply).unwrap();
    assert_eq!(at_a.secret.id(), at_b.secret.id());
    assert_eq!(**at_a.secret.secret(), **at_b.secret.secret());
    assert_eq!((at_a.incarnation, at_b.incarnation), (b.incarnation, a.incarnation));
    assert_eq!((at_a.params, at_b.params), (b.params, a.params));
}

/// [SEC-5] [SEC-6]
#[test]
fn no_bit_of_a_hello_can_be_altered() {
    let (mut a, mut b) = (Side::new(2), Side::new(3));
    let mut initiator = a.begin();
    let init = *initiator.packet();
    let (_, reply) = b.respond(&init).unwrap();
    for bit in 0..init.len() * 8 {
        let (mut altered_init, mut altered_reply) = (init, reply);
        altered_init[bit / 8] ^= 1 << (bit % 8);
        assert!(b.respond(&altered_init).is_err(), "bit {bit}");
        altered_reply[bit / 8] ^= 1 << (bit % 8);
        assert!(initiator.handle_reply(&altered_reply).is_err(), "bit {bit}");
    }
    initiator.handle_reply(&reply).unwrap();
}

/// [SEC-6]
#[test]
fn the_reply_to_an_altered_hello_is_refused() {
    let (mut a, mut b) = (Side::new(2), Side::new(3));
    let mut initiator = a.begin();
    // The same random, but other parameters: as if a holder of the key had changed them.
    let (random, workers) = (initiator.random(), 9);
    let params = HelloParams { workers, ..a.params.clone() };
    let mut other = Side::new(2).begin_with(random, &params);
    let (_, reply) = b.respond(other.packet()).unwrap();
    assert_eq!(initiator.handle_reply(&reply).unwrap_err(), HelloError::NotAuthentic);
    other.handle_reply(&reply).unwrap();
}

impl Side {
    /// A hello with a given random, as only a test can make one.
    fn begin_with(&mut self, random: [u8; 32], params: &HelloParams) -> HelloInitiator {
        let params = params.clone();
        let mut rng = SecretRng::new(&Seed::from_bytes([2; 32]), "hello");
        let hello = HelloInitiator::new(&self.psk, self.incarnation, &params, &mut rng);
        assert_eq!(hello.random(), random, "the same seed gives the same random");
        hello
    }
}

#[test]
fn another_key_is_refused_without_an_answer() {
    let (mut a, mut b) = (Side::new(2), Side::new(3));
    b.psk = Psk::from_bytes([9; 32]);
    assert_eq!(b.respond(a.begin().packet()).unwrap_err(), HelloError::WrongPsk);
}

#[test]
fn another_version_is_refused_without_an_answer() {
    let (mut a, mut b) = (Side::new(2), Side::new(3));
    let mut initiator = a.begin();
    let mut init = *initiator.packet();
    let (_, mut reply) = b.respond(&init).unwrap();
    init[2..4].copy_from_slice(&2_u16.to_be_bytes());
    reply[2..4].copy_from_slice(&0_u16.to_be_bytes());
    assert_eq!(b.respond(&init).unwrap_err(), HelloError::Version { theirs: 2 });
    assert_eq!(initiator.handle_reply(&reply).unwrap_err(), HelloError::Version { theirs: 0 });
}

/// [SEC-7]
#[test]
fn an_endpoint_does_not_answer_itself() {
    let mut a = Side::new(2);
    let mut initiator = a.begin();
    assert_eq!(a.respond(initiator.packet()).unwrap_err(), HelloError::Reflected);
    // Nor does it take the answer of something else in its own name.
    let mut twin = Side::new(3);
    let (_, reply) = twin.respond(initiator.packet()).unwrap();
    initiator.incarnation = twin.incarnation;
    assert_eq!(initiator.handle_reply(&reply).unwrap_err(), HelloError::Reflected);
}

#[test]
fn a_hello_of_the_other_direction_is_refused() {
    let (mut a, mut b) = (Side::new(2), Side::new(3));
    let mut initiator = a.begin();
    let init = *initiator.packet();
    let (_, reply) = b.respond(&init).unwrap();
    assert_eq!(b.respond(&reply).unwrap_err(), HelloError::WrongKind);
    assert_eq!(initiator.handle_reply(&init).unwrap_err(), HelloError::WrongKind);
    assert!(matches!(b.respond(&init[..255]), Err(HelloError::Malformed(_))));
    assert!(matches!(b.respond(&[]), Err(HelloError::Malformed(_))));
}

/// [SEC-8]
#[test]
fn a_hello_gives_one_secret() {
    let (mut a, mut b) = (Side::new(2), Side::new(3));
    let mut initiator = a.begin();
    assert_eq!(initiator.packet(), initiator.packet());
    let (_, first) = b.respond(initiator.packet()).unwrap();
    let (_, second) = b.respond(initiator.packet()).unwrap();
    initiator.handle_reply(&second).unwrap();
    for reply in [first, second] {
        assert_eq!(initiator.handle_reply(&reply).unwrap_err(), HelloError::AlreadyAnswered);
    }
}

#[test]
fn the_random_names_a_hello_and_its_reply() {
    let (mut a, mut b) = (Side::new(2), Side::new(3));
    let (one, two) = (a.begin(), a.begin());
    assert_eq!(hello_random(one.packet()), Some(one.random()));
    assert_ne!(hello_random(one.packet()), hello_random(two.packet()));
    let (_, reply) = b.respond(one.packet()).unwrap();
    assert_eq!((hello_random(&reply), hello_echo(&reply)), (None, Some(one.random())));
    assert_eq!(hello_echo(one.packet()), None);
    assert_eq!((hello_random(&[]), hello_echo(&[])), (None, None));
}

/// [SEC-5]
#[test]
fn arbitrary_bytes_are_refused_without_a_panic() {
    bolero::check!().with_type::<(bool, Vec<u8>)>().for_each(|(whole, bytes)| {
        let (mut a, mut b) = (Side::new(2), Side::new(3));
        let mut initiator = a.begin();
        let mut datagram = if *whole { initiator.packet().to_vec() } else { Vec::new() };
        datagram.truncate(256 - bytes.len().min(256));
        datagram.extend_from_slice(bytes);
        let genuine = datagram == initiator.packet();
        assert_eq!(b.respond(&datagram).is_ok(), genuine);
        assert!(initiator.handle_reply(&datagram).is_err());
    });
}

#[test]
fn an_observer_with_the_key_gets_the_secret_and_one_without_does_not() {
    let (mut a, mut b) = (Side::new(2), Side::new(3));
    let init = *a.begin().packet();
    let (at_b, reply) = b.respond(&init).unwrap();
    let seen = hello_observe(&a.psk, &init, &reply).unwrap();
    assert_eq!(**seen.secret(), **at_b.secret.secret());
    let (_, other_reply) = b.respond(a.begin().packet()).unwrap();
    assert_eq!(hello_observe(&a.psk, &init, &other_reply).unwrap_err(), HelloError::WrongEcho);
    assert_eq!(hello_observe(&a.psk, &reply, &init).unwrap_err(), HelloError::WrongKind);
    let stranger = Psk::from_bytes([9; 32]);
    assert_eq!(hello_observe(&stranger, &init, &reply).unwrap_err(), HelloError::WrongPsk);
    let mut altered = reply;
    altered[100] ^= 1;
    assert!(hello_observe(&a.psk, &init, &altered).is_err());
}
