//! A server under random and mutated datagrams: it answers none with more than came, does not grow,
//! and goes on serving. `DCQUIC_HOSTILE=1000000` is the long form.

#![allow(clippy::unwrap_used, reason = "a test or example fails by panicking")]

use std::{
    fs,
    net::UdpSocket,
    process::Command,
    time::{Duration, Instant},
};

use dcquic_proto::{
    config::Config,
    crypto::{Psk, Seed},
    endpoint::{Endpoint, TransmitQueue},
    rng::Jitter,
    time::Timestamp,
};
use dcquic_tests::command::{Server, dcquic, keygen};

fn count() -> u64 {
    std::env::var("DCQUIC_HOSTILE").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000)
}

/// Resident memory of a process in bytes.
fn resident(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    text.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4_096
}

/// A genuine hello, for mutation; `psk` is the server's own key or another.
fn hello(psk: Psk, seed: u64) -> Vec<u8> {
    let mut bytes = [9; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let seed = Seed::from_bytes(bytes);
    let mut endpoint = Endpoint::new(Config::loopback(), psk, seed, Timestamp::ZERO).unwrap();
    endpoint.add_peer(Timestamp::ZERO, "127.0.0.1:1".parse().unwrap()).unwrap();
    let mut queue = TransmitQueue::new();
    endpoint.poll_transmit(Timestamp::ZERO, &mut queue, 1 << 16);
    let mut hello = Vec::new();
    queue.copy_to(queue.front().unwrap(), &mut hello);
    hello
}

#[test]
fn a_server_under_fire_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let psk_file = keygen(folder.path());
    let psk = || Psk::parse(&fs::read_to_string(&psk_file).unwrap()).unwrap();
    let server = Server::start(&psk_file, folder.path(), &[]).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let call = |expected: &str| {
        let output = Command::new(dcquic())
            .args(["call", &server.address.to_string(), "echo", "--data", expected, "--psk"])
            .arg(&psk_file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains(expected), "{said} {}", String::from_utf8_lossy(&output.stderr));
    };
    call("before");
    let own = hello(psk(), 1);
    let strange = hello(Psk::from_bytes([1; 32]), 2);
    let before = resident(server.child.id());
    let mut rng = Jitter::new(3);
    let (mut sent, mut received, mut largest) = (0_u64, 0_u64, 0);
    let mut answer = vec![0; 1 << 16];
    let started = Instant::now();
    for number in 0..count() {
        let mut datagram = match number % 8 {
            // a replayed genuine hello, now and then a new one, both answered
            0 => own.clone(),
            1 if number % 1_024 == 1 => hello(psk(), number),
            1 | 2 => strange.clone(),
            _ => (0..rng.below(1_400)).map(|_| rng.next_u64() as u8).collect(),
        };
        if number % 8 > 2 && !datagram.is_empty() {
            // the tags of real packets, so that more than the first byte is looked at
            datagram[0] = [0x10, 0x11, 0x14, 0x15, 0x18][rng.below(5) as usize];
        }
        if number % 8 == 2 {
            let at = rng.below(datagram.len() as u64) as usize;
            datagram[at] ^= 1 << rng.below(8);
        }
        // a full socket buffer on this side is no fault of the server
        sent += socket.send(&datagram).map_or(0, |len| len as u64);
        if number % 64 == 63 {
            socket.set_nonblocking(true).unwrap();
            while let Ok(len) = socket.recv(&mut answer) {
                received += len as u64;
                largest = largest.max(len);
            }
            socket.set_nonblocking(false).unwrap();
        }
    }
    while let Ok(len) = socket.recv(&mut answer) {
        received += len as u64;
        largest = largest.max(len);
    }
    let after = resident(server.child.id());
    let seconds = started.elapsed().as_secs_f64();
    eprintln!(
        "{} datagrams, {sent} bytes sent, {received} received in {seconds:.1} s; resident memory \
         {before} before, {after} after",
        count()
    );
    assert!(received <= sent && largest <= 256, "{received} of {sent}, {largest} at once");
    assert!(after < before + (16 << 20), "grew from {before} to {after} bytes");
    call("after");
}
