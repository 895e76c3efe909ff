//! Files between two processes through a relay that drops 5 %, repeats 2 % and reorders 10 %.
//!
//! `DCQUIC_PUT_BYTES=4294967296` is the long form; run it with `--release`.

#![allow(clippy::unwrap_used, reason = "a test or example fails by panicking")]

use std::{
    fs,
    io::{Read, Write},
    path::Path,
    process::{Command, Stdio},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use dcquic_proto::rng::Jitter;
use dcquic_tests::{
    command::{Server, dcquic, keygen},
    relay::{Faults, Relay},
};
use sha2::{Digest, Sha256};

const FAULTS: Faults = Faults { drop: 50, duplicate: 20, reorder: 100 };

fn put_bytes() -> u64 {
    std::env::var("DCQUIC_PUT_BYTES").ok().and_then(|n| n.parse().ok()).unwrap_or(48 << 20)
}

/// Random bytes; returns their digest.
fn write_file(path: &Path, size: u64) -> [u8; 32] {
    let (mut file, mut digest, mut rng) =
        (fs::File::create(path).unwrap(), Sha256::new(), Jitter::new(size));
    let mut left = size;
    while left > 0 {
        let chunk: Vec<u8> = (0..1 << 17).flat_map(|_| rng.next_u64().to_le_bytes()).collect();
        let chunk = &chunk[..chunk.len().min(left as usize)];
        digest.update(chunk);
        file.write_all(chunk).unwrap();
        left -= chunk.len() as u64;
    }
    digest.finalize().into()
}

fn digest_of(path: &Path) -> [u8; 32] {
    let (mut file, mut digest) = (fs::File::open(path).unwrap(), Sha256::new());
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).unwrap() {
            0 => return digest.finalize().into(),
            len => digest.update(&buffer[..len]),
        }
    }
}

#[test]
fn a_file_goes_there_and_back_intact() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    fs::create_dir(&root).unwrap();
    let psk = keygen(folder.path());
    let server = Server::start(&psk, &root, &[]).unwrap();
    let relay = Relay::start(server.address, FAULTS, 1).unwrap();
    let source = folder.path().join("file.bin");
    let size = put_bytes();
    let digest = write_file(&source, size);

    let started = Instant::now();
    let put = Command::new(dcquic())
        .arg("put")
        .arg(&source)
        .arg(relay.address().to_string())
        .arg("--psk")
        .arg(&psk)
        .output()
        .unwrap();
    assert!(put.status.success(), "{}", String::from_utf8_lossy(&put.stderr));
    assert_eq!(digest_of(&root.join("file.bin")), digest);
    let seconds = started.elapsed().as_secs_f64();
    let dropped = relay.counters().dropped.load(Ordering::Relaxed);
    eprintln!("put {size} bytes in {seconds:.1} s; the relay dropped {dropped} datagrams");
    assert!(dropped > 0);

    let back = folder.path().join("back.bin");
    let get = Command::new(dcquic())
        .args(["get", &relay.address().to_string(), "file.bin"])
        .arg(&back)
        .arg("--psk")
        .arg(&psk)
        .output()
        .unwrap();
    assert!(get.status.success(), "{}", String::from_utf8_lossy(&get.stderr));
    assert_eq!(digest_of(&back), digest);
}

/// Starts a put that cannot end soon, and waits until the server has begun to write.
fn half_a_put(folder: &Path, kill_server: bool) {
    let root = folder.join("root");
    fs::create_dir(&root).unwrap();
    let psk = keygen(folder);
    let mut server = Server::start(&psk, &root, &["--timeout", "2s"]).unwrap();
    let relay = Relay::start(server.address, FAULTS, 2).unwrap();
    let source = folder.join("big.bin");
    fs::File::create(&source).unwrap().set_len(3 << 30).unwrap();
    let mut put = Command::new(dcquic())
        .arg("put")
        .arg(&source)
        .arg(relay.address().to_string())
        .args(["--timeout", "2s", "--psk"])
        .arg(&psk)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let begun = || fs::read_dir(&root).unwrap().count() > 0;
    let started = Instant::now();
    while !begun() && started.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(begun(), "the server never began to write");
    std::thread::sleep(Duration::from_millis(200));
    let killed = Instant::now();
    if kill_server {
        server.child.kill().unwrap();
        let output = put.wait_with_output().unwrap();
        assert!(killed.elapsed() < Duration::from_secs(8), "took {:?}", killed.elapsed());
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("silent"), "{said}");
    } else {
        put.kill().unwrap();
        put.wait().unwrap();
        while begun() && killed.elapsed() < Duration::from_secs(15) {
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(!begun(), "the server keeps half a file");
        let call = Command::new(dcquic())
            .args(["call", &server.address.to_string(), "echo", "--data", "there?", "--psk"])
            .arg(&psk)
            .output()
            .unwrap();
        assert!(String::from_utf8_lossy(&call.stdout).contains("there?"));
    }
    assert!(!root.join("big.bin").exists(), "half a file has the final name");
    if kill_server {
        // what the killed server left has a name of its own, and its successor removes it
        let _successor = Server::start(&psk, &root, &[]).unwrap();
        assert!(!begun(), "a stale part is left");
    }
}

#[test]
fn a_killed_server_leaves_no_half_file_and_the_client_says_so() {
    let folder = tempfile::tempdir().unwrap();
    half_a_put(folder.path(), true);
}

#[test]
fn a_killed_client_leaves_no_half_file_and_the_server_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    half_a_put(folder.path(), false);
}
