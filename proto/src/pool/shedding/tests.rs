use core::net::SocketAddr;

use super::*;
use crate::{endpoint::Offer, id::Incarnation};

fn decide(
    shedding: &LoadShedding,
    metadata: &'static str,
    size: u64,
    level: u8,
    memory: u64,
) -> Decision {
    let remote = SocketAddr::from(([127, 0, 0, 1], 1));
    let offer = Offer::unary(level, metadata, size);
    let call = Announcement { remote, incarnation: Incarnation::default(), offer: &offer };
    let load = Load { receive_memory: memory, receive_memory_limit: 1_600, ..Load::default() };
    shedding.decide(&call, &load)
}

#[test]
fn sizes_are_bounded_by_method() {
    let shedding = LoadShedding { max_request: 100, ..LoadShedding::default() };
    let shedding = shedding.max_size("put", 1_000).max_size("ping", 0);
    let too_large = Decision::Reject(Status::TOO_LARGE);
    for (metadata, limit) in [("put", 1_000), ("put\0name", 1_000), ("ping", 0), ("putt", 100)] {
        assert_eq!(decide(&shedding, metadata, limit, 3, 0), Decision::Queue);
        assert_eq!(decide(&shedding, metadata, limit + 1, 3, 0), too_large);
    }
}

#[test]
fn the_least_urgent_drop_out_first_as_memory_fills() {
    let shedding = LoadShedding::default();
    let overloaded = Decision::Reject(Status::OVERLOADED);
    for (level, limit) in [(7, 900), (6, 1_000), (3, 1_300), (1, 1_500), (0, 1_600)] {
        assert_eq!(decide(&shedding, "", 10, level, limit - 1), Decision::Queue);
        assert_eq!(decide(&shedding, "", 10, level, limit), overloaded);
    }
}

#[test]
fn at_least_one_call_is_worked_on() {
    let shedding = LoadShedding { max_unanswered: 0, ..LoadShedding::default() };
    assert_eq!(shedding.max_unanswered(), 1);
}
