//! Known answers for spec chapter 3, as files that other implementations can read.
//!
//! The key schedule is written out here a second time, from the text of the specification and with
//! nothing but HMAC and AES-GCM, so that the files do not merely repeat what the crate does. Set
//! `DCQUIC_BLESS=1` to write the files anew.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;

use aws_lc_rs::{aead, digest, hmac};
use dcquic_proto::{
    crypto::{
        DataFields, DataKeys, HelloInitiator, KeyLimits, OpeningKeys, PathKeys, PathSecret, Psk,
        SecretControlKeys, SecretRng, Seed, Suite, UnknownSecretTokens, hello_respond,
    },
    id::{Incarnation, PacketNumber, PathId, Role, SecretId, TransferId, WorkerId},
    time::Timestamp,
    wire::HelloParams,
};
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::ZERO;

/// Two suites, and their numbers in the key schedule.
const SUITES: [(Suite, u8, &str); 2] =
    [(Suite::Aes128Gcm, 1, "AES-128-GCM"), (Suite::Aes256Gcm, 2, "AES-256-GCM")];

/// [SEC-3] [SEC-6]
#[test]
fn hello() {
    let psk: [u8; 32] = core::array::from_fn(|index| index as u8);
    let (init_incarnation, reply_incarnation) = ([0xa1; 16], [0xb2; 16]);
    let (init_seed, reply_seed) = ([0x11; 32], [0x22; 32]);
    let mut init_rng = SecretRng::new(&Seed::from_bytes(init_seed), "vector");
    let mut reply_rng = SecretRng::new(&Seed::from_bytes(reply_seed), "vector");
    let params = HelloParams::default();
    let shared = Psk::from_bytes(psk);
    let mut initiator =
        HelloInitiator::new(&shared, Incarnation(init_incarnation), &params, &mut init_rng);
    let init = *initiator.packet();
    let (at_responder, reply) =
        hello_respond(&shared, Incarnation(reply_incarnation), &params, &mut reply_rng, &init)
            .unwrap();
    let at_initiator = initiator.handle_reply(&reply).unwrap();
    assert_eq!(at_initiator.secret.id(), at_responder.secret.id());

    let extracted = extract(b"dcquic1 psk", &psk);
    let psk_id = derive(&extracted, "psk id", &[], 16);
    assert_eq!(psk_id, shared.id());
    let init_key = derive(&extracted, "hello init", &[], 32);
    let reply_key = derive(&extracted, "hello reply", &[], 32);
    assert_eq!(init[224..], hmac(&init_key, &[&init[..224]]));
    assert_eq!(reply[224..], hmac(&reply_key, &[&init, &reply[..224]]));
    let init_random = generate(&init_seed, "vector");
    let reply_random = generate(&reply_seed, "vector");
    assert!(contains(&init, &init_random) && contains(&init, &init_incarnation));
    assert!(contains(&reply, &reply_random) && contains(&reply, &reply_incarnation));
    assert!(contains(&reply, &init_random), "the echo");
    let path_input = derive(&extracted, "psk path", &[], 32);
    let salt = [&init_random[..], &reply_random].concat();
    let transcript = sha256(&[&init, &reply]);
    let path_secret = derive(&extract(&salt, &path_input), "path secret", &transcript, 32);
    let secret_id = derive(&path_secret, "secret id", &[], 16);
    assert_eq!(secret_id, at_initiator.secret.id().0);

    check(
        "hello",
        json!({
            "psk": hex(&psk),
            "psk_text": *shared.to_text(),
            "psk_extracted": hex(&extracted),
            "psk_id": hex(&psk_id),
            "init_key": hex(&init_key),
            "reply_key": hex(&reply_key),
            "initiator": {
                "seed": hex(&init_seed),
                "generator": "vector",
                "random": hex(&init_random),
                "incarnation": hex(&init_incarnation),
                "packet": hex(&init),
            },
            "responder": {
                "seed": hex(&reply_seed),
                "generator": "vector",
                "random": hex(&reply_random),
                "incarnation": hex(&reply_incarnation),
                "packet": hex(&reply),
            },
            "transcript_hash": hex(&transcript),
            "path_secret": hex(&path_secret),
            "secret_id": hex(&secret_id),
        }),
    );
}

