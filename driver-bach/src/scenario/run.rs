//! A scenario becomes hosts in a network, and these an outcome.

use std::{
    cell::RefCell,
    fs::File,
    path::{Path, PathBuf},
    rc::Rc,
    time::{Duration, Instant},
};

use dcquic_proto::{crypto::Seed, rng::Jitter};

use super::{Engine, Outcome, RunError, Scenario, Transport, memory};
use crate::{
    bach_engine,
    host::{
        Host, HostError,
        dcquic::{Buffers, DcquicHost, Shared, pattern},
        quinn::{Congestion, QuinnError, QuinnHost, QuinnSettings, QuinnShared},
    },
    measure::{Failure, Findings, Measured, Recorder, seconds, summarize, wire_bytes},
    net::{Fault, HostFault, HostFaultKind, Network, NicId, Picos},
    pcap::Capture,
    scale::{self, MakeHost, Setup, Watch, start_of},
    workload::Transfer,
};

/// Time after the last delivery in which acknowledgements arrive, and are sent again if lost.
const LINGER: Picos = Picos::from_nanos(100_000_000);

/// The same where somebody has to notice that a peer is gone.
const LONG_LINGER: Picos = Picos::from_nanos(12_000_000_000);

/// The most NICs that Bach is asked to simulate, each with tasks of its own.
const BACH_NICS: usize = 128;

/// What others want to know of a run in progress.
#[derive(Default)]
pub struct Hooks {
    /// Where to put a capture of all that is transmitted.
    pub capture: Option<PathBuf>,
    /// Is told how many transfers have ended.
    pub watch: Option<Watch>,
}

impl core::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Hooks").field("capture", &self.capture).finish_non_exhaustive()
    }
}

impl Scenario {
    /// Runs it to its end.
    ///
    /// # Errors
    /// It cannot be run, or the capture cannot be written.
    pub fn run(&self, transport: Transport, hooks: Hooks) -> Result<Outcome, RunError> {
        self.validate()?;
        memory::reset_peak();
        let transfers = self.workload.transfers(&self.network, self.seed);
        let spec = self.network_from(start_of(&transfers).nanos_ceil());
        let mut network = Network::new(&spec, self.seed).map_err(super::ScenarioError::from)?;
        let capture = hooks.capture.as_deref().map(|path| tap(&mut network, path)).transpose()?;
        let started = Instant::now();
        let (recorder, mut network) = match self.engine {
            Engine::Bach => self.run_in_bach(transport, network, transfers)?,
            Engine::Auto | Engine::Scale => {
                self.run_in_scale(transport, network, transfers, hooks.watch)?
            }
        };
        let wall_s = started.elapsed().as_secs_f64();
        network.on_wire(None);
        if let Some(capture) = capture.and_then(Rc::into_inner) {
            capture.into_inner().finish().map_err(RunError::Capture)?;
        }
        Ok(self.outcome(transport, recorder, &network, wall_s))
    }

    fn run_in_scale(
        &self,
        transport: Transport,
        network: Network,
        transfers: Vec<Transfer>,
        watch: Option<Watch>,
    ) -> Result<(Recorder, Network), RunError> {
        let buffers = Rc::new(RefCell::new(Vec::new()));
        let make_host = self.make_host(transport, &transfers, &buffers)?;
        let engine = scale::Engine::new(Setup {
            network,
            nics_per_host: self.network.topology.nics_per_host(),
            make_host,
            transfers,
            host_faults: self.host_faults.clone(),
            limit: Picos::from_nanos(self.limit_ns),
            linger: self.linger(),
            buffers,
            retry: self.retry,
            memory_limit: self.thorough.then(|| self.memory_limit(transport)),
            watch,
        })?;
        let (recorder, network, _) = engine.run();
        Ok((recorder, network))
    }

