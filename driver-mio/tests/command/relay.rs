//! A UDP relay that loses packets.

use std::{
    collections::HashMap,
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

/// Stands between clients and a server; each client gets a socket of its own towards the server.
pub(crate) struct Relay {
    pub(crate) address: String,
    pub(crate) lost: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Forwards to `server`, and loses one packet in `one_in` (0: none). Waits `pause` after each
    /// batch, which bounds the rate.
    pub(crate) fn start(server: &str, one_in: u64, pause: Duration) -> Self {
        let server: SocketAddr = server.parse().unwrap();
        let front = UdpSocket::bind("127.0.0.1:0").unwrap();
        front.set_nonblocking(true).unwrap();
        let address = front.local_addr().unwrap().to_string();
        let (stop, lost) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, counted) = (stop.clone(), lost.clone());
        let thread = std::thread::spawn(move || {
            let mut dice = Dice { state: 42, one_in, lost: counted };
            let mut backs: HashMap<SocketAddr, UdpSocket> = HashMap::new();
            let mut buffer = vec![0; 65_536];
            while !stopped.load(Ordering::Relaxed) {
                let mut moved = 0;
                while let Ok((len, client)) = front.recv_from(&mut buffer) {
                    let back = backs.entry(client).or_insert_with(|| {
                        let back = UdpSocket::bind("127.0.0.1:0").unwrap();
                        back.set_nonblocking(true).unwrap();
                        back
                    });
                    if dice.spares() {
                        let _ = back.send_to(&buffer[..len], server);
                    }
                    moved += 1;
                    if moved == BATCH {
                        break;
                    }
                }
                for (client, back) in &backs {
                    for _ in 0..BATCH {
                        let Ok((len, _)) = back.recv_from(&mut buffer) else { break };
                        if dice.spares() {
                            let _ = front.send_to(&buffer[..len], client);
                        }
                        moved += 1;
                    }
                }
                std::thread::sleep(if moved == 0 { Duration::from_micros(50) } else { pause });
            }
        });
        Self { address, lost, stop, thread: Some(thread) }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

struct Dice {
    state: u64,
    one_in: u64,
    lost: Arc<AtomicU64>,
}

impl Dice {
    fn spares(&mut self) -> bool {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let loses = self.one_in > 0 && (self.state >> 33).is_multiple_of(self.one_in);
        self.lost.fetch_add(loses.into(), Ordering::Relaxed);
        !loses
    }
}

const BATCH: usize = 32;
