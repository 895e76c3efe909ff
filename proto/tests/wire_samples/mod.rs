//! At least one sample of every packet and frame, optional fields on and off.

#![allow(dead_code, reason = "each test that includes this uses a part of it")]

pub(crate) mod invalid;

use dcquic_proto::{
    id::{
        BufferId, Incarnation, PacketNumber, PathId, Pattern, Priority, Status, StreamId,
        TransferId, WorkerId,
    },
    ranges::ByteRange,
    wire::{
        HelloInit, HelloParams, HelloReply, List, Writer,
        frame::{
            Accepted, ArrivalReport, Body, CancelPull, Dependency, DependencyKind, Encode, Failure,
            FlowReset, Padding, PathAbandon, PathChallenge, PathResponse, PathStatus, Probe,
            ProbeResponse, PullRequest, RangeAck, Reliability, Side, StreamBlocked, StreamClose,
            StreamCloseAck, StreamCredit, TransferAccept, TransferChallenge,
            TransferChallengeResponse, TransferNotify, WaitPoint, Withdraw,
        },
        packet::{DataHeader, PacketHeader},
        secret_control::{RetireControlKey, RetireDataKey, UnknownPathSecret},
    },
};
use zerocopy::IntoBytes;

/// A type's name in file names, a sample's name, and its bytes.
pub(crate) type Sample = (&'static str, &'static str, Vec<u8>);

pub(crate) fn encoded(frame: &impl Encode) -> Vec<u8> {
    let mut bytes = vec![0; 4_096];
    let mut writer = Writer::new(&mut bytes);
    frame.encode(&mut writer).unwrap();
    let len = writer.len();
    assert_eq!(len, frame.encoded_len());
    bytes.truncate(len);
    // one byte less is not enough, and leaves the writer as it was
    let mut small = vec![0; len - 1];
    let mut writer = Writer::new(&mut small);
    assert!(frame.encode(&mut writer).is_err());
    assert_eq!(writer.len(), 0);
    bytes
}

fn range(start: u64, end: u64) -> ByteRange {
    ByteRange::new(start, end).unwrap()
}

pub(crate) fn transfer(slot: u32) -> TransferId {
    TransferId::new(WorkerId(1), 2, slot)
}

pub(crate) fn small_notify() -> TransferNotify<'static> {
    TransferNotify {
        transfer: transfer(3),
        stream: StreamId(6),
        index: 0,
        size: 5,
        priority: Priority::default(),
        pattern: Pattern::Unary,
        fin: Some(Status::OK),
        metadata: b"",
        causality: None,
        dependencies: List::empty(),
        remaining_lifetime_us: None,
        reliability: Reliability::Reliable,
        content_type: None,
        body: Body::Inline(b"hello"),
    }
}

const DEPENDENCIES: [Dependency; 4] = [
    dependency(1, WaitPoint::RequestSent, Failure::Cascade),
    dependency(2, WaitPoint::ResponseReceived, Failure::Cascade),
    dependency(3, WaitPoint::RequestSent, Failure::Ignore),
    dependency(4, WaitPoint::ResponseReceived, Failure::Ignore),
];

const fn dependency(token: u64, wait: WaitPoint, failure: Failure) -> Dependency {
    Dependency { token, kind: DependencyKind { wait, failure } }
}

pub(crate) fn full_notify() -> TransferNotify<'static> {
    TransferNotify {
        size: 1 << 30,
        index: 70,
        priority: Priority::HIGHEST,
        pattern: Pattern::Bulk,
        metadata: b"put file",
        causality: Some(0x0123_4567_89ab_cdef),
        dependencies: List::Slice(&DEPENDENCIES),
        remaining_lifetime_us: Some(1_500),
        reliability: Reliability::Deadline,
        content_type: Some(64),
        body: Body::Pulled {
            key: &[0x4b; 16],
            first_record: 300,
            record_log2: 16,
            buffer: BufferId(9),
            memory_key: Some(b"rkey"),
            unscheduled: false,
        },
        ..small_notify()
    }
}