    fn run_in_bach(
        &self,
        transport: Transport,
        network: Network,
        transfers: Vec<Transfer>,
    ) -> Result<(Recorder, Network), RunError> {
        let pauses = |fault: &HostFault| matches!(fault.kind, HostFaultKind::Pause { .. });
        let refused = if transport != Transport::Dcquic {
            Some("runs dcquic only")
        } else if self.retry.is_some() || !self.host_faults.iter().all(pauses) {
            Some("has no crashes and no further attempts")
        } else if self.network.topology.nics_per_host() > 1 && !self.host_faults.is_empty() {
            Some("has no faults of hosts with several NICs")
        } else if network.nics() > BACH_NICS {
            Some("is for up to 128 NICs")
        } else {
            None
        };
        if let Some(why) = refused {
            return Err(RunError::NotInBach(why));
        }
        let seed = Jitter::new(self.seed).next_u64();
        let nics = (0..network.nics()).map(|nic| NicId(nic as u32));
        bach_engine::run(bach_engine::Setup {
            config: self.profile.config(&self.network),
            seeds: nics.map(|nic| Seed::from_bytes(host_seed(seed, nic, 0))).collect(),
            pattern: pattern(longest(&transfers)),
            network,
            transfers,
            host_faults: self.host_faults.clone(),
            limit: Picos::from_nanos(self.limit_ns),
            linger: self.linger(),
            seed: self.seed,
            interleave: false,
        })
        .map_err(RunError::Bach)
    }

    /// How long to go on after the last delivery: until all faults have ended, and on from there.
    fn linger(&self) -> Picos {
        if self.loses_peers() {
            return LONG_LINGER;
        }
        let of_network = self.network.faults.iter().map(|fault| match *fault {
            Fault::Down { at_ns, for_ns, .. }
            | Fault::Partition { at_ns, for_ns, .. }
            | Fault::Rate { at_ns, for_ns, .. }
            | Fault::Delay { at_ns, for_ns, .. } => at_ns.saturating_add(for_ns.unwrap_or(0)),
        });
        let of_hosts = self.host_faults.iter().map(|fault| match fault.kind {
            HostFaultKind::Pause { for_ns } => fault.at_ns.saturating_add(for_ns),
            HostFaultKind::Crash | HostFaultKind::Restart { .. } => fault.at_ns,
        });
        let last = of_network.chain(of_hosts).max().unwrap_or(0);
        LINGER + Picos::from_nanos(last)
    }

    /// Whether a peer may be gone for good.
    fn loses_peers(&self) -> bool {
        let forever = |fault: &Fault| match fault {
            Fault::Down { for_ns, .. } | Fault::Partition { for_ns, .. } => for_ns.is_none(),
            Fault::Rate { .. } | Fault::Delay { .. } => false,
        };
        let crash = |kind| !matches!(kind, HostFaultKind::Pause { .. });
        self.host_faults.iter().any(|fault| crash(fault.kind))
            || self.network.faults.iter().any(forever)
    }

    fn memory_limit(&self, transport: Transport) -> u64 {
        let config = self.profile.config(&self.network);
        match transport {
            Transport::Dcquic => config.receive_memory + config.send_memory,
            Transport::QuinnCubic | Transport::QuinnBbr => u64::MAX,
        }
    }

    fn make_host(
        &self,
        transport: Transport,
        transfers: &[Transfer],
        buffers: &Buffers,
    ) -> Result<MakeHost, RunError> {
        let seed = Jitter::new(self.seed).next_u64();
        match transport {
            Transport::Dcquic => {
                let shared = Shared {
                    pattern: pattern(longest(transfers)),
                    buffers: Rc::clone(buffers),
                    thorough: self.thorough,
                };
                let config = self.profile.config(&self.network);
                Ok(Box::new(move |nic, incarnation| {
                    let seed = Seed::from_bytes(host_seed(seed, nic, incarnation));
                    let host = DcquicHost::new(nic.address(), config.clone(), seed, &shared)
                        .map_err(|error| HostError(error.to_string()))?;
                    Ok(Box::new(host) as Box<dyn Host>)
                }))
            }
            Transport::QuinnCubic => self.make_quinn(Congestion::Cubic, seed),
            Transport::QuinnBbr => self.make_quinn(Congestion::Bbr, seed),
        }
    }

