use super::*;
use crate::rng::Jitter;

const WINDOW: Limits = Limits { messages: 8, bytes: 1_000 };

fn inbound() -> Inbound {
    Inbound::new(Limits { messages: 4, bytes: 100 }, WINDOW)
}

fn message(byte: u8, len: usize) -> Message {
    Message { metadata: Bytes::new(), body: Some(vec![byte; len].into()), fin: None }
}

fn slot(slot: u32) -> SlotRef {
    SlotRef { slot, generation: 0 }
}

/// [STRM-3]
#[test]
fn messages_leave_in_order_whatever_the_order_they_come_in() {
    for seed in 0..200 {
        let mut rng = Jitter::new(seed);
        let mut inbound = Inbound::new(WINDOW, WINDOW);
        let mut order: Vec<u64> = (0..8).collect();
        for at in (1..8).rev() {
            order.swap(at, rng.below(at as u64 + 1) as usize);
        }
        let mut out = Vec::new();
        for index in order {
            inbound.announce(index, 10, index == 7).unwrap();
            inbound.on_complete(index, message(index as u8, 10));
            while let Some(next) = inbound.poll_message() {
                out.push(next.body.unwrap()[0]);
            }
        }
        assert_eq!(out, [0, 1, 2, 3, 4, 5, 6, 7], "seed {seed}");
    }
}

#[test]
fn an_index_counts_once_and_nothing_follows_the_last() {
    let mut inbound = inbound();
    inbound.announce(1, 1, false).unwrap();
    inbound.on_pulled(1, slot(0));
    assert_eq!(inbound.announce(1, 1, false), Err(Misplaced::Index));
    assert_eq!(inbound.announce(0, 1, true), Err(Misplaced::Index), "the last, before another");
    inbound.announce(2, 1, true).unwrap();
    assert_eq!(inbound.announce(3, 1, false), Err(Misplaced::Index));
    assert_eq!(inbound.announce(0, 1, true), Err(Misplaced::Index), "two last ones");
    inbound.announce(0, 1, false).unwrap();
}

/// [STRM-4]
#[test]
fn only_the_last_message_may_go_beyond_the_credit_in_bytes() {
    let mut inbound = inbound();
    inbound.announce(0, 99, false).unwrap();
    inbound.announce(1, 1 << 40, false).unwrap();
    assert_eq!(inbound.announce(2, 1, false), Err(Misplaced::Credit));
    assert_eq!(inbound.announce(4, 0, false), Err(Misplaced::Credit), "beyond the messages");
}

#[test]
fn what_the_receiver_lets_pass_is_all_that_a_sender_with_credit_sends() {
    for seed in 0..500 {
        let mut rng = Jitter::new(seed);
        let initial = Limits { messages: 1 + rng.below(4), bytes: 1 + rng.below(200) };
        let (mut outbound, mut inbound) = (Outbound::new(initial), Inbound::new(initial, WINDOW));
        let (mut on_the_way, mut taken, mut sent) = (Vec::new(), 0, 0);
        for _ in 0..500 {
            if rng.below(2) == 0 && outbound.has_credit() && sent < 40 {
                let size = rng.below(400);
                on_the_way.push((outbound.next_index(), size));
                outbound.on_queued(size, slot(sent), false);
                sent += 1;
            }
            if rng.below(2) == 0 && !on_the_way.is_empty() {
                let at = rng.below(on_the_way.len() as u64) as usize;
                let (index, size) = on_the_way.swap_remove(at);
                inbound.announce(index, size, false).unwrap();
                inbound.on_complete(index, message(0, size as usize));
            }
            if rng.below(3) == 0
                && let Some(next) = inbound.poll_message()
            {
                let len = next.body.unwrap().len() as u64;
                assert_eq!(inbound.consume(1, len), len);
                taken += 1;
                if inbound.credit_due() {
                    outbound.on_credit(inbound.on_credit_told());
                }
            }
            assert!(inbound.held <= WINDOW.bytes + 400, "seed {seed}");
        }
        assert!(taken >= 20, "seed {seed}: {taken} of {sent}");
    }
}

#[test]
fn credit_never_shrinks_and_is_told_by_half_windows() {
    let mut inbound = Inbound::new(WINDOW, WINDOW);
    for index in 0..4 {
        inbound.announce(index, 1, false).unwrap();
        inbound.on_complete(index, message(0, 1));
        inbound.poll_message().unwrap();
    }
    inbound.consume(3, 3);
    assert!(!inbound.credit_due());
    inbound.consume(1, 1);
    assert!(inbound.credit_due());
    assert_eq!(inbound.on_credit_told(), Limits { messages: 12, bytes: 1_004 });
    let mut outbound = Outbound::new(Limits { messages: 12, bytes: 1_004 });
    assert!(outbound.on_credit(Limits { messages: 1, bytes: 1 }), "an old word");
}
