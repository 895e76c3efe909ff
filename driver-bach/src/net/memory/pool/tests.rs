use super::*;

#[test]
fn one_busy_queue_gets_half_of_the_memory_at_alpha_one() {
    let mut pool = Pool::new(10_000, 1.0);
    let queue = pool.add_queues();
    let mut queued = 0;
    while pool.admits(Picos::ZERO, queued, 1_000) {
        pool.hold(queue, Picos(queued + 1), 1_000);
        queued += 1_000;
    }
    // With 5,000 in use, 5,000 are free, and a sixth frame would exceed that.
    assert_eq!((queued, pool.used), (5_000, 5_000));
}

#[test]
fn threshold_is_met_exactly() {
    let mut pool = Pool::new(10_000, 0.5);
    assert!(pool.admits(Picos::ZERO, 4_000, 1_000));
    assert!(!pool.admits(Picos::ZERO, 4_000, 1_001));
    let mut pool = Pool::new(10_000, 8.0);
    // The threshold is far, but the memory is finite.
    assert!(pool.admits(Picos::ZERO, 0, 10_000));
    assert!(!pool.admits(Picos::ZERO, 0, 10_001));
}

#[test]
fn memory_is_free_when_the_last_bit_has_left() {
    let mut pool = Pool::new(10_000, 1.0);
    let (a, b) = (pool.add_queues(), pool.add_queues());
    for (queue, until, bytes) in [(a, 10, 1), (b, 5, 20), (a, 20, 300), (b, 15, 4_000)] {
        pool.hold(queue, Picos(until), bytes);
    }
    for (now, used) in [(4, 4_321), (5, 4_301), (9, 4_301), (10, 4_300), (15, 300), (20, 0)] {
        pool.drain(Picos(now));
        assert_eq!(pool.used, used, "at {now}");
    }
    assert!(pool.heads.is_empty());
}

#[test]
fn flush_frees_one_queue_only() {
    let mut pool = Pool::new(10_000, 1.0);
    let (a, b) = (pool.add_queues(), pool.add_queues());
    pool.hold(a, Picos(10), 100);
    pool.hold(b, Picos(10), 20);
    pool.flush(a);
    assert_eq!(pool.used, 20);
    pool.hold(a, Picos(30), 7);
    pool.drain(Picos(20));
    assert_eq!(pool.used, 7);
}
