//! Packets in words.

use std::fs;

use dcquic_proto::{
    crypto::{
        HelloInitiator, KeyLimits, PathKeys, PathSecret, Psk, SecretRng, Seed, Suite, hello_respond,
    },
    id::{Incarnation, PathId, Role, WorkerId},
    wire::{
        HelloParams, Writer,
        frame::{Encode, Probe, StreamCloseAck},
    },
};

use crate::run::{Setting, failure, objects, stdout};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A control packet of the initiator with two frames.
fn control(secret: &PathSecret) -> Vec<u8> {
    let mut packet = vec![0; 200];
    let mut writer = Writer::new(&mut packet[32..]);
    Probe { nonce: 0x1234_5678 }.encode(&mut writer).unwrap();
    StreamCloseAck { stream: Default::default() }.encode(&mut writer).unwrap();
    let len = writer.len();
    packet.truncate(48 + len);
    let (suite, limits) = (Suite::default(), KeyLimits::default());
    let mut keys = PathKeys::new(secret, Role::Initiator, WorkerId(0), suite, limits);
    keys.seal_control(PathId::ZERO, &mut packet, len).unwrap();
    packet
}

#[test]
fn a_control_packet_opens_with_the_key_and_both_hellos() {
    let setting = Setting::new();
    let text = fs::read_to_string(setting.psk()).unwrap();
    let psk = Psk::parse(&text).unwrap();
    let mut rng = SecretRng::new(&Seed::from_bytes([1; 32]), "test");
    let params = HelloParams::default();
    let initiator = HelloInitiator::new(&psk, Incarnation([1; 16]), &params, &mut rng);
    let init = *initiator.packet();
    let (outcome, reply) =
        hello_respond(&psk, Incarnation([2; 16]), &params, &mut rng, &init).unwrap();
    let packet = hex(&control(&outcome.secret));
    fs::write(setting.path("init"), init).unwrap();
    fs::write(setting.path("reply"), hex(&reply)).unwrap();
    let (init, reply, psk) = (setting.text("init"), setting.text("reply"), setting.psk());
    let args = ["decode", &packet, "--psk", &psk, "--init", &init, "--reply", &reply, "--json"];
    let value = &objects(&stdout(args))[0];
    assert_eq!((&value["ok"], &value["authentic"]), (&true.into(), &true.into()));
    assert_eq!(value["sender"], "initiator");
    let frames = value["frames"].as_array().unwrap();
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[0]["kind"], "PROBE");
    assert_eq!(frames[0]["nonce"], 0x1234_5678.to_string());
    assert_eq!(frames[1]["kind"], "STREAM_CLOSE_ACK");
    // without the key, the clear fields only
    let value = &objects(&stdout(["decode", &packet, "--json"]))[0];
    assert_eq!(value["packet"]["kind"], "CONTROL");
    assert!(value.get("frames").is_none());
    let hello = stdout(["decode", &init]);
    assert!(hello.contains("HELLO_INIT"), "{hello}");
    let swapped = failure(["decode", &packet, "--psk", &psk, "--init", &reply, "--reply", &init]);
    assert!(swapped.contains("no key follows from the hello"), "{swapped}");
}

#[test]
fn a_control_packet_opens_with_an_exported_secret() {
    let packet = control(&PathSecret::from_exporter(&[7; 32]));
    let shown = stdout(["decode", &hex(&packet), "--exporter", &"07".repeat(32)]);
    assert!(shown.contains("authentic"), "{shown}");
    let wrong = failure(["decode", &hex(&packet), "--exporter", &"08".repeat(32)]);
    assert!(wrong.contains("does not open the packet"), "{wrong}");
    let short = failure(["decode", &hex(&packet), "--exporter", "0708"]);
    assert!(short.contains("64 hexadecimal digits"), "{short}");
}

#[test]
fn what_is_no_packet_is_told() {
    let setting = Setting::new();
    assert!(failure(["decode", "ff00"]).contains("no dcquic packet"));
    assert!(failure(["decode", "1000"]).contains("no dcquic packet"));
    assert!(failure(["decode", "packet"]).contains("neither hexadecimal nor a file"));
    fs::write(setting.path("long"), vec![0; 300_000]).unwrap();
    assert!(failure(["decode", &setting.text("long")]).contains("longer than any packet"));
}
