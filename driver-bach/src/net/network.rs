//! The network as a whole.

use core::{fmt, net::SocketAddr};

use dcquic_proto::{link::Ecn, rng::Jitter};

use super::{
    Arrival, Frame, NetStats, NetworkSpec, NicId, Picos, PortId, PortStats, SpecError, Step,
    Transmitter,
    chance::{Chances, Fate, Loss, corrupt},
    fabric::Fabric,
    frame::Transit,
    link::{Link, Node},
    memory::Memory,
    schedule::Schedule,
};
use partition::Partitions;

mod faults;
mod partition;

/// What [`Network::on_wire`] calls: who transmits, when the last bit leaves, and the frame.
pub type Observer = Box<dyn FnMut(Transmitter, Picos, &Frame)>;

/// The network as a whole: links, switches, and what goes wrong with them.
///
/// Calls must come in order of time.
pub struct Network {
    links: Vec<Link>,
    fabric: Fabric,
    memory: Memory,
    /// Marks above this.
    ecn_threshold: u64,
    control_first: bool,
    mtu: u64,
    chances: Option<Chances>,
    partitions: Partitions,
    schedule: Schedule,
    stats: NetStats,
    observer: Option<Observer>,
}

impl Network {
    /// The network of a specification. The seed decides what happens by chance, and which spine
    /// carries what.
    ///
    /// # Errors
    /// There can be no such network.
    pub fn new(spec: &NetworkSpec, seed: u64) -> Result<Self, SpecError> {
        spec.validate()?;
        let mut seeds = Jitter::new(seed);
        let fabric = Fabric::new(spec, seeds.next_u64());
        let mut links = fabric.links(spec);
        Ok(Self {
            memory: Memory::new(spec.buffer, fabric.switches(), &mut links),
            links,
            ecn_threshold: spec.ecn_threshold_bytes.unwrap_or(u64::MAX),
            control_first: spec.control_priority,
            mtu: spec.mtu_bytes.into(),
            chances: Chances::new(&spec.random, fabric.nics(), seeds.next_u64()),
            partitions: Partitions::default(),
            schedule: Schedule::new(&spec.faults),
            stats: NetStats::default(),
            observer: None,
            fabric,
        })
    }

    /// Number of NICs.
    pub fn nics(&self) -> usize {
        self.fabric.nics() as usize
    }

    /// The address of a NIC.
    pub fn address(&self, nic: NicId) -> SocketAddr {
        nic.address()
    }

    /// The NIC that has an address; the UDP port does not matter.
    pub fn nic_at(&self, address: SocketAddr) -> Option<NicId> {
        NicId::at(address).filter(|nic| nic.0 < self.fabric.nics())
    }

    /// Bytes that a NIC has taken and not yet serialized, as they count on the wire.
    ///
    /// # Panics
    /// The network has no such NIC, here as in the other calls.
    pub fn nic_backlog(&self, now: Picos, nic: NicId) -> u64 {
        self.links[nic.index()].queue(now)
    }

    /// When a NIC's backlog will be at most `bytes`; in the past if it is so already.
    pub fn nic_drained_to(&self, nic: NicId, bytes: u64) -> Picos {
        self.links[nic.index()].drained_to(bytes)
    }

    /// The switch port that faces a NIC, where an incast waits.
    pub fn port_of(&self, nic: NicId) -> PortId {
        PortId(nic.0)
    }

    /// Number of switch ports.
    pub fn ports(&self) -> usize {
        self.links.len() - self.nics()
    }

    /// What a switch port did so far.
    ///
    /// # Panics
    /// The network has no such port, here as in the other calls.
    pub fn port(&self, port: PortId) -> PortStats {
        self.links[self.nics() + port.0 as usize].stats
    }

    /// Bytes that wait at a switch port, the unsent part of the frame in transmission included.
    pub fn queue_at(&self, now: Picos, port: PortId) -> u64 {
        self.links[self.nics() + port.0 as usize].queue(now)
    }

    /// Totals so far.
    pub fn stats(&self) -> NetStats {
        self.stats
    }

    /// Has every transmission observed, before chance strikes; `None` ends that.
    ///
    /// The observer is called when a transmitter takes a frame. The time that it is told is when
    /// the last bit leaves, which is later; for each transmitter these times are in order unless
    /// control frames come first.
    pub fn on_wire(&mut self, observer: Option<Observer>) {
        self.observer = observer;
    }

