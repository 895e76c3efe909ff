//! What a socket holds until its NIC takes it.

use core::task::Context;
use std::collections::VecDeque;

use bach::{
    environment::net::ip::Segments,
    queue::{CloseError, PopError, PushError, Pushable, Queue},
};

use crate::net::{ETHERNET_BYTES, IP_UDP_BYTES};

/// A queue of datagrams that is bounded in bytes, as the send buffer of a socket is.
#[derive(Debug)]
pub(super) struct SendBuffer {
    queue: VecDeque<Segments>,
    bytes: u64,
    limit: u64,
    closed: bool,
}

impl SendBuffer {
    /// An empty buffer that takes datagrams while it holds less than `limit` bytes.
    pub(super) fn new(limit: u64) -> Self {
        Self { queue: VecDeque::new(), bytes: 0, limit, closed: false }
    }

    /// What it holds, as it counts on the wire.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Bytes of all frames that a transmission is divided into.
fn wire_bytes(segments: &Segments) -> u64 {
    let len = segments.packet.transport.payload().len();
    let frames = len.div_ceil(segments.segment_len.max(1)).max(1);
    len as u64 + frames as u64 * (IP_UDP_BYTES + ETHERNET_BYTES)
}

impl Queue<Segments> for SendBuffer {
    fn push_lazy(
        &mut self,
        value: &mut dyn Pushable<Segments>,
    ) -> Result<Option<Segments>, PushError> {
        self.check_push()?;
        let segments = value.produce();
        self.bytes += wire_bytes(&segments);
        self.queue.push_back(segments);
        Ok(None)
    }

    fn push_with_notify(
        &mut self,
        value: &mut dyn Pushable<Segments>,
        cx: &mut Context<'_>,
    ) -> Result<Option<Segments>, PushError> {
        self.push_lazy(value)?;
        cx.waker().wake_by_ref();
        Ok(None)
    }

    fn pop(&mut self) -> Result<Segments, PopError> {
        let empty = if self.closed { PopError::Closed } else { PopError::Empty };
        let segments = self.queue.pop_front().ok_or(empty)?;
        self.bytes -= wire_bytes(&segments);
        Ok(segments)
    }

    fn pop_with_notify(&mut self, cx: &mut Context<'_>) -> Result<Segments, PopError> {
        let segments = self.pop()?;
        cx.waker().wake_by_ref();
        Ok(segments)
    }

    fn close(&mut self) -> Result<(), CloseError> {
        if core::mem::replace(&mut self.closed, true) {
            return Err(CloseError::AlreadyClosed);
        }
        Ok(())
    }

    fn is_closed(&self) -> bool {
        self.closed
    }

    fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    fn is_full(&self) -> bool {
        self.bytes >= self.limit
    }

    fn len(&self) -> usize {
        self.queue.len()
    }

    fn capacity(&self) -> Option<usize> {
        None
    }
}
