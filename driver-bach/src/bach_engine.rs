//! The Bach engine: workers, pools and applications as tasks over the network model.
//!
//! It runs the scenarios of the [scale engine](crate::scale), for up to about a hundred hosts,
//! through everything that stands between an application and the wire: [`Pool`],
//! [`Worker`](dcquic_proto::worker::Worker), [`BachLink`](crate::BachLink), Bach's sockets, wakers
//! and timers. Each host is a group of Bach's with a task that drives its worker, tasks that call
//! and a task that answers.
//!
//! [`NetworkAllocator`] puts a [`Network`] under the sockets of any simulation, and [`run`] runs a
//! scenario.
//!
//! # Agreement with the scale engine
//!
//! Both engines give the same trace: the same frames at the same picoseconds in the same order on
//! every link, and so the same drops and completion times. What that takes:
//!
//! - Bach counts whole nanoseconds; a run reads them as picoseconds ([`Clock::Picoseconds`]), so
//!   that no frame's time is rounded. Endpoints see nanoseconds, rounded up as in the scale engine.
//! - One task owns the network's events and carries them out in order of time, and of insertion
//!   among equals. What hosts send at the same instant enters their NICs in the order in which the
//!   hosts woke.
//! - A host takes its inputs, lets its applications answer, and then sends. Answers thus travel
//!   with acknowledgements, where a thread per worker would send them a moment later in packets of
//!   their own.
//! - A worker writes no more than its NIC has room for
//!   ([`Link::room`](dcquic_proto::link::Link::room)), and is told when the NIC has drained to
//!   half.
//! - Alarms are set as the scale engine sets them.
//!
//! Bach wakes timers that are due at the same picosecond in an order of its own, so that hosts
//! whose alarms coincide may take their turns in another order than in the scale engine.
//!
//! # Interleavings
//!
//! [`Setup::interleave`] has Bach permute the order in which hosts take turns at the same instant,
//! and how far one gets before the next: the seed picks one interleaving. Sends and receives are
//! then separate turns, so that answers and acknowledgements no longer share packets, and traces
//! differ from the scale engine's.

use std::{cell::RefCell, io, rc::Rc};

use bach::{coop::Operation, environment::default::Runtime, ext::*, task::JoinHandle};
use bytes::Bytes;
use dcquic_proto::{
    config::Config,
    crypto::Seed,
    endpoint::{Endpoint, NewEndpointError},
    pool::Pool,
    time::Timestamp,
};

pub use self::allocator::{NetworkAllocator, Nic};
use self::{application::Applications, driver::Driver, wire::Wire};
use crate::{
    Clock, Settings,
    host::{
        Counters,
        dcquic::{counters_of, psk},
    },
    measure::Recorder,
    net::{HostFault, HostFaultKind, Network, NicId, Picos},
    scale::{CONNECT_SPACING, pairs, start_of},
    signal::Signal,
    workload::Transfer,
};

mod allocator;
mod application;
mod driver;
mod send_buffer;
mod wire;

/// Everything that one run needs.
#[derive(Debug)]
pub struct Setup {
    /// The network.
    pub network: Network,
    /// How every endpoint behaves.
    pub config: Config,
    /// The randomness of each endpoint; one for every NIC.
    pub seeds: Vec<Seed>,
    /// What messages consist of: see [`pattern`](crate::host::dcquic::pattern). At least as long as
    /// the longest.
    pub pattern: Bytes,
    /// What is sent, in order of time.
    pub transfers: Vec<Transfer>,
    /// What befalls hosts, with times from the start of the workload.
    pub host_faults: Vec<HostFault>,
    /// Simulated time after which the run ends, from the start of the workload.
    pub limit: Picos,
    /// How long to go on after the last delivery, for acknowledgements.
    pub linger: Picos,
    /// Seed of Bach's choices.
    pub seed: u64,
    /// Have Bach choose among the interleavings of an instant.
    pub interleave: bool,
}