/// [SEC-10] [SEC-12] [SEC-13] [SEC-14] [SEC-15]
#[test]
fn control() {
    let exported: [u8; 32] = core::array::from_fn(|index| 0x40 + index as u8);
    let path_secret = extract(b"dcquic1 exporter", &exported);
    let secret = PathSecret::from_exporter(&exported);
    let secret_id = derive(&path_secret, "secret id", &[], 16);
    assert_eq!(secret_id, secret.id().0);
    // Two packets an epoch, so that the files show an epoch change.
    let limits =
        KeyLimits::default().with_epoch_packets(2).and_then(|limits| limits.with_paths(4)).unwrap();
    let mut packets = Vec::new();
    for (suite, suite_code, suite_name) in SUITES {
        for (role, role_code, worker) in [(Role::Initiator, 0, 0), (Role::Responder, 1, 5)] {
            let mut sealing = PathKeys::new(&secret, role, WorkerId(worker), suite, limits);
            let mut opening = PathKeys::new(&secret, role.peer(), WorkerId(9), suite, limits);
            for (index, (path, is_control)) in
                [(0, true), (3, true), (0, false), (3, false)].into_iter().enumerate()
            {
                let (packet, number) = if is_control {
                    seal_control(&mut sealing, path)
                } else {
                    seal_data(&mut sealing, path)
                };
                let epoch = index as u32 / 2;
                let context = [&[role_code, worker, suite_code][..], &epoch.to_be_bytes()].concat();
                let key = derive(&path_secret, "control key", &context, suite.key_len());
                let iv = derive(&path_secret, "control iv", &context, 12);
                let counter = [&u32::from(path).to_be_bytes()[..], &number.0.to_be_bytes()];
                let nonce: Vec<u8> =
                    iv.iter().zip(counter.concat()).map(|(iv, count)| iv ^ count).collect();
                let header_len = if is_control { 32 } else { 52 };
                let (header, sealed) = packet.split_at(header_len);
                if is_control {
                    assert_eq!(gcm_open(&key, &nonce, header, sealed).unwrap(), FRAMES);
                    let mut packet = packet.clone();
                    assert_eq!(opening.open_control(NOW, &mut packet).unwrap().frames, FRAMES);
                } else {
                    assert!(gcm_open(&key, &nonce, header, &sealed[..16]).unwrap().is_empty());
                    assert_eq!(opening.open_data(NOW, &packet).unwrap().payload, PAYLOAD);
                }
                packets.push(json!({
                    "kind": if is_control { "control" } else { "data" },
                    "suite": suite_name,
                    "sender": role_code,
                    "worker": worker,
                    "epoch": epoch,
                    "path": path,
                    "packet_number": number.0,
                    "key": hex(&key),
                    "iv": hex(&iv),
                    "nonce": hex(&nonce),
                    "packet": hex(&packet),
                }));
            }
        }
    }
    check(
        "control",
        json!({
            "exporter": hex(&exported),
            "path_secret": hex(&path_secret),
            "secret_id": hex(&secret_id),
            "frames": hex(FRAMES),
            "payload": hex(PAYLOAD),
            "packets": packets,
        }),
    );
}

fn seal_control(keys: &mut PathKeys, path: u8) -> (Vec<u8>, PacketNumber) {
    let mut packet = vec![0; 48 + FRAMES.len()];
    packet[32..32 + FRAMES.len()].copy_from_slice(FRAMES);
    let number = keys.seal_control(PathId(path), &mut packet, FRAMES.len()).unwrap();
    (packet, number)
}

fn seal_data(keys: &mut PathKeys, path: u8) -> (Vec<u8>, PacketNumber) {
    let fields = DataFields {
        transfer: TransferId(0x0500_0001_0000_0002),
        position: 0x1_0000,
        length: PAYLOAD.len() as u16,
        flags: 1,
        backlog: 7,
    };
    let mut packet = vec![0; 68];
    let number = keys.seal_data_header(PathId(path), fields, &mut packet).unwrap();
    packet.extend_from_slice(PAYLOAD);
    (packet, number)
}

/// [SEC-26] [SEC-27]
#[test]
fn records() {
    let seed = [0x33; 32];
    let plaintext: Vec<u8> = (0..200_u32).map(|index| (index * 7) as u8).collect();
    let mut records = Vec::new();
    for (suite, _, suite_name) in SUITES {
        let rng = SecretRng::new(&Seed::from_bytes(seed), suite_name);
        let limits = KeyLimits::default();
        let mut keys = DataKeys::new(rng, suite, &limits);
        let skipped = keys.allocate(0x1_0203).unwrap();
        let key = keys.allocate(2).unwrap();
        assert_eq!(key.key_bytes(), skipped.key_bytes());
        assert_eq!(key.key_bytes(), &generate(&seed, suite_name)[..suite.key_len()]);
        let mut cache =
            OpeningKeys::new(&mut SecretRng::new(&Seed::from_bytes(seed), "cache"), &limits);
        let opener = cache.get(key.key_bytes()).unwrap();
        for (index, len) in [(0, 200), (1, 0)] {
            let plaintext = &plaintext[..len];
            let number = key.first_record() + index;
            let nonce = [&[0; 4][..], &number.to_be_bytes()].concat();
            let (mut sealed, mut opened) = (vec![0; len + 16], vec![0; len]);
            key.seal(index, plaintext, &mut sealed).unwrap();
            opener.open(number, &sealed, &mut opened).unwrap();
            assert_eq!(opened, plaintext);
            assert_eq!(gcm_open(key.key_bytes(), &nonce, &[], &sealed).unwrap(), plaintext);
            records.push(json!({
                "suite": suite_name,
                "key": hex(key.key_bytes()),
                "record": number,
                "nonce": hex(&nonce),
                "plaintext": hex(plaintext),
                "sealed": hex(&sealed),
            }));
        }
    }
    check("records", json!({ "records": records }));
}

