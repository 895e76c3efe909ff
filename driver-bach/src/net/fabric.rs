//! The links of a topology, and the way through them.

use dcquic_proto::rng::Jitter;

use super::{
    NetworkSpec, Picos, Topology,
    frame::{NicId, Transit},
    link::{Link, Node},
    rate::Rate,
    spec::{Cable, Direction},
};

/// Which links lead where.
///
/// Links are numbered: from each NIC, to each NIC, from each leaf to each spine, from each spine to
/// each leaf. Switches are numbered: leaves, then spines. A star is one leaf without a spine.
#[derive(Clone, Debug)]
pub(super) struct Fabric {
    nics: u32,
    nics_per_host: u32,
    leaves: u32,
    spines: u32,
    /// The leaf of each NIC.
    leaf_of: Vec<u32>,
    /// Chooses between equal paths.
    seed: u64,
    /// Each frame takes a path of its own.
    spray: bool,
    /// How long a path that is down goes on being used.
    detection: Picos,
    /// How many faults hold cables down; with none, no path needs a look.
    pub(super) holds: u32,
}

impl Fabric {
    pub(super) fn new(spec: &NetworkSpec, seed: u64) -> Self {
        let hosts = spec.topology.hosts();
        let nics_per_host = spec.topology.nics_per_host();
        let nics = hosts * nics_per_host;
        let (leaves_per_rail, hosts_per_leaf, spines) = match spec.topology {
            Topology::Star { .. } => (0, hosts, 0),
            Topology::LeafSpine { leaves, hosts_per_leaf, spines, .. } => {
                (leaves, hosts_per_leaf, spines)
            }
        };
        let leaf = |nic| {
            let (host, rail) = (nic / nics_per_host, nic % nics_per_host);
            rail * leaves_per_rail + host / hosts_per_leaf
        };
        Self {
            nics,
            nics_per_host,
            leaves: (leaves_per_rail * nics_per_host).max(1),
            spines,
            leaf_of: (0..nics).map(leaf).collect(),
            seed,
            spray: spec.spray,
            detection: Picos::from_nanos(spec.detection_ns),
            holds: 0,
        }
    }

    /// All links, in order of their numbers.
    pub(super) fn links(&self, spec: &NetworkSpec) -> Vec<Link> {
        let rate = Rate::new(spec.rate_bits_per_sec);
        let hops = if self.spines == 0 { 2 } else { 4 };
        // A nanosecond has enough picoseconds to divide.
        let delay = Picos(Picos::from_nanos(spec.delay_ns).0 / hops);
        let to_host = delay + Picos::from_nanos(spec.host_delay_ns);
        let mut links = Vec::new();
        for &leaf in &self.leaf_of {
            links.push(Link::new(Node::Nic, Node::Switch(leaf), rate, delay));
        }
        for &leaf in &self.leaf_of {
            links.push(Link::new(Node::Switch(leaf), Node::Nic, rate, to_host));
        }
        let Topology::LeafSpine { uplink_rate_bits_per_sec, .. } = spec.topology else {
            return links;
        };
        let rate = Rate::new(uplink_rate_bits_per_sec);
        let leaves = || (0..self.leaves).map(Node::Switch);
        let spines = || (0..self.spines).map(|spine| Node::Switch(self.leaves + spine));
        for leaf in leaves() {
            links.extend(spines().map(|spine| Link::new(leaf, spine, rate, delay)));
        }
        for spine in spines() {
            links.extend(leaves().map(|leaf| Link::new(spine, leaf, rate, delay)));
        }
        links
    }

    /// Number of NICs.
    pub(super) const fn nics(&self) -> u32 {
        self.nics
    }

    /// Number of hosts.
    pub(super) const fn hosts(&self) -> u32 {
        self.nics / self.nics_per_host
    }

    /// Number of switches.
    pub(super) const fn switches(&self) -> u32 {
        self.leaves + self.spines
    }

    /// The host that a NIC belongs to.
    pub(super) const fn host_of(&self, nic: NicId) -> u32 {
        nic.0 / self.nics_per_host
    }

    /// The link to a NIC.
    pub(super) const fn to_nic(&self, nic: NicId) -> u32 {
        self.nics + nic.0
    }

    /// The link of one direction of a cable.
    pub(super) const fn link_of(&self, cable: Cable, direction: Direction) -> u32 {
        match (cable, direction) {
            (Cable::Nic { host, nic }, Direction::Up) => host * self.nics_per_host + nic,
            (Cable::Nic { host, nic }, Direction::Down) => {
                self.nics + host * self.nics_per_host + nic
            }
            (Cable::Uplink { leaf, spine }, Direction::Up) => self.to_spine(leaf, spine),
            (Cable::Uplink { leaf, spine }, Direction::Down) => self.to_leaf(spine, leaf),
        }
    }

    /// The link on which a switch forwards a frame.
    pub(super) fn egress(&self, now: Picos, switch: u32, transit: &Transit, links: &[Link]) -> u32 {
        let leaf = self.leaf_of[transit.to.index()];
        if switch == leaf {
            return self.to_nic(transit.to);
        }
        if let Some(spine) = switch.checked_sub(self.leaves) {
            return self.to_leaf(spine, leaf);
        }
        self.to_spine(switch, self.spine(now, switch, leaf, transit, links))
    }

    const fn to_spine(&self, leaf: u32, spine: u32) -> u32 {
        2 * self.nics + leaf * self.spines + spine
    }

    const fn to_leaf(&self, spine: u32, leaf: u32) -> u32 {
        2 * self.nics + (self.spines + spine) * self.leaves + leaf
    }

    /// The spine that carries the frames between two UDP ports, or this one if frames are sprayed.
    ///
    /// Paths known to be down are left out, which moves only those that used them. Without any path
    /// the choice is as if all were up.
    fn spine(&self, now: Picos, from: u32, to: u32, transit: &Transit, links: &[Link]) -> u32 {
        let ends = (u64::from(transit.from.0) << 32) | u64::from(transit.to.0);
        let ports =
            (u64::from(transit.frame.from.port()) << 16) | u64::from(transit.frame.to.port());
        let flow = if self.spray { ports ^ (transit.frame.id << 32) } else { ports };
        let mixed = Jitter::new(self.seed ^ ends).next_u64() ^ flow;
        let mut choice = Jitter::new(mixed);
        let spine = choice.below(self.spines.into()) as u32;
        let known_down = |link: u32| {
            let link = &links[link as usize];
            link.holds > 0 && now >= link.down_at + self.detection
        };
        let usable = |&spine: &u32| {
            !known_down(self.to_spine(from, spine)) && !known_down(self.to_leaf(spine, to))
        };
        if self.holds == 0 || usable(&spine) {
            return spine;
        }
        let others = (0..self.spines).filter(usable).count();
        let other = choice.below(others as u64) as usize;
        (0..self.spines).filter(usable).nth(other).unwrap_or(spine)
    }
}
