use dcquic_proto::rng::Jitter;

use super::*;

const GIGABIT: u64 = 1_000_000_000;

fn link(gigabits: u64) -> Link {
    Link::new(Node::Switch(0), Node::Nic, Rate::new(gigabits * GIGABIT), Picos::ZERO)
}

/// At the moment when a queue has drained to some length it has that length, and just before it is
/// longer; whatever was taken, and however the rate changed meanwhile.
#[test]
fn drained_to_is_when_the_queue_has_that_length() {
    let mut rng = Jitter::new(1);
    for _ in 0..1_000 {
        let mut link = link(100);
        let mut now = Picos::ZERO;
        for _ in 0..rng.below(20) {
            now += Picos(rng.below(100_000));
            match rng.below(4) {
                0 => link.set_rate(now, Rate::new([10, 25, 100][rng.below(3) as usize] * GIGABIT)),
                1 => _ = link.take_control(now, 66 + rng.below(100)),
                _ => _ = link.take(now, 66 + rng.below(9_000)),
            }
        }
        let bytes = rng.below(link.queue(now) + 1);
        let at = link.drained_to(bytes);
        assert!(link.queue(at) <= bytes + 1, "{link:?}");
        // With an empty queue, this is when it became empty.
        if at > now {
            assert!(link.queue(Picos(at.0 - 1)) + 1 > bytes, "{link:?}");
        }
    }
}

#[test]
fn queue_does_not_jump_when_the_rate_changes() {
    let mut link = link(100);
    (0..10).for_each(|_| _ = link.take(Picos::ZERO, 1_000));
    for (now, gigabits) in [(0, 10), (80_000, 25), (160_000, 100), (240_000, 10)] {
        let before = link.queue(Picos(now));
        link.set_rate(Picos(now), Rate::new(gigabits * GIGABIT));
        assert!(link.queue(Picos(now)).abs_diff(before) <= 1);
        // Frames that waited keep their times.
        assert_eq!(link.drained_to(0), Picos(800_000));
    }
    assert_eq!(link.take(Picos(240_000), 1_000), Picos(800_000 + 800_000));
}

#[test]
fn flushed_link_is_idle() {
    let mut link = link(100);
    link.take(Picos::ZERO, 1_000);
    link.take_control(Picos::ZERO, 100);
    link.flush(Picos(8_000));
    assert_eq!((link.queue(Picos(8_000)), link.control_queue(Picos(8_000))), (0, 0));
    assert_eq!(link.stats.busy, Picos(8_000));
    assert_eq!(link.take(Picos(9_000), 100), Picos(17_000));
}
