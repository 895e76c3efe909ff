//! The streams that a peer opened.

use hashbrown::{HashMap, hash_map::Entry};

use crate::{
    id::StreamId,
    slots::{SlotRef, Slots},
    stream::Stream,
};

/// Streams by their slot in the peer's table.
///
/// The peer names the slots, so that they need not be dense: a map finds the stream's place, and
/// the streams themselves, which are much larger, lie in a table without gaps.
#[derive(Debug)]
pub(crate) struct RemoteStreams {
    places: HashMap<u32, SlotRef>,
    streams: Slots<Stream>,
}

impl RemoteStreams {
    /// None yet, and never more than `limit`.
    pub(crate) fn with_limit(limit: u32) -> Self {
        Self { places: HashMap::new(), streams: Slots::with_limit(limit) }
    }

    /// Number of streams.
    pub(crate) const fn len(&self) -> usize {
        self.streams.len()
    }

    /// Whether there are none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// The stream that the peer's slot belongs to now.
    pub(crate) fn get(&self, slot: u32) -> Option<&Stream> {
        self.streams.get(*self.places.get(&slot)?)
    }

    /// The stream that the peer's slot belongs to now.
    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut Stream> {
        self.streams.get_mut(*self.places.get(&slot)?)
    }

    /// Adds a stream, in place of one that had the peer's slot before; false if there are too many.
    pub(crate) fn insert(&mut self, stream: Stream) -> bool {
        let slot = stream.id.slot();
        let Some(place) = self.streams.insert(stream) else { return false };
        if let Some(before) = self.places.insert(slot, place) {
            self.streams.remove(before);
        }
        true
    }

    /// Takes out the stream `id`.
    pub(crate) fn remove(&mut self, id: StreamId) -> Option<Stream> {
        let Entry::Occupied(place) = self.places.entry(id.slot()) else { return None };
        if self.streams.get(*place.get())?.id != id {
            return None;
        }
        self.streams.remove(place.remove())
    }

    /// The ids of all streams, ascending. For rare work: it looks at every slot.
    pub(crate) fn ids(&self) -> Vec<StreamId> {
        let streams = self.streams.refs().into_iter().filter_map(|at| self.streams.get(at));
        let mut ids: Vec<_> = streams.map(|stream| stream.id).collect();
        ids.sort_unstable();
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::Config,
        id::{Pattern, Priority, Role, TransferId},
        stream::{Phase, flow::Limits},
    };

    fn stream(slot: u32, generation: u64) -> Stream {
        let credit = Limits { messages: 1, bytes: 1 };
        Stream::opened_by_peer(
            StreamId::new(Role::Initiator, generation, slot),
            Pattern::Unary,
            Priority::default(),
            Phase::Handling,
            TransferId::default(),
            credit,
            &Config::datacenter(),
        )
    }

    #[test]
    fn streams_are_found_by_the_slot_that_the_peer_gave_them() {
        let mut streams = RemoteStreams::with_limit(3);
        for slot in [900_000, 7] {
            assert!(streams.insert(stream(slot, 0)));
        }
        assert!(streams.insert(stream(7, 1)), "a slot that is used anew takes no more room");
        assert_eq!((streams.len(), streams.get(7).unwrap().id.generation()), (2, 1));
        assert!(streams.insert(stream(1, 0)) && !streams.insert(stream(2, 0)));
        let slots: Vec<_> = streams.ids().into_iter().map(StreamId::slot).collect();
        assert_eq!(slots, [1, 900_000, 7], "by id: the generation weighs most");
        let id = streams.get(7).unwrap().id;
        assert!(streams.remove(StreamId::new(Role::Initiator, 0, 7)).is_none(), "an earlier one");
        assert_eq!(streams.remove(id).unwrap().id, id);
        assert!(streams.remove(id).is_none() && streams.get_mut(7).is_none());
        assert!(streams.get(2).is_none() && !streams.is_empty());
    }
}
