//! The network model as Bach's network.

use core::{net::SocketAddr, task::Waker};
use std::sync::{Arc, Mutex};

use bach::{
    environment::net::{
        ip::Packet,
        monitor::List as Monitors,
        pcap,
        queue::{Allocator, Dispatch, PacketQueue},
    },
    ext::*,
    group::Group,
    queue::vec_deque,
    sync::channel::{Receiver, Sender},
};

use super::{send_buffer::SendBuffer, wire::Wire};
use crate::{
    Clock,
    net::{Network, NicId, Picos},
    scale::NIC_LIMIT,
};

/// Gives Bach's sockets a [`Network`] to send through.
///
/// Each host of the simulation has the NIC of its address. Bach hands out addresses in the order in
/// which hosts bind their first sockets, so let them bind in the order of NICs. Hosts beyond the
/// last NIC have sockets that cannot send.
///
/// A socket's send buffer moves into the NIC while that holds less than what the scale engine
/// allows its hosts, and waits until it has drained to half of that otherwise; a send is pending
/// while the buffer is full. A host that asks for [`Nic::room`] is trusted to keep to it. What
/// arrives waits in the receiving socket without limit. Bach's own monitors and captures see
/// nothing of this: use [`Network::on_wire`].
#[derive(Clone, Debug)]
pub struct NetworkAllocator {
    pub(super) wire: Wire,
}

impl NetworkAllocator {
    /// Puts a network under a simulation that counts time as `clock` says.
    ///
    /// With [`Clock::Nanoseconds`], everything that happens within a nanosecond happens at its end,
    /// in order.
    pub fn new(network: Network, clock: Clock) -> Self {
        Self { wire: Wire::new(network, clock) }
    }

    /// A NIC, for the link that sends through it.
    pub fn nic(&self, nic: NicId) -> Nic {
        Nic { wire: self.wire.clone(), nic }
    }
}

impl Allocator for NetworkAllocator {
    fn for_udp(
        &mut self,
        _group: &Group,
        address: SocketAddr,
        _dispatch: &Dispatch,
        _monitors: &Monitors,
        _pcaps: &mut pcap::Registry,
    ) -> PacketQueue {
        // A host's share of the NIC and as much again: what one turn of a worker may write at most.
        let buffer = Arc::new(Mutex::new(SendBuffer::new(2 * NIC_LIMIT)));
        let (local_sender, outgoing) = Arc::clone(&buffer).channel();
        let (remote_sender, local_receiver): (Sender<Packet>, Receiver<Packet>) =
            vec_deque::Queue::builder().with_capacity(None).build().mutex().channel();
        if let Some(nic) = self.wire.with(|network| network.nic_at(address)) {
            self.wire.attach(nic, address, buffer, remote_sender.clone());
            bach::task::spawn_named(self.wire.clone().serve(nic, outgoing), "nic");
        } else {
            // Nobody will ever take anything: sends are refused instead of waiting forever.
            let _closed = outgoing.close();
        }
        PacketQueue { local_sender, local_receiver, remote_sender }
    }
}

/// A NIC, as a link sees it.
#[derive(Clone, Debug)]
pub struct Nic {
    wire: Wire,
    nic: NicId,
}

impl Nic {
    /// Wire bytes that the NIC would take now. If there are none, `waker` is woken when it has
    /// drained to half; one waker waits at a time.
    pub fn room(&self, waker: &Waker) -> usize {
        self.wire.room(self.nic, waker) as usize
    }

    /// Has `waker` woken at a time, unless this was asked for an earlier one that has not come yet.
    ///
    /// Unlike Bach's timers, those of one instant come in the order in which they were set.
    pub fn set_alarm(&self, at: Picos, waker: &Waker) {
        self.wire.set_alarm(self.nic, at, waker);
    }
}
