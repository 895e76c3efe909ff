use core::time::Duration;
use std::collections::BTreeMap;

use super::*;
use crate::rng::Jitter;

const TICK: u64 = 1 << TICK_SHIFT;

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

#[test]
fn never_early_and_at_most_a_tick_late() {
    let mut wheel = Wheel::new(at(0));
    wheel.insert(at(5_000), 'a');
    wheel.advance(at(4_999));
    assert_eq!(wheel.pop_due(), None);
    wheel.advance(at(5_000 + TICK));
    assert_eq!(wheel.pop_due(), Some((at(5_000), 'a')));
    assert!(wheel.is_empty());
}

#[test]
fn the_past_is_due_at_once() {
    let mut wheel = Wheel::new(at(1_000_000));
    wheel.insert(at(0), 1);
    assert!(wheel.next_deadline().unwrap().0 <= at(1_000_000));
    assert_eq!(wheel.pop_due(), Some((at(0), 1)));
}

#[test]
fn a_cancelled_timer_does_not_fire_and_its_token_is_spent() {
    let mut wheel = Wheel::new(at(0));
    let token = wheel.insert(at(10_000), 1);
    assert_eq!(wheel.cancel(token), Some(1));
    assert_eq!(wheel.cancel(token), None);
    let again = wheel.insert(at(20_000), 2);
    assert_ne!(token, again);
    assert_eq!(wheel.cancel(token), None);
    wheel.advance(at(1_000_000));
    assert_eq!(wheel.pop_due(), Some((at(20_000), 2)));
    assert_eq!(wheel.cancel(again), None);
}

#[test]
fn days_ahead_and_jumps_of_hours() {
    let day = Duration::from_secs(86_400);
    let mut wheel = Wheel::new(at(123_456_789));
    let base = at(123_456_789);
    wheel.insert(base + day, 1);
    wheel.insert(base + day * 400, 400);
    wheel.advance(base + day - Duration::from_micros(2));
    assert_eq!(wheel.pop_due(), None);
    wheel.advance(base + day + Duration::from_micros(2));
    assert_eq!(wheel.pop_due(), Some((base + day, 1)));
    wheel.advance(base + day * 399);
    assert_eq!(wheel.pop_due(), None);
    wheel.advance(base + day * 401);
    assert_eq!(wheel.pop_due(), Some((base + day * 400, 400)));
}

/// Random inserts, cancels and jumps against an ordered map, for many seeds.
#[test]
fn agrees_with_an_ordered_map() {
    for seed in 0..300 {
        let mut rng = Jitter::new(seed);
        let mut now = rng.below(1 << 40);
        let mut wheel = Wheel::new(at(now));
        let mut model = BTreeMap::new();
        let mut tokens = Vec::new();
        for key in 0..200_u64 {
            let scale = rng.below(45);
            let time = now.saturating_add(rng.below(1 << scale)).saturating_sub(rng.below(3_000));
            tokens.push((key, time, wheel.insert(at(time), key)));
            model.insert((time, key), ());
            if rng.below(3) == 0 {
                let (key, time, token) = tokens[rng.below(tokens.len() as u64) as usize];
                let held = model.remove(&(time, key)).is_some();
                assert_eq!(wheel.cancel(token).is_some(), held, "seed {seed}");
            }
            if rng.below(2) == 0 {
                let scale = rng.below(42);
                now += rng.below(1 << scale);
                wheel.advance(at(now));
                while let Some((time, key)) = wheel.pop_due() {
                    assert!(time.as_nanos() <= now, "seed {seed}: early");
                    assert!(model.remove(&(time.as_nanos(), key)).is_some(), "seed {seed}");
                }
                if let Some(((time, _), ())) = model.first_key_value() {
                    assert!(time + TICK > now, "seed {seed}: {time} late at {now}");
                }
            }
            assert_eq!(wheel.len(), model.len());
            match (wheel.next_deadline(), model.first_key_value()) {
                (None, None) => {}
                (Some((deadline, _)), Some(((time, _), ()))) => {
                    let late = (time + TICK).max(now + 1);
                    assert!(deadline.as_nanos() < late, "seed {seed}: would be late");
                }
                other => panic!("seed {seed}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_warm_wheel_reuses_its_nodes() {
    let mut wheel = Wheel::new(at(0));
    for round in 0..1_000_u64 {
        let token = wheel.insert(at(round * 500 + 100_000), round);
        wheel.insert(at(round * 500), round);
        wheel.cancel(token);
        wheel.advance(at((round + 3) * 500));
        while wheel.pop_due().is_some() {}
    }
    assert!(wheel.nodes.len() <= 8, "{}", wheel.nodes.len());
}

/// Driven as an endpoint drives it, only ever advanced to the next deadline: every timer fires
/// within a tick of its time, and the wake-ups on the way are at most one per timer and level.
#[test]
fn following_the_deadlines_is_punctual_and_wakes_seldom() {
    const TIMERS: u64 = 50;
    for seed in 0..200 {
        let mut rng = Jitter::new(seed);
        let mut now = rng.below(1 << 50);
        let mut wheel = Wheel::new(at(now));
        for key in 0..TIMERS {
            let scale = rng.below(48);
            wheel.insert(at(now + rng.below(1 << scale)), key);
        }
        let (mut wakes, mut fired) = (0, 0);
        while let Some((deadline, _)) = wheel.next_deadline() {
            now = now.max(deadline.as_nanos());
            wheel.advance(at(now));
            wakes += 1;
            while let Some((time, _)) = wheel.pop_due() {
                fired += 1;
                let time = time.as_nanos();
                assert!(time <= now && now < time + 2 * TICK, "seed {seed}: {time} at {now}");
            }
        }
        assert_eq!(fired, TIMERS);
        assert!(wakes <= TIMERS * LEVELS as u64, "seed {seed}: {wakes}");
    }
}

#[test]
fn the_end_of_time_is_a_deadline_like_any_other() {
    let mut wheel = Wheel::new(at(7));
    let never = wheel.insert(Timestamp::MAX, 1);
    wheel.insert(Timestamp::MAX, 2);
    wheel.insert(at(9_000), 3);
    wheel.advance(at(1 << 60));
    assert_eq!(wheel.pop_due(), Some((at(9_000), 3)));
    assert_eq!(wheel.pop_due(), None);
    assert_eq!(wheel.cancel(never), Some(1));
    wheel.advance(Timestamp::MAX);
    assert_eq!(wheel.pop_due(), Some((Timestamp::MAX, 2)));
    wheel.insert(Timestamp::MAX, 4);
    assert_eq!(wheel.pop_due(), Some((Timestamp::MAX, 4)));
    assert_eq!((wheel.next_deadline(), wheel.len()), (None, 0));
}

/// A clock that steps back disturbs nothing.
#[test]
fn time_does_not_run_backwards() {
    let mut wheel = Wheel::new(at(1 << 30));
    wheel.insert(at((1 << 30) + 5_000), 1);
    wheel.advance(at(0));
    assert_eq!(wheel.pop_due(), None);
    wheel.insert(at(1 << 20), 2);
    assert_eq!(wheel.pop_due(), Some((at(1 << 20), 2)));
    wheel.advance(at((1 << 30) + 5_000 + TICK));
    assert_eq!(wheel.pop_due(), Some((at((1 << 30) + 5_000), 1)));
}
