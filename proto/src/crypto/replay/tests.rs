use hashbrown::HashSet as Set;

use super::*;

/// The window as one would define it, with a set and no ring.
struct Model {
    size: u64,
    newest: Option<u64>,
    seen: Set<u64>,
}

impl Model {
    fn check(&self, number: u64) -> Result<(), ReplayError> {
        if number >= 1 << 62 {
            return Err(ReplayError::OutOfRange);
        }
        match self.newest {
            Some(newest) if number + self.size <= newest => Err(ReplayError::TooOld),
            _ if self.seen.contains(&number) => Err(ReplayError::Replayed),
            _ => Ok(()),
        }
    }

    fn record(&mut self, number: u64) {
        self.seen.insert(number);
        self.newest = self.newest.max(Some(number));
    }
}

fn agree(size: u32, numbers: impl IntoIterator<Item = u64>) {
    let mut window = ReplayWindow::new(size);
    let mut model = Model { size: u64::from(size), newest: None, seen: Set::new() };
    for number in numbers {
        let expected = model.check(number);
        assert_eq!(window.check(PacketNumber(number)), expected, "{number}");
        assert_eq!(window.record(PacketNumber(number)), expected, "{number}");
        if expected.is_ok() {
            model.record(number);
        }
    }
}

/// [SEC-20]
#[test]
fn agrees_with_the_reference_model() {
    bolero::check!().with_type::<(u8, Vec<(u8, u16)>)>().for_each(|(size, steps)| {
        let size = 64 << (size % 4);
        let mut at = 0_u64;
        agree(
            size,
            steps.iter().map(|(kind, distance)| {
                let distance = u64::from(*distance);
                match kind % 8 {
                    0..=2 => at += distance % 4,
                    3 => at += distance % (2 * u64::from(size)),
                    4 => at = at.saturating_sub(distance % 70),
                    5 => at = at.saturating_sub(distance % (2 * u64::from(size))),
                    6 => at = at.wrapping_add(distance << 40),
                    _ => at = distance,
                }
                at
            }),
        );
    });
}

#[test]
fn both_edges_of_the_window() {
    let mut window = ReplayWindow::new(64);
    window.record(PacketNumber(100)).unwrap();
    assert_eq!(window.check(PacketNumber(36)), Err(ReplayError::TooOld));
    assert_eq!(window.check(PacketNumber(37)), Ok(()));
    assert_eq!(window.check(PacketNumber(100)), Err(ReplayError::Replayed));
    assert_eq!(window.check(PacketNumber(101)), Ok(()));
}

#[test]
fn the_highest_number_is_the_last() {
    let last = (1 << 62) - 1;
    agree(64, [last - 64, last - 63, last, last, last - 1, last - 64, last + 1, u64::MAX, 0]);
}

#[test]
fn asking_changes_nothing() {
    let mut window = ReplayWindow::new(64);
    for _ in 0..2 {
        window.check(PacketNumber(1_000_000)).unwrap();
        window.check(PacketNumber(0)).unwrap();
    }
    window.record(PacketNumber(0)).unwrap();
}

#[test]
fn the_ring_grows_with_the_numbers_and_no_further() {
    agree(4_096, (0..10_000).chain(0..10_000));
    agree(4_096, (0..3_000).rev().chain([5_000, 904, 905, 2_999, 100_000, 4_999]));
    let mut window = ReplayWindow::new(4_096);
    for (number, words) in [(3, 1), (64, 2), (200, 4), (1, 4), (4_095, 64), (1 << 40, 64)] {
        assert_eq!(window.record(PacketNumber(number)), Ok(()));
        assert_eq!(window.words.len(), words, "{number}");
    }
}
