//! Scheduled faults, as they begin and end.

use super::Network;
use crate::net::{
    Picos,
    rate::Rate,
    spec::{Cable, Direction, Fault},
};

impl Network {
    /// When the next scheduled fault begins or ends.
    pub fn next_fault(&self) -> Option<Picos> {
        self.schedule.next()
    }

    /// Begins and ends all scheduled faults that are due. Of the calls at the same time, this is
    /// the first to make.
    pub fn apply_faults(&mut self, now: Picos) {
        while let Some(change) = self.schedule.take(now) {
            match self.schedule.fault(change.fault) {
                &Fault::Down { cable, .. } if change.begins => self.take_down(change.at, cable),
                &Fault::Down { cable, .. } => self.bring_up(cable),
                Fault::Partition { .. } => self.set_partitions(),
                &Fault::Rate { cable, direction, .. } => {
                    self.set_rate(change.at, cable, direction);
                }
                &Fault::Delay { cable, direction, .. } => self.set_delay(cable, direction),
            }
        }
    }

    fn take_down(&mut self, at: Picos, cable: Cable) {
        self.fabric.holds += 1;
        for direction in [Direction::Up, Direction::Down] {
            let link = &mut self.links[self.fabric.link_of(cable, direction) as usize];
            link.holds += 1;
            if link.holds == 1 {
                // What is on the link is recognized by the epoch that it started in.
                link.epoch += 1;
                link.down_at = at;
                link.flush(at);
                self.memory.flush(link);
            }
        }
    }

    fn bring_up(&mut self, cable: Cable) {
        self.fabric.holds -= 1;
        for direction in [Direction::Up, Direction::Down] {
            self.links[self.fabric.link_of(cable, direction) as usize].holds -= 1;
        }
    }

    fn set_partitions(&mut self) {
        self.partitions.clear();
        let hosts = self.fabric.hosts();
        for fault in self.schedule.in_force() {
            if let Fault::Partition { left, right, .. } = fault {
                self.partitions.add(hosts, left, right);
            }
        }
    }

    fn set_rate(&mut self, at: Picos, cable: Cable, direction: Direction) {
        let id = self.fabric.link_of(cable, direction);
        let rates = self.schedule.in_force().filter_map(|fault| match *fault {
            Fault::Rate { cable, direction, rate_bits_per_sec, .. } => {
                (self.fabric.link_of(cable, direction) == id).then_some(rate_bits_per_sec)
            }
            _ => None,
        });
        let lowest = rates.min().map(Rate::new);
        let link = &mut self.links[id as usize];
        link.set_rate(at, lowest.unwrap_or(link.normal_rate));
    }

    fn set_delay(&mut self, cable: Cable, direction: Direction) {
        let id = self.fabric.link_of(cable, direction);
        let extra = self.schedule.in_force().filter_map(|fault| match *fault {
            Fault::Delay { cable, direction, extra_delay_ns, .. } => {
                (self.fabric.link_of(cable, direction) == id).then_some(extra_delay_ns)
            }
            _ => None,
        });
        let extra = extra.fold(0, u64::saturating_add);
        let link = &mut self.links[id as usize];
        link.delay = link.normal_delay + Picos::from_nanos(extra);
    }
}