    /// Takes a frame from a host onto its NIC, and hands over what happens next: a step, or none if
    /// it is lost.
    pub fn send(&mut self, now: Picos, nic: NicId, frame: Frame, next: &mut impl FnMut(Step)) {
        self.stats.sent += frame.wire_len();
        if frame.ip_len() > self.mtu {
            self.stats.drops.oversized += 1;
            return;
        }
        match self.nic_at(frame.to) {
            Some(to) => self.transmit(now, nic.0, Transit { from: nic, to, frame }, next),
            None => self.stats.drops.unroutable += 1,
        }
    }

    /// Carries out a step whose time has come. It yields an arrival, or hands over what happens
    /// next: a step, two if the frame is duplicated, or none if it is lost.
    pub fn step(&mut self, step: Step, next: &mut impl FnMut(Step)) -> Option<Arrival> {
        let Step { at, link, epoch, transit } = step;
        let link = &self.links[link as usize];
        if link.epoch != epoch {
            self.stats.drops.link_down += 1;
            return None;
        }
        let Node::Switch(switch) = link.to else {
            self.stats.delivered += transit.frame.wire_len();
            return Some(Arrival { at, nic: transit.to, frame: transit.frame });
        };
        if self.partitions.any()
            && self
                .partitions
                .separate([transit.from, transit.to].map(|nic| self.fabric.host_of(nic)))
        {
            self.stats.drops.partition += 1;
            return None;
        }
        let egress = self.fabric.egress(at, switch, &transit, &self.links);
        self.transmit(at, egress, transit, next);
        None
    }

    /// Puts a frame into the queue of a link.
    fn transmit(&mut self, now: Picos, id: u32, mut transit: Transit, next: &mut impl FnMut(Step)) {
        let link = &mut self.links[id as usize];
        if link.holds > 0 {
            self.stats.drops.link_down += 1;
            return;
        }
        let bytes = transit.frame.wire_len();
        let is_port = link.from != Node::Nic;
        let first = is_port && self.control_first && transit.frame.control;
        if is_port {
            let queue = link.queue(now);
            if !self.memory.admits(now, link, queue, bytes) {
                self.stats.drops.buffer += 1;
                link.stats.dropped += bytes;
                return;
            }
            let ahead = if first { link.control_queue(now) } else { queue };
            if ahead > self.ecn_threshold && transit.frame.ecn != Ecn::NotEct {
                transit.frame.ecn = Ecn::Ce;
                link.stats.marked += 1;
                self.stats.marked += 1;
            }
            link.stats.max_queue_bytes = link.stats.max_queue_bytes.max(queue + bytes);
        }
        let departure = if first { link.take_control(now, bytes) } else { link.take(now, bytes) };
        self.memory.hold(link, first, departure, bytes);
        if let Some(observer) = &mut self.observer {
            let nics = self.fabric.nics();
            let transmitter = match id.checked_sub(nics) {
                Some(port) => Transmitter::Port(PortId(port)),
                None => Transmitter::Nic(NicId(id)),
            };
            observer(transmitter, departure, &transit.frame);
        }
        let step = Step { at: departure + link.delay, link: id, epoch: link.epoch, transit };
        if self.chances.is_some() && link.to == Node::Nic {
            self.last_hop(step, next);
        } else {
            next(step);
        }
    }

    /// Lets chance strike a frame on its way to a NIC.
    fn last_hop(&mut self, mut step: Step, next: &mut impl FnMut(Step)) {
        let nic = step.transit.to.index();
        let fate = self.chances.as_mut().map_or_else(Fate::default, |chances| chances.draw(nic));
        match fate.loss {
            Some(Loss::Random) => return self.stats.drops.random += 1,
            Some(Loss::Burst) => return self.stats.drops.burst += 1,
            None => {}
        }
        if let Some(random) = fate.corruption {
            corrupt(&mut step.transit.frame.payload, random);
            self.stats.corrupted += 1;
        }
        if let Some(extra) = fate.held_back {
            step.at += extra;
            self.stats.reordered += 1;
        }
        if fate.duplicated {
            next(step.clone());
            self.stats.duplicated += 1;
        }
        next(step);
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("fabric", &self.fabric)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