/// A run that could not be finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The configuration cannot work.
    #[error(transparent)]
    Endpoint(#[from] NewEndpointError),
    /// There are not as many seeds as NICs.
    #[error("{seeds} seeds were given for {nics} NICs")]
    Seeds {
        /// Seeds that were given.
        seeds: usize,
        /// NICs of the network.
        nics: usize,
    },
    /// A simulated socket could not be opened, or failed.
    #[error("a simulated socket failed: {0}")]
    Socket(#[from] io::Error),
    /// A task ended in the middle, or never.
    #[error("a task of the simulation did not end as it should")]
    Task,
}

/// Runs a scenario: connects, runs the workload to its end or to the limit, and hands over what was
/// measured.
///
/// # Errors
/// The set-up cannot work.
pub fn run(setup: Setup) -> Result<(Recorder, Network), RunError> {
    let nics = setup.network.nics();
    if setup.seeds.len() != nics {
        return Err(RunError::Seeds { seeds: setup.seeds.len(), nics });
    }
    let endpoints: Vec<Endpoint> = setup
        .seeds
        .into_iter()
        .map(|seed| Endpoint::new(setup.config.clone(), psk(), seed, Timestamp::ZERO))
        .collect::<Result<_, _>>()?;
    let allocator = NetworkAllocator::new(setup.network, Clock::Picoseconds);
    let wire = allocator.wire.clone();
    let recorder = Rc::new(RefCell::new(Recorder::new(&setup.transfers)));
    let result = Rc::new(RefCell::new(None));
    let mut runtime = Runtime::new()
        .with_seed(setup.seed)
        .with_coop(setup.interleave)
        .with_net_queues(Some(Box::new(allocator.clone())));
    runtime.run(|| {
        let observer = Rc::clone(&recorder);
        wire.observe(Box::new(move |at, frame| observer.borrow_mut().frame(at, frame)));
        let applications = Applications {
            wire: wire.clone(),
            recorder: Rc::clone(&recorder),
            pattern: setup.pattern,
            done: Rc::new(Signal::new()),
        };
        let script = Script {
            applications,
            transfers: setup.transfers,
            limit: setup.limit,
            linger: setup.linger,
        };
        let hosts = Hosts {
            allocator,
            interleaving: setup.interleave.then(Operation::register),
            host_faults: setup.host_faults,
            start: start_of(&script.transfers),
            max_datagram: setup.config.max_datagram.into(),
            max_segments: setup.config.max_segments,
        };
        let opened = hosts.open(endpoints, &script.applications);
        let result = Rc::clone(&result);
        async move {
            let ended = script.play(opened).await;
            *result.borrow_mut() = Some(ended);
        }
        .group("script")
        .primary()
        .spawn();
    });
    drop(runtime);
    result.take().ok_or(RunError::Task)??;
    let events = wire.events();
    let network = wire.into_network().ok_or(RunError::Task)?;
    let mut recorder = Rc::into_inner(recorder).ok_or(RunError::Task)?.into_inner();
    recorder.close(events);
    Ok((recorder, network))
}

/// A host that is being opened: it gives its pool, and the task that drives its worker, which gives
/// what is left in the end.
type Opening = JoinHandle<io::Result<(Pool, JoinHandle<io::Result<Vec<String>>>)>>;

/// What it takes to open the hosts.
struct Hosts {
    allocator: NetworkAllocator,
    interleaving: Option<Operation>,
    host_faults: Vec<HostFault>,
    start: Picos,
    max_datagram: usize,
    max_segments: usize,
}

impl Hosts {
    /// Spawns the tasks of every host, in the order of NICs.
    fn open(&self, endpoints: Vec<Endpoint>, applications: &Applications) -> Vec<Opening> {
        endpoints
            .into_iter()
            .zip(0..)
            .map(|(endpoint, nic)| {
                let nic = NicId(nic);
                let settings = Settings {
                    max_datagram: self.max_datagram,
                    max_segments: self.max_segments,
                    clock: Clock::Picoseconds,
                    ..Settings::default()
                };
                let how = (self.pauses(nic), self.interleaving);
                let handle = self.allocator.nic(nic);
                let driver = Driver::open(nic.address(), endpoint, handle, settings, how);
                let applications = applications.clone();
                async move {
                    let (driver, pool) = driver.await?;
                    let driver = driver.run().spawn_named("driver");
                    applications.serve(nic, pool.clone()).spawn_named("application");
                    Ok((pool, driver))
                }
                .group(format!("nic{}", nic.0))
                .spawn()
            })
            .collect()
    }

    fn pauses(&self, nic: NicId) -> Vec<(Picos, Picos)> {
        self.host_faults
            .iter()
            .filter(|fault| fault.host == nic.0)
            .filter_map(|fault| {
                let HostFaultKind::Pause { for_ns } = fault.kind else { return None };
                let from = self.start + Picos::from_nanos(fault.at_ns);
                Some((from, from + Picos::from_nanos(for_ns)))
            })
            .collect()
    }
}

/// What happens in a run from outside of the hosts.
struct Script {
    applications: Applications,
    transfers: Vec<Transfer>,
    limit: Picos,
    linger: Picos,
}

impl Script {
    async fn play(self, opened: Vec<Opening>) -> Result<(), RunError> {
        let Applications { wire, recorder, done, .. } = &self.applications;
        let clock = wire.clock();
        let (mut pools, mut drivers) = (Vec::new(), Vec::new());
        for opening in opened {
            let (pool, driver) = opening.await.map_err(|_| RunError::Task)??;
            pools.push(pool);
            drivers.push(driver);
        }
        self.connect(&pools).await;
        let start = start_of(&self.transfers);
        clock.sleep_until(start).await;
        wire.with(|network| recorder.borrow_mut().begin(start, network, counters(&pools)));
        sample(wire.clone(), Rc::clone(recorder)).spawn_named("samples");
        start_transfers(self.applications.clone(), start, self.transfers.clone(), pools.clone())
            .spawn_named("workload");
        let over = start + self.limit;
        while !recorder.borrow().is_done() && clock.now() < over {
            done.wait_until(clock, Some(over)).await;
        }
        let end = clock.now();
        // All hosts have taken their turns of this instant when the next one comes.
        clock.sleep_until(end + Picos(1)).await;
        wire.with(|network| recorder.borrow_mut().end(end, network, counters(&pools)));
        clock.sleep_until(end + self.linger).await;
        if recorder.borrow().is_done() {
            pools.iter().for_each(Pool::shutdown);
            for driver in drivers {
                for problem in driver.await.map_err(|_| RunError::Task)?? {
                    recorder.borrow_mut().problem(problem);
                }
            }
        }
        Ok(())
    }

    /// Lets every pair that will talk meet beforehand, one after the other.
    async fn connect(&self, pools: &[Pool]) {
        let clock = self.applications.wire.clock();
        let mut at = Picos::ZERO;
        for (a, b) in pairs(&self.transfers) {
            clock.sleep_until(at).await;
            let pool = pools[b.0 as usize].clone();
            self.applications.clone().connect(b, pool, a).spawn();
            at += CONNECT_SPACING;
        }
    }
}

/// Starts each transfer at its time.
async fn start_transfers(
    applications: Applications,
    start: Picos,
    transfers: Vec<Transfer>,
    pools: Vec<Pool>,
) {
    for (transfer, index) in transfers.into_iter().zip(0..) {
        applications.wire.clock().sleep_until(start + transfer.at).await;
        let pool = pools[transfer.from.0 as usize].clone();
        applications.clone().call(pool, index, transfer).spawn();
    }
}

/// Looks at the hot port until the last transfer has ended.
async fn sample(wire: Wire, recorder: Rc<RefCell<Recorder>>) {
    let clock = wire.clock();
    loop {
        let now = clock.now();
        let next = wire.with(|network| recorder.borrow_mut().sample(now, network));
        if recorder.borrow().is_done() {
            return;
        }
        clock.sleep_until(now + next).await;
    }
}

/// What all hosts have counted.
fn counters(pools: &[Pool]) -> Counters {
    pools.iter().map(|pool| counters_of(&pool.stats())).sum()
}

#[cfg(test)]
mod tests;
