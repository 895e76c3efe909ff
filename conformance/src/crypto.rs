//! The suite `crypto`: known answers of the key schedule, hellos, packets and records.

use dcquic_proto::{
    crypto::{
        KeyLimits, OpeningKeys, PathKeys, PathSecret, Psk, SecretControlKeys, SecretRng, Seed,
        Suite as Cipher, UnknownSecretTokens, hello_random, hello_respond,
    },
    id::{Incarnation, Role, SecretId, WorkerId},
    time::Timestamp,
    wire::HelloParams,
};
use serde_json::Value;

use crate::{
    suite::{Difference, Suite},
    vector::{Entry, FieldError, to_hex},
};

/// The suite `crypto` over dcquic-proto. Each file is one document with fields of its own.
#[derive(Clone, Copy, Debug)]
pub struct Crypto;

/// Used by the vectors wherever the specification leaves a worker open.
const WORKER: WorkerId = WorkerId(0);

impl Suite for Crypto {
    fn name(&self) -> &'static str {
        "crypto"
    }

    fn check(&self, entry: &Entry) -> Result<Vec<Difference>, FieldError> {
        if entry.value("transcript_hash").is_ok() {
            hello(entry)
        } else if entry.value("packets").is_ok() {
            packets(entry)
        } else if entry.value("records").is_ok() {
            records(entry)
        } else {
            secret_control(entry)
        }
    }
}

fn hello(entry: &Entry) -> Result<Vec<Difference>, FieldError> {
    let psk = Psk::from_bytes(array(&entry.bytes("psk")?)?);
    let initiator = part(entry, "initiator")?;
    let responder = part(entry, "responder")?;
    let init = initiator.bytes("packet")?;
    let seed = Seed::from_bytes(array(&responder.bytes("seed")?)?);
    let mut rng = SecretRng::new(&seed, responder.text("generator")?);
    let incarnation = Incarnation(array(&responder.bytes("incarnation")?)?);
    let random = hello_random(&init).map(|random| to_hex(&random)).unwrap_or_default();
    let params = HelloParams::default();
    let answer = hello_respond(&psk, incarnation, &params, &mut rng, &init);
    let (secret, reply) = match &answer {
        Ok((outcome, reply)) => (to_hex(&outcome.secret.id().0), to_hex(reply)),
        Err(error) => (error.to_string(), String::new()),
    };
    let pairs = [
        ("psk_text", entry.text("psk_text")?, psk.to_text().to_string()),
        ("psk_id", entry.text("psk_id")?, to_hex(&psk.id())),
        ("initiator.random", initiator.text("random")?, random),
        ("responder.packet", responder.text("packet")?, reply),
        ("secret_id", entry.text("secret_id")?, secret),
    ];
    Ok(differences(pairs))
}

fn packets(entry: &Entry) -> Result<Vec<Difference>, FieldError> {
    let secret = PathSecret::from_exporter(&array(&entry.bytes("exporter")?)?);
    let mut found = differences([("secret_id", entry.text("secret_id")?, to_hex(&secret.id().0))]);
    let mut receivers: Vec<(Role, Cipher, PathKeys)> = Vec::new();
    for (index, packet) in list(entry, "packets")?.iter().enumerate() {
        let mut bytes = packet.bytes("packet")?;
        let sender = if packet.number("sender")? == 0 { Role::Initiator } else { Role::Responder };
        let cipher = cipher(packet)?;
        // one receiver for each sender and suite: it has to see a sender's epochs in turn
        let keys = match receivers.iter_mut().find(|(s, c, _)| *s == sender && *c == cipher) {
            Some((.., keys)) => keys,
            None => {
                let limits = KeyLimits::default()
                    .with_paths(256)
                    .map_err(|_| FieldError::Invalid { field: "path", wanted: "a path" })?;
                let keys = PathKeys::new(&secret, sender.peer(), WORKER, cipher, limits);
                receivers.push((sender, cipher, keys));
                let Some((.., keys)) = receivers.last_mut() else { continue };
                keys
            }
        };
        let (what, expected) = match packet.text("kind")? {
            "control" => ("frames", entry.text("frames")?),
            _ => ("payload", entry.text("payload")?),
        };
        let opened = if what == "frames" {
            keys.open_control(Timestamp::ZERO, &mut bytes).map(|opened| to_hex(opened.frames))
        } else {
            keys.open_data(Timestamp::ZERO, &bytes).map(|opened| to_hex(opened.payload))
        };
        let actual = opened.unwrap_or_else(|error| error.to_string());
        found.extend(Difference::between(format!("packets[{index}] {what}"), expected, actual));
    }
    Ok(found)
}

