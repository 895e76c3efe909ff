use super::*;
use crate::{
    crypto::{OpeningKey, SealingKey},
    endpoint::context::Timer,
    stream::flow::Flow,
    transfer::{layout::Layout, receiver::Arriving, sender::PulledBody},
};

/// A million transfers may wait: what each of them holds on both sides, and what is apart and holds
/// only those whose bytes flow.
#[test]
fn what_waits_is_small() {
    let stream = size_of::<Stream>();
    let sending = size_of::<SendTransfer>() + size_of::<PulledBody>();
    let receiving = size_of::<RecvTransfer>() + size_of::<Seen>();
    let timer = size_of::<Timer>();
    assert!(stream <= 96, "{stream}");
    assert!(sending <= 336, "{sending}");
    assert!(receiving <= 168, "{receiving}");
    assert!(timer <= 24, "{timer}");
    // what is shared is named, not copied
    assert!(size_of::<SealingKey>() <= 24 && size_of::<OpeningKey>() <= 8);
    assert!(size_of::<Layout>() <= 16);
    // a box each in the types above
    assert!(size_of::<Option<Box<Arriving>>>() == 8 && size_of::<Option<Box<Flow>>>() == 8);
}

/// An idle peer has these, its keys, and nothing on the way.
#[test]
fn an_idle_peer_is_small() {
    let held = size_of::<Peer>() + size_of::<PathKeys>() + size_of::<PathCongestion>();
    assert!(held <= 2_376, "{held}");
}
