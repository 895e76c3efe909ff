//! Arbitrary frames, for properties and fuzzing.

use arbitrary::{Arbitrary, Result, Unstructured};

use super::{
    codec::MAX_VARINT,
    frame::{
        Accepted, ArrivalReport, Body, CancelPull, Dependency, DependencyKind, Failure, FlowReset,
        Frame, Padding, PathAbandon, PathChallenge, PathResponse, PathStatus, Probe, ProbeResponse,
        PullRequest, RangeAck, Reliability, Side, StreamBlocked, StreamClose, StreamCloseAck,
        StreamCredit, TransferAccept, TransferChallenge, TransferChallengeResponse, TransferNotify,
        WaitPoint, Withdraw,
    },
    list::List,
};
use crate::{
    id::{BufferId, PacketNumber, PathId, Pattern, Priority, Status, StreamId, TransferId},
    ranges::ByteRange,
};

/// What a frame borrows: every frame made from one of these can be written, and reads back equal.
#[derive(Clone, Debug)]
pub struct FrameParts {
    kind: u8,
    numbers: [u64; 6],
    small: [u64; 4],
    flags: [bool; 8],
    bytes: Vec<u8>,
    more_bytes: Vec<u8>,
    ranges: Vec<ByteRange>,
    accepted: Vec<Accepted>,
    dependencies: Vec<Dependency>,
}

/// Lists and byte strings are at most this long.
const MOST: usize = 40;

impl<'a> Arbitrary<'a> for FrameParts {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut ranges = Vec::new();
        let mut at = 0_u64;
        for _ in 0..u.int_in_range(1..=6)? {
            let start = at + u.int_in_range(0..=1 << 40)?;
            let end = start + u.int_in_range(1..=1 << 40)?;
            ranges.extend(ByteRange::new(start, end));
            at = end + 1;
        }
        let accepted = (0..u.int_in_range(0..=6)?)
            .map(|_| {
                let sender = TransferId(u.arbitrary()?);
                Ok(Accepted { sender, receiver: u.arbitrary::<Option<u64>>()?.map(TransferId) })
            })
            .collect::<Result<_>>()?;
        let dependencies = (0..u.int_in_range(0..=4)?)
            .map(|_| {
                let wait = if u.arbitrary()? {
                    WaitPoint::RequestSent
                } else {
                    WaitPoint::ResponseReceived
                };
                let failure = if u.arbitrary()? { Failure::Cascade } else { Failure::Ignore };
                Ok(Dependency { token: u.arbitrary()?, kind: DependencyKind { wait, failure } })
            })
            .collect::<Result<_>>()?;
        let bytes = |u: &mut Unstructured<'a>| -> Result<Vec<u8>> {
            let len = u.int_in_range(0..=MOST)?;
            (0..len).map(|_| u.arbitrary()).collect()
        };
        Ok(Self {
            kind: u.int_in_range(0..=19)?,
            numbers: u.arbitrary::<[u64; 6]>()?.map(|number| number & MAX_VARINT),
            small: u.arbitrary::<[u16; 4]>()?.map(u64::from),
            flags: u.arbitrary()?,
            bytes: bytes(u)?,
            more_bytes: bytes(u)?,
            ranges,
            accepted,
            dependencies,
        })
    }
}

