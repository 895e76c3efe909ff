//! Frames: what sealed packets say. Each carries its length, so that unknown ones are skipped.

mod accept;
mod arrival_report;
mod notify;
mod path;
mod probe;
mod pull;
mod range_ack;
mod reset;
mod stream;

pub use accept::{Accepted, TransferAccept};
pub use arrival_report::ArrivalReport;
pub use notify::{
    Body, Dependency, DependencyKind, Failure, Reliability, TransferNotify, WaitPoint,
};
pub use path::{PathAbandon, PathChallenge, PathResponse, PathStatus};
pub use probe::{Padding, Probe, ProbeResponse};
pub use pull::{CancelPull, PullRequest};
pub use range_ack::RangeAck;
pub use reset::{FlowReset, Side, TransferChallenge, TransferChallengeResponse};
pub use stream::{StreamBlocked, StreamClose, StreamCloseAck, StreamCredit, Withdraw};

pub use super::{
    codec::{BufferFull, Writer},
    list::List,
};
use super::{
    codec::{Reader, varint_len},
    error::DecodeError,
};

/// The registry of frame types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u64)]
#[expect(missing_docs, reason = "each is the frame of the same name")]
pub enum FrameType {
    Padding = 0,
    TransferNotify = 1,
    TransferAccept = 2,
    PullRequest = 3,
    RangeAck = 4,
    CancelPull = 5,
    FlowReset = 6,
    TransferChallenge = 7,
    TransferChallengeResponse = 8,
    Probe = 9,
    ProbeResponse = 10,
    StreamClose = 11,
    StreamCloseAck = 12,
    StreamCredit = 13,
    ArrivalReport = 14,
    StreamBlocked = 15,
    PathChallenge = 16,
    PathResponse = 17,
    PathStatus = 18,
    PathAbandon = 19,
    Withdraw = 20,
}

/// A frame that can be written.
pub trait Encode {
    /// What stands in front of the body.
    const TYPE: FrameType;

    /// Bytes of the body.
    fn body_len(&self) -> usize;

