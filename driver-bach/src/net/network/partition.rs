//! Which hosts are kept apart at present.

/// A host is on the left side.
const LEFT: u8 = 1;
/// A host is on the right side.
const RIGHT: u8 = 2;

/// The partitions in force, each as the side of every host.
#[derive(Clone, Debug, Default)]
pub(super) struct Partitions {
    sides: Vec<Vec<u8>>,
}

impl Partitions {
    /// Adds a partition between two sets of hosts.
    pub(super) fn add(&mut self, hosts: u32, left: &[u32], right: &[u32]) {
        let mut sides = vec![0; hosts as usize];
        left.iter().for_each(|&host| sides[host as usize] |= LEFT);
        right.iter().for_each(|&host| sides[host as usize] |= RIGHT);
        self.sides.push(sides);
    }

    /// Heals all.
    pub(super) fn clear(&mut self) {
        self.sides.clear();
    }

    /// Whether any exists.
    pub(super) fn any(&self) -> bool {
        !self.sides.is_empty()
    }

    /// Whether one keeps these two hosts apart.
    pub(super) fn separate(&self, [from, to]: [u32; 2]) -> bool {
        self.sides.iter().any(|sides| sides[from as usize] | sides[to as usize] == LEFT | RIGHT)
    }
}