/// [SEC-24] [SEC-25]
#[test]
fn secret_control() {
    let exported: [u8; 32] = core::array::from_fn(|index| 0x40 + index as u8);
    let path_secret = extract(b"dcquic1 exporter", &exported);
    let secret = PathSecret::from_exporter(&exported);
    let id = secret.id().0;
    let retire_control =
        [&[0x18, 0, 0, 0][..], &6_u32.to_be_bytes(), &id, &[2], &[0; 7], &[0; 16]].concat();
    let retire_data = [&[0x19][..], &[0; 7], &id, &[0xd4; 16], &[0; 16]].concat();
    let mut packets = Vec::new();
    for (role, role_code) in [(Role::Initiator, 0), (Role::Responder, 1)] {
        let key = derive(&path_secret, "secret control", &[role_code], 32);
        for blank in [&retire_control, &retire_data] {
            let mut packet = blank.clone();
            SecretControlKeys::new(&secret, role).seal(&mut packet).unwrap();
            SecretControlKeys::new(&secret, role.peer()).open(&packet).unwrap();
            let (text, tag) = packet.split_at(packet.len() - 16);
            assert_eq!(tag, &hmac(&key, &[text])[..16]);
            packets.push(json!({
                "sender": role_code,
                "key": hex(&key),
                "packet": hex(&packet),
            }));
        }
    }
    let psk = [0x77; 32];
    let token_key = derive(&extract(b"dcquic1 psk", &psk), "unknown secret", &[], 32);
    let token = hmac(&token_key, &[&id])[..16].to_vec();
    let tokens = UnknownSecretTokens::from_psk(&Psk::from_bytes(psk));
    assert_eq!(tokens.token(SecretId(id)).to_vec(), token);
    let packet = [&[0x1a][..], &[0; 7], &id, &token].concat();
    check(
        "secret_control",
        json!({
            "exporter": hex(&exported),
            "path_secret": hex(&path_secret),
            "retire": packets,
            "unknown_path_secret": {
                "psk": hex(&psk),
                "token_key": hex(&token_key),
                "secret_id": hex(&id),
                "token": hex(&token),
                "packet": hex(&packet),
            },
        }),
    );
}

/// Compares with the file `name`, or writes it where asked to.
fn check(name: &str, found: Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../spec/vectors/crypto")
        .join(format!("{name}.json"));
    let text = serde_json::to_string_pretty(&found).unwrap() + "\n";
    if std::env::var_os("DCQUIC_BLESS").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, expected, "{name}.json; DCQUIC_BLESS=1 writes it anew");
}

// The key schedule, as the specification has it.

fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, &parts.concat()).as_ref().to_vec()
}

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    digest::digest(&digest::SHA256, &parts.concat()).as_ref().to_vec()
}

fn extract(salt: &[u8], input: &[u8]) -> Vec<u8> {
    hmac(salt, &[input])
}

/// One block of HKDF-Expand is enough for every key.
fn derive(secret: &[u8], label: &str, context: &[u8], len: usize) -> Vec<u8> {
    assert!(len <= 32);
    let label = format!("dcquic1 {label}");
    let info = [
        &(len as u16).to_be_bytes()[..],
        &[label.len() as u8],
        label.as_bytes(),
        &[context.len() as u8],
        context,
    ]
    .concat();
    hmac(secret, &[&info, &[1]])[..len].to_vec()
}

/// The first 32 bytes of a generator.
fn generate(seed: &[u8], purpose: &str) -> Vec<u8> {
    let purpose = sha256(&[purpose.as_bytes()]);
    let key = derive(&extract(b"dcquic1 seed", seed), "generator", &purpose, 32);
    hmac(&key, &[&[0], &0_u64.to_be_bytes()])
}

fn gcm_open(key: &[u8], nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let algorithm = if key.len() == 16 { &aead::AES_128_GCM } else { &aead::AES_256_GCM };
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(algorithm, key).unwrap());
    let nonce = aead::Nonce::try_assume_unique_for_key(nonce).unwrap();
    let mut text = sealed.to_vec();
    let len = key.open_in_place(nonce, aead::Aad::from(aad), &mut text).ok()?.len();
    text.truncate(len);
    Some(text)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Stands for frames: what is sealed is of no interest to this chapter.
const FRAMES: &[u8] = b"frames of a control packet";
/// Stands for a slice of sealed records.
const PAYLOAD: &[u8] = b"a slice of sealed records";