    /// Writes the body; there is room.
    fn write_body(&self, writer: &mut Writer<'_>);

    /// Bytes of the whole frame: type, length and body.
    #[inline]
    fn encoded_len(&self) -> usize {
        let body = self.body_len();
        varint_len(Self::TYPE as u64) + varint_len(body as u64) + body
    }

    /// Writes the whole frame.
    ///
    /// # Errors
    /// There is no room for it; nothing was written.
    #[inline]
    fn encode(&self, writer: &mut Writer<'_>) -> Result<(), BufferFull> {
        let body = self.body_len();
        if varint_len(Self::TYPE as u64) + varint_len(body as u64) + body > writer.remaining() {
            return Err(BufferFull);
        }
        writer.varint(Self::TYPE as u64);
        writer.varint(body as u64);
        let start = writer.len();
        self.write_body(writer);
        debug_assert_eq!(writer.len() - start, body, "{:?}", Self::TYPE);
        Ok(())
    }
}

/// One frame of an opened packet.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "each is the frame of the same name")]
pub enum Frame<'a> {
    Padding(Padding),
    TransferNotify(TransferNotify<'a>),
    TransferAccept(TransferAccept<'a>),
    PullRequest(PullRequest<'a>),
    RangeAck(RangeAck<'a>),
    CancelPull(CancelPull<'a>),
    FlowReset(FlowReset),
    TransferChallenge(TransferChallenge),
    TransferChallengeResponse(TransferChallengeResponse),
    Probe(Probe),
    ProbeResponse(ProbeResponse),
    StreamClose(StreamClose<'a>),
    StreamCloseAck(StreamCloseAck),
    StreamCredit(StreamCredit),
    ArrivalReport(ArrivalReport),
    StreamBlocked(StreamBlocked),
    PathChallenge(PathChallenge),
    PathResponse(PathResponse),
    PathStatus(PathStatus),
    PathAbandon(PathAbandon),
    Withdraw(Withdraw),
    /// A type that this version does not know; skipped [WIRE-5].
    Unknown {
        ty: u64,
        len: usize,
    },
}

impl<'a> Frame<'a> {
    /// Reads one frame from the front.
    ///
    /// # Errors
    /// The bytes are not one.
    #[inline]
    pub fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let ty = reader.varint("frame type")?;
        let body = reader.counted("frame")?;
        let mut r = Reader::new(body);
        let frame = match ty {
            0 => Self::Padding(Padding::read(&mut r)?),
            1 => Self::TransferNotify(TransferNotify::read(&mut r)?),
            2 => Self::TransferAccept(TransferAccept::read(&mut r)?),
            3 => Self::PullRequest(PullRequest::read(&mut r)?),
            4 => Self::RangeAck(RangeAck::read(&mut r)?),
            5 => Self::CancelPull(CancelPull::read(&mut r)?),
            6 => Self::FlowReset(FlowReset::read(&mut r)?),
            7 => Self::TransferChallenge(TransferChallenge::read(&mut r)?),
            8 => Self::TransferChallengeResponse(TransferChallengeResponse::read(&mut r)?),
            9 => Self::Probe(Probe::read(&mut r)?),
            10 => Self::ProbeResponse(ProbeResponse::read(&mut r)?),
            11 => Self::StreamClose(StreamClose::read(&mut r)?),
            12 => Self::StreamCloseAck(StreamCloseAck::read(&mut r)?),
            13 => Self::StreamCredit(StreamCredit::read(&mut r)?),
            14 => Self::ArrivalReport(ArrivalReport::read(&mut r)?),
            15 => Self::StreamBlocked(StreamBlocked::read(&mut r)?),
            16 => Self::PathChallenge(PathChallenge::read(&mut r)?),
            17 => Self::PathResponse(PathResponse::read(&mut r)?),
            18 => Self::PathStatus(PathStatus::read(&mut r)?),
            19 => Self::PathAbandon(PathAbandon::read(&mut r)?),
            20 => Self::Withdraw(Withdraw::read(&mut r)?),
            // [WIRE-5]
            _ => return Ok(Self::Unknown { ty, len: body.len() }),
        };
        r.finish("frame")?;
        Ok(frame)
    }

    /// Writes the frame; an unknown one cannot be written and has no bytes.
    ///
    /// # Errors
    /// There is no room for it; nothing was written.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), BufferFull> {
        match self {
            Self::Padding(frame) => frame.encode(writer),
            Self::TransferNotify(frame) => frame.encode(writer),
            Self::TransferAccept(frame) => frame.encode(writer),
            Self::PullRequest(frame) => frame.encode(writer),
            Self::RangeAck(frame) => frame.encode(writer),
            Self::CancelPull(frame) => frame.encode(writer),
            Self::FlowReset(frame) => frame.encode(writer),
            Self::TransferChallenge(frame) => frame.encode(writer),
            Self::TransferChallengeResponse(frame) => frame.encode(writer),
            Self::Probe(frame) => frame.encode(writer),
            Self::ProbeResponse(frame) => frame.encode(writer),
            Self::StreamClose(frame) => frame.encode(writer),
            Self::StreamCloseAck(frame) => frame.encode(writer),
            Self::StreamCredit(frame) => frame.encode(writer),
            Self::ArrivalReport(frame) => frame.encode(writer),
            Self::StreamBlocked(frame) => frame.encode(writer),
            Self::PathChallenge(frame) => frame.encode(writer),
            Self::PathResponse(frame) => frame.encode(writer),
            Self::PathStatus(frame) => frame.encode(writer),
            Self::PathAbandon(frame) => frame.encode(writer),
            Self::Withdraw(frame) => frame.encode(writer),
            Self::Unknown { .. } => Ok(()),
        }
    }
}

/// The frames of an opened packet, in order; ends at the first that is malformed.
#[derive(Clone, Copy, Debug)]
pub struct Frames<'a> {
    reader: Reader<'a>,
}

impl<'a> Frames<'a> {
    /// The frames in `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { reader: Reader::new(bytes) }
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Frame<'a>, DecodeError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let frame = Frame::decode(&mut self.reader);
        if frame.is_err() {
            self.reader = Reader::new(&[]);
        }
        Some(frame)
    }
}