pub(crate) fn frames() -> Vec<Sample> {
    let ranges = [range(0, 65_552), range(131_104, 131_105)];
    let accepted = [
        Accepted { sender: transfer(1), receiver: None },
        Accepted { sender: transfer(2), receiver: Some(transfer(77)) },
    ];
    let pull = PullRequest {
        transfer: transfer(1),
        receiver: transfer(2),
        buffer: BufferId(0),
        ranges: List::Slice(&ranges),
        rate: 0,
        lifetime_us: 0,
        retransmission: false,
        path: None,
    };
    let ack = RangeAck {
        transfer: transfer(1),
        ranges: List::Slice(&ranges),
        complete: false,
        occupancy: 0,
    };
    let report =
        ArrivalReport { arrived_bytes: 1_000_000, ce_count: 3, largest: PacketNumber(70_000) };
    let (largest, delay_us) = (PacketNumber(1_000_000), 48);
    let accept = TransferAccept {
        accepted: List::Slice(&accepted),
        notify_credit: 4_096,
        unscheduled_bytes: 1_024,
        largest,
        delay_us,
    };
    let stream = StreamId(6);
    let lossy = TransferNotify {
        reliability: Reliability::Lossy,
        fin: None,
        body: Body::Pulled {
            key: &[0x4b; 32],
            first_record: 0,
            record_log2: 10,
            buffer: BufferId(0),
            memory_key: None,
            unscheduled: true,
        },
        ..small_notify()
    };
    let status = PathStatus { path: PathId(1), sequence: 2, available: true };
    let nonce = 0x1122_3344_5566_7788;
    vec![
        ("padding", "empty", encoded(&Padding { len: 0 })),
        ("padding", "three bytes", encoded(&Padding { len: 3 })),
        ("transfer_notify", "small call", encoded(&small_notify())),
        ("transfer_notify", "every field", encoded(&full_notify())),
        ("transfer_notify", "lossy, long key", encoded(&lossy)),
        ("transfer_accept", "two", encoded(&accept)),
        (
            "transfer_accept",
            "credit only",
            encoded(&TransferAccept { accepted: List::empty(), ..accept }),
        ),
        ("pull_request", "two ranges", encoded(&pull)),
        (
            "pull_request",
            "every field",
            encoded(&PullRequest {
                buffer: BufferId(70),
                rate: 12_500_000_000,
                lifetime_us: 200,
                retransmission: true,
                path: Some(PathId(3)),
                ..pull
            }),
        ),
        ("range_ack", "two ranges", encoded(&ack)),
        (
            "range_ack",
            "complete",
            encoded(&RangeAck { complete: true, ranges: List::empty(), occupancy: 31, ..ack }),
        ),
        ("arrival_report", "some marks", encoded(&report)),
        (
            "cancel_pull",
            "one range",
            encoded(&CancelPull { transfer: transfer(1), ranges: List::Slice(&ranges[..1]) }),
        ),
        (
            "flow_reset",
            "to the sender",
            encoded(&FlowReset {
                transfer: transfer(1),
                side: Side::Sender,
                status: Status::TOO_LARGE,
            }),
        ),
        (
            "flow_reset",
            "to the receiver",
            encoded(&FlowReset { transfer: transfer(1), side: Side::Receiver, status: Status(99) }),
        ),
        ("transfer_challenge", "one", encoded(&TransferChallenge { transfer: transfer(1), nonce })),
        (
            "transfer_challenge_response",
            "one",
            encoded(&TransferChallengeResponse { transfer: transfer(1), nonce }),
        ),
        ("probe", "one", encoded(&Probe { nonce })),
        ("probe_response", "one", encoded(&ProbeResponse { nonce, delay_us: 100 })),
        (
            "stream_close",
            "with a reason",
            encoded(&StreamClose { stream, status: Status::CANCELLED, reason: b"no longer" }),
        ),
        ("stream_close_ack", "one", encoded(&StreamCloseAck { stream })),
        (
            "stream_credit",
            "one",
            encoded(&StreamCredit { stream, bytes: 1 << 20, messages: 16, lifetime_us: 500 }),
        ),
        ("stream_blocked", "one", encoded(&StreamBlocked { stream })),
        ("path_challenge", "one", encoded(&PathChallenge { data: nonce })),
        ("path_response", "one", encoded(&PathResponse { data: nonce })),
        ("path_status", "available", encoded(&status)),
        ("path_status", "backup", encoded(&PathStatus { available: false, ..status })),
        ("path_abandon", "one", encoded(&PathAbandon { path: PathId(1), code: 7 })),
        (
            "withdraw",
            "one",
            encoded(&Withdraw { stream, first_index: 2, count: 3, cause: Status::DEADLINE }),
        ),
        ("unknown", "type 63", vec![63, 2, 0xaa, 0xbb]),
    ]
}