fn records(entry: &Entry) -> Result<Vec<Difference>, FieldError> {
    let seed = Seed::from_bytes([0; 32]);
    let mut rng = SecretRng::new(&seed, "conformance");
    let mut keys = OpeningKeys::new(&mut rng, &KeyLimits::default());
    let mut found = Vec::new();
    for (index, record) in list(entry, "records")?.iter().enumerate() {
        let sealed = record.bytes("sealed")?;
        let mut plain = vec![0; sealed.len().saturating_sub(16)];
        let wanted = "a key of 16 or 32 bytes";
        let key = keys
            .get(&record.bytes("key")?)
            .map_err(|_| FieldError::Invalid { field: "key", wanted })?;
        let actual = match key.open(record.number("record")?, &sealed, &mut plain) {
            Ok(()) => to_hex(&plain),
            Err(error) => error.to_string(),
        };
        let expected = record.text("plaintext")?;
        found.extend(Difference::between(format!("records[{index}]"), expected, actual));
    }
    Ok(found)
}

fn secret_control(entry: &Entry) -> Result<Vec<Difference>, FieldError> {
    let secret = PathSecret::from_exporter(&array(&entry.bytes("exporter")?)?);
    let mut found = Vec::new();
    for (index, packet) in list(entry, "retire")?.iter().enumerate() {
        let sender = if packet.number("sender")? == 0 { Role::Initiator } else { Role::Responder };
        let keys = SecretControlKeys::new(&secret, sender.peer());
        let opened = keys.open(&packet.bytes("packet")?);
        let actual = if opened.is_ok() { "opened" } else { "not authentic" };
        found.extend(Difference::between(format!("retire[{index}]"), "opened", actual));
    }
    let unknown = part(entry, "unknown_path_secret")?;
    let psk = Psk::from_bytes(array(&unknown.bytes("psk")?)?);
    let id = SecretId(array(&unknown.bytes("secret_id")?)?);
    let token = UnknownSecretTokens::from_psk(&psk).token(id);
    let expected = unknown.text("token")?;
    found.extend(Difference::between("unknown_path_secret.token", expected, to_hex(&token)));
    Ok(found)
}

fn differences<const N: usize>(pairs: [(&str, &str, String); N]) -> Vec<Difference> {
    let compare = |(what, expected, actual)| Difference::between(what, expected, actual);
    pairs.into_iter().filter_map(compare).collect()
}

fn cipher(packet: &Entry) -> Result<Cipher, FieldError> {
    match packet.text("suite")? {
        "AES-128-GCM" => Ok(Cipher::Aes128Gcm),
        "AES-256-GCM" => Ok(Cipher::Aes256Gcm),
        _ => Err(FieldError::Invalid { field: "suite", wanted: "a cipher suite" }),
    }
}

/// An object inside an entry, read like one.
fn part(entry: &Entry, field: &'static str) -> Result<Entry, FieldError> {
    match entry.value(field)? {
        Value::Object(fields) => Ok(Entry { name: field.to_owned(), fields: fields.clone() }),
        _ => Err(FieldError::Invalid { field, wanted: "an object" }),
    }
}

/// The objects of a list inside an entry.
fn list(entry: &Entry, field: &'static str) -> Result<Vec<Entry>, FieldError> {
    let wanted = "a list of objects";
    let Value::Array(items) = entry.value(field)? else {
        return Err(FieldError::Invalid { field, wanted });
    };
    let object = |item: &Value| match item {
        Value::Object(fields) => Ok(Entry { name: field.to_owned(), fields: fields.clone() }),
        _ => Err(FieldError::Invalid { field, wanted }),
    };
    items.iter().map(object).collect()
}

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], FieldError> {
    let wanted = "of the length that its meaning has";
    bytes.try_into().map_err(|_| FieldError::Invalid { field: "bytes", wanted })
}
