//! What is needed to decide on calls before their requests are received.

use super::Endpoint;

impl Endpoint {
    /// Requests of at most this many bytes are received without being asked for, as of
    /// [`Config::auto_receive`](crate::config::Config::auto_receive), from the next announcement
    /// on. Lowered to what fits memory.
    pub fn set_auto_receive(&mut self, bytes: u64) {
        let limit = self.cx.config.max_message.min(self.cx.config.receive_memory);
        self.cx.config.auto_receive = bytes.min(limit);
    }

    /// Bytes of messages in memory that the application has not taken.
    pub fn receive_memory(&self) -> u64 {
        self.cx.receive_memory
    }
}