    fn make_quinn(&self, congestion: Congestion, seed: u64) -> Result<MakeHost, RunError> {
        let refused = |error: QuinnError| HostError(error.to_string());
        let mtu = u16::try_from(self.network.mtu_bytes).unwrap_or(u16::MAX);
        let rtt = Duration::from_nanos(2 * (self.network.delay_ns + self.network.host_delay_ns));
        let settings = QuinnSettings::new(congestion, mtu, rtt);
        let shared = QuinnShared::new(&settings).map_err(refused)?;
        Ok(Box::new(move |nic, incarnation| {
            let mut seeds = Jitter::new(seed ^ (u64::from(nic.0) << 32) ^ u64::from(incarnation));
            let host = QuinnHost::new(&shared, nic.address(), seeds.next_u64()).map_err(refused)?;
            Ok(Box::new(host) as Box<dyn Host>)
        }))
    }

    fn outcome(
        &self,
        transport: Transport,
        recorder: Recorder,
        network: &Network,
        wall_s: f64,
    ) -> Outcome {
        let summary = summarize(&recorder, network, &self.network);
        let findings = self.workload.findings(&Measured {
            recorder: &recorder,
            network: &self.network,
            summary: &summary,
        });
        let completions = self.completions(&recorder);
        let open = recorder.transfers.len() - recorder.ended();
        let (samples, mut problems) = (recorder.samples, recorder.problems);
        if open > 0 {
            problems.push(format!("{open} transfers had not ended when the time was over"));
        }
        // what arrived after its sender had given up, or was no more, is not lost
        let lost =
            |failure: &Failure| recorder.records[failure.transfer as usize].delivered.is_none();
        let failures = recorder.failures.into_iter().filter(lost).collect();
        Outcome {
            scenario: self.name.clone(),
            transport: transport.to_string(),
            engine: if self.engine == Engine::Bach { "bach" } else { "scale" }.to_owned(),
            seed: self.seed,
            ok: problems.is_empty() && (summary.lost_transfers == 0 || self.loses_peers()),
            transfers: recorder.transfers.len(),
            findings: Findings(findings),
            wall_s,
            packets_per_wall_s: summary.packets as f64 / wall_s,
            peak_memory_bytes: memory::peak_bytes(),
            problems,
            failures,
            samples,
            completions,
            summary,
        }
    }
}

impl Scenario {
    /// When each delivered transfer was complete, and its bytes on a wire.
    fn completions(&self, recorder: &Recorder) -> Vec<(f64, u64)> {
        let mut completions: Vec<(f64, u64)> = recorder
            .transfers
            .iter()
            .zip(&recorder.records)
            .filter_map(|(transfer, record)| {
                let at = record.delivered?.saturating_since(recorder.start);
                Some((seconds(at), wire_bytes(transfer.size, &self.network)))
            })
            .collect();
        completions.sort_by(|a, b| a.0.total_cmp(&b.0));
        completions
    }
}

/// The longest message, in bytes.
fn longest(transfers: &[Transfer]) -> usize {
    transfers.iter().map(|transfer| transfer.size).max().unwrap_or(0) as usize
}

/// Different for every host and each of its incarnations.
fn host_seed(seed: u64, nic: NicId, incarnation: u32) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..12].copy_from_slice(&nic.0.to_le_bytes());
    bytes[12..16].copy_from_slice(&incarnation.to_le_bytes());
    bytes
}

type SharedCapture = Rc<RefCell<Capture<File>>>;

/// Has all that is transmitted captured to a file.
fn tap(network: &mut Network, path: &Path) -> Result<SharedCapture, RunError> {
    let file = File::create(path).map_err(RunError::Capture)?;
    let capture = Rc::new(RefCell::new(Capture::new(file).map_err(RunError::Capture)?));
    let tap = Rc::clone(&capture);
    network.on_wire(Some(Box::new(move |from, at, frame| {
        tap.borrow_mut().handle_frame(from, at, frame);
    })));
    Ok(capture)
}
