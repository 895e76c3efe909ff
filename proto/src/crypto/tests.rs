//! What concerns the chapter as a whole.

use super::{testing::hex, *};
use crate::{
    id::{Incarnation, PathId, Role, WorkerId},
    time::Timestamp,
    wire::HelloParams,
};

/// [SEC-4]
#[test]
fn nothing_secret_appears_in_debug_output() {
    let (psk_bytes, seed_bytes) = (distinct(1), distinct(50));
    let psk = Psk::from_bytes(psk_bytes);
    let seed = Seed::from_bytes(seed_bytes);
    let mut rng = SecretRng::new(&seed, "debug");
    let params = HelloParams::default();
    let mut initiator = HelloInitiator::new(&psk, Incarnation([1; 16]), &params, &mut rng);
    let (at_b, reply) =
        hello_respond(&psk, Incarnation([2; 16]), &params, &mut rng, initiator.packet()).unwrap();
    let at_a = initiator.handle_reply(&reply).unwrap();
    let limits = KeyLimits::default();
    let suite = Suite::default();
    let mut a = PathKeys::new(&at_a.secret, Role::Initiator, WorkerId(0), suite, limits);
    let mut b = PathKeys::new(&at_b.secret, Role::Responder, WorkerId(0), suite, limits);
    let mut packet = [0; 48];
    a.seal_control(PathId::ZERO, &mut packet, 0).unwrap();
    b.open_control(Timestamp::ZERO, &mut packet).unwrap();
    let secret_control = SecretControlKeys::new(&at_a.secret, Role::Initiator);
    let tokens = UnknownSecretTokens::from_psk(&psk);
    let mut data = DataKeys::new(SecretRng::new(&seed, "data"), suite, &limits);
    let sealing = data.allocate(1).unwrap();
    let mut cache = OpeningKeys::new(&mut rng, &limits);
    let opening = cache.get(sealing.key_bytes()).unwrap();

    let mut secrets = vec![psk_bytes.to_vec(), seed_bytes.to_vec()];
    secrets.push(at_a.secret.secret().to_vec());
    secrets.push(sealing.key_bytes().to_vec());
    for label in [kdf::label::HELLO_INIT, kdf::label::PSK_PATH, kdf::label::UNKNOWN_SECRET] {
        secrets.push(psk.derive(label).to_vec());
    }
    let mut context = [0; 7];
    context[2] = suite.code();
    for label in [kdf::label::CONTROL_KEY, kdf::label::CONTROL_IV] {
        let mut derived = vec![0; if label == kdf::label::CONTROL_IV { 12 } else { 16 }];
        kdf::expand_label(at_a.secret.secret(), label, &context, &mut derived);
        secrets.push(derived);
    }

    let values: [&dyn core::fmt::Debug; 14] = [
        &psk,
        &seed,
        &rng,
        &initiator,
        &at_a,
        &at_b,
        &a,
        &b,
        &secret_control,
        &tokens,
        &data,
        &sealing,
        &cache,
        &opening,
    ];
    for value in values {
        for text in [format!("{value:?}"), format!("{value:#?}")] {
            assert_hidden(&text, &secrets);
        }
    }
    let error = Psk::parse(&psk.to_text()[..70]).unwrap_err();
    assert_hidden(&format!("{error:?} {error}"), &secrets);
}

/// No four bytes of a secret in a row, in any of the ways that bytes are printed.
fn assert_hidden(text: &str, secrets: &[Vec<u8>]) {
    let flat: String = text.split_whitespace().collect();
    for window in secrets.iter().flat_map(|secret| secret.windows(4)) {
        let decimal: Vec<_> = window.iter().map(u8::to_string).collect();
        let spellings = [hex(window), hex(window).to_uppercase(), decimal.join(",")];
        for spelling in spellings {
            assert!(!flat.contains(&spelling), "a secret in {text}");
        }
    }
}

fn distinct(first: u8) -> [u8; 32] {
    core::array::from_fn(|index| first.wrapping_add((index as u8).wrapping_mul(37)))
}