pub(crate) fn header(tag: u8) -> PacketHeader {
    PacketHeader {
        tag,
        path: 0,
        worker: 1,
        reserved: 0,
        epoch: 2.into(),
        packet_number: 3.into(),
        secret_id: *b"path secret id 1",
    }
}

pub(crate) fn hello_init() -> Vec<u8> {
    let mut out = [0; 256];
    let params = HelloParams { receive_rate: 12_500_000_000, ..HelloParams::default() };
    let hello = HelloInit {
        version: 1,
        psk_id: *b"pre-shared key 1",
        incarnation: Incarnation(*b"a life of a peer"),
        random: [0x11; 32],
        params: &params,
    };
    hello.encode(&mut out);
    out[224..].fill(0x33);
    out.to_vec()
}

pub(crate) fn hello_reply() -> Vec<u8> {
    let mut out = [0; 256];
    let hello = HelloReply {
        version: 1,
        psk_id: *b"pre-shared key 1",
        incarnation: Incarnation(*b"another's life  "),
        echo: [0x11; 32],
        random: [0x22; 32],
        params: &HelloParams::default(),
    };
    hello.encode(&mut out);
    out[224..].fill(0x33);
    out.to_vec()
}

pub(crate) fn data() -> Vec<u8> {
    let header = DataHeader {
        packet: header(0x11),
        transfer: transfer(77).0.into(),
        position: 65_552.into(),
        length: 9.into(),
        flags: 0b101,
        backlog: 35,
    };
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend([0xaa; 16]);
    bytes.extend(b"ciphertxt");
    bytes
}

pub(crate) fn control() -> Vec<u8> {
    let mut bytes = header(0x10).as_bytes().to_vec();
    bytes.extend(b"sealed frames");
    bytes.extend([0xbb; 16]);
    bytes
}

pub(crate) fn packets() -> Vec<Sample> {
    let retire_control = RetireControlKey {
        tag: 0x18,
        reserved: [0; 3],
        epoch: 4.into(),
        secret_id: *b"path secret id 1",
        worker: 1,
        reserved2: [0; 7],
        authentication: [0xcc; 16],
    };
    let retire_data = RetireDataKey {
        tag: 0x19,
        reserved: [0; 7],
        secret_id: *b"path secret id 1",
        key_id: *b"id of a data key",
        authentication: [0xcc; 16],
    };
    let unknown = UnknownPathSecret {
        tag: 0x1a,
        reserved: [0; 7],
        secret_id: *b"path secret id 1",
        token: [0xdd; 16],
    };
    vec![
        ("control", "sealed", control()),
        ("data", "slice", data()),
        ("hello_init", "one", hello_init()),
        ("hello_reply", "one", hello_reply()),
        ("retire_control_key", "one", retire_control.as_bytes().to_vec()),
        ("retire_data_key", "one", retire_data.as_bytes().to_vec()),
        ("unknown_path_secret", "one", unknown.as_bytes().to_vec()),
    ]
}