impl FrameParts {
    /// The frame.
    pub fn frame(&self) -> Frame<'_> {
        let [a, b, c, d, e, _] = self.numbers;
        let (transfer, stream, status) = (TransferId(!a), StreamId(b), Status(c));
        let largest = PacketNumber(d);
        let path = PathId(self.small[0] as u8);
        let ranges = List::Slice(&self.ranges);
        match self.kind {
            0 => Frame::Padding(Padding { len: self.bytes.len() }),
            1 => Frame::TransferNotify(self.notify()),
            2 => Frame::TransferAccept(TransferAccept {
                accepted: List::Slice(&self.accepted),
                notify_credit: a,
                unscheduled_bytes: b,
                largest,
                delay_us: e,
            }),
            3 => Frame::PullRequest(PullRequest {
                transfer,
                receiver: TransferId(b),
                buffer: BufferId(c),
                ranges,
                rate: d,
                lifetime_us: e,
                retransmission: self.flags[0],
                path: self.flags[1].then_some(path),
            }),
            4 => Frame::RangeAck(RangeAck {
                transfer,
                ranges,
                complete: self.flags[0],
                occupancy: self.small[1] as u8 & 31,
            }),
            5 => Frame::CancelPull(CancelPull { transfer, ranges }),
            6 => {
                let side = if self.flags[0] { Side::Sender } else { Side::Receiver };
                Frame::FlowReset(FlowReset { transfer, side, status })
            }
            7 => Frame::TransferChallenge(TransferChallenge { transfer, nonce: !b }),
            8 => {
                Frame::TransferChallengeResponse(TransferChallengeResponse { transfer, nonce: !b })
            }
            9 => Frame::Probe(Probe { nonce: !a }),
            10 => Frame::ProbeResponse(ProbeResponse { nonce: !a, delay_us: b }),
            11 => {
                let reason = core::str::from_utf8(&self.bytes).unwrap_or("").as_bytes();
                Frame::StreamClose(StreamClose { stream, status, reason })
            }
            12 => Frame::StreamCloseAck(StreamCloseAck { stream }),
            13 => {
                Frame::StreamCredit(StreamCredit { stream, bytes: c, messages: d, lifetime_us: e })
            }
            14 => Frame::ArrivalReport(ArrivalReport { arrived_bytes: b, ce_count: c, largest }),
            19 => Frame::StreamBlocked(StreamBlocked { stream }),
            15 => Frame::PathChallenge(PathChallenge { data: !a }),
            16 => Frame::PathResponse(PathResponse { data: !a }),
            17 => Frame::PathStatus(PathStatus { path, sequence: a, available: self.flags[0] }),
            18 => Frame::PathAbandon(PathAbandon { path, code: a }),
            _ => {
                Frame::Withdraw(Withdraw { stream, first_index: a, count: d.max(1), cause: status })
            }
        }
    }

    fn notify(&self) -> TransferNotify<'_> {
        let [a, b, c, d, e, f] = self.numbers;
        let reliability = match self.small[2] % 3 {
            0 => Reliability::Reliable,
            1 => Reliability::Deadline,
            _ => Reliability::Lossy,
        };
        let pattern = match self.small[3] % 5 {
            0 => Pattern::Unary,
            1 => Pattern::StreamingResponse,
            2 => Pattern::StreamingRequest,
            3 => Pattern::Bidirectional,
            _ => Pattern::Bulk,
        };
        let key: &[u8] = if self.flags[0] { &[0x5a; 16] } else { &[0xa5; 32] };
        let (size, body) = if self.flags[1] {
            (self.bytes.len() as u64, Body::Inline(&self.bytes))
        } else {
            let record_log2 = 10 + (self.small[0] % 7) as u8;
            let memory_key = self.flags[2].then_some(&self.bytes[..]);
            let buffer = BufferId(f);
            let unscheduled = self.flags[7];
            let first_record = e;
            let body =
                Body::Pulled { key, first_record, record_log2, buffer, memory_key, unscheduled };
            (c.max(1), body)
        };
        TransferNotify {
            transfer: TransferId(!a),
            stream: StreamId(b),
            index: d,
            size,
            priority: Priority::new(self.small[1] as u8 & 7).unwrap_or_default(),
            pattern,
            fin: self.flags[3].then_some(Status(e)),
            metadata: &self.more_bytes,
            causality: self.flags[4].then_some(!f),
            dependencies: List::Slice(&self.dependencies),
            remaining_lifetime_us: self.flags[5].then_some(d),
            reliability,
            content_type: self.flags[6].then_some(e),
            body,
        }
    }
}
