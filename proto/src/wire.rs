//! Every packet and frame: encoders that write into the caller's memory, decoders that borrow.
//!
//! The layouts, with a diagram of each, are spec chapter 2. No function here that reads network
//! bytes can panic or allocate; what is wrong with them is a [`DecodeError`].
//!
//! To add a packet: a tag in [`packet::PacketKind`], its layout, a variant of
//! [`packet::Packet`]. To add a frame: a type in [`frame::FrameType`], its file, a variant of
//! [`frame::Frame`]. Then for both: spec chapter 2, a description in [`describe`], samples in
//! `tests/wire_samples`, which bring snapshots, vectors and truncation tests with them.

pub mod codec;
pub mod content;
pub mod describe;
pub mod error;
pub mod frame;
#[cfg(feature = "arbitrary")]
pub mod generate;
pub mod hello;
pub mod list;
pub mod packet;
pub mod secret_control;

pub use codec::{BufferFull, Reader, Writer};
pub use error::DecodeError;
pub use hello::{HELLO_LEN, HelloInit, HelloInitView, HelloParams, HelloReply, HelloReplyView};
pub use list::List;
pub use packet::{ControlPacket, DataHeader, DataPacket, Packet, PacketHeader, PacketKind};
