//! For every field of every packet and frame that can be malformed: bytes in which it is.

use dcquic_proto::wire::DecodeError::{self, *};

use super::{control, data, encoded, hello_init, hello_reply, packets, small_notify};

/// A type's name, what is wrong, the bytes, and the error.
pub(crate) type Invalid = (&'static str, &'static str, Vec<u8>, DecodeError);

/// A frame of `ty` around a body.
fn frame(ty: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![ty, 0x40 | (body.len() >> 8) as u8, body.len() as u8];
    if body.len() < 64 {
        bytes = vec![ty, body.len() as u8];
    }
    bytes.extend_from_slice(body);
    bytes
}

fn cat(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// `bytes` with one of them replaced.
fn with(mut bytes: Vec<u8>, at: usize, value: u8) -> Vec<u8> {
    bytes[at] = value;
    bytes
}

const ID: [u8; 8] = [1, 0, 0, 2, 0, 0, 0, 3];

/// A notify's body from its flags, and what follows size 5 (no metadata, no fin).
fn notify(flags: u16, size: &[u8], rest: &[u8]) -> Vec<u8> {
    frame(1, &cat(&[&flags.to_be_bytes(), &ID, &[6, 0], size, rest]))
}

fn pulled(key: &[u8], first: &[u8], log2: u8) -> Vec<u8> {
    notify(0, &[5], &cat(&[&[key.len() as u8], key, first, &[log2], &[0]]))
}

pub(crate) fn frames() -> Vec<Invalid> {
    let field = |field| OutOfRange { field };
    let reserved = |field| Reserved { field };
    let mut all = notifies();
    let pull = |flags: u8, ranges: &[u8]| frame(3, &cat(&[&[flags], &ID, &ID, &[0, 0, 0], ranges]));
    let ack = |flags: u8, ranges: &[u8]| frame(4, &cat(&[&[flags], &ID, ranges]));
    let past = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    all.extend([
        ("frame", "no length", vec![9], Truncated { field: "frame" }),
        ("frame", "type in two bytes", vec![0x40, 9, 0], NonMinimal { field: "frame type" }),
        ("frame", "length in two bytes", vec![9, 0x40, 8], NonMinimal { field: "frame" }),
        ("frame", "length past the end", vec![9, 8, 0], Truncated { field: "frame" }),
        ("padding", "not zero", vec![0, 2, 0, 1], reserved("padding")),
        ("probe", "bytes behind", frame(9, &[0; 9]), TrailingBytes { field: "frame" }),
        ("probe", "short", frame(9, &[0; 7]), Truncated { field: "nonce" }),
        ("probe_response", "no delay", frame(10, &[0; 8]), Truncated { field: "delay" }),
        ("pull_request", "reserved flag", pull(4, &[1, 0, 1]), reserved("pull flags")),
        ("pull_request", "no range", pull(0, &[0]), EmptyList { field: "ranges" }),
        ("pull_request", "empty range", pull(0, &[1, 0, 0]), EmptyRange),
        ("pull_request", "overlap", pull(0, &[2, 0, 5, 4, 5]), RangeOrder),
        ("pull_request", "touching", pull(0, &[2, 0, 5, 5, 5]), RangeOrder),
        ("pull_request", "descending", pull(0, &[2, 9, 1, 0, 1]), RangeOrder),
        ("pull_request", "too few", pull(0, &[3, 0, 1]), ListTooLong { field: "ranges" }),
        ("pull_request", "cut range", pull(0, &[1, 7]), Truncated { field: "ranges" }),
        ("pull_request", "past 2^62", pull(0, &cat(&[&[1], &past, &[1]])), RangePastEnd),
        (
            "pull_request",
            "no path",
            frame(3, &cat(&[&[2], &ID, &ID, &[0, 0, 0]])),
            Truncated { field: "path" },
        ),
        ("cancel_pull", "no range", frame(5, &cat(&[&ID, &[0]])), EmptyList { field: "ranges" }),
        ("arrival_report", "no largest", frame(14, &[0, 0]), Truncated { field: "largest" }),
        ("range_ack", "reserved flag", ack(0x20, &[1, 0, 1]), reserved("range ack flags")),
        ("range_ack", "nothing acked", ack(0, &[0]), EmptyList { field: "ranges" }),
        ("range_ack", "empty range", ack(0, &[1, 0, 0]), EmptyRange),
        (
            "transfer_accept",
            "kind 2",
            frame(2, &cat(&[&[0, 0, 0, 0, 1], &ID, &[2]])),
            field("accepted kind"),
        ),
        (
            "transfer_accept",
            "too few",
            frame(2, &[0, 0, 0, 0, 2, 0]),
            ListTooLong { field: "accepted" },
        ),
        ("transfer_accept", "no receiver", frame(2, &cat(&[&[0, 0, 0, 0, 1], &ID, &[1]])), {
            Truncated { field: "receiver's transfer" }
        }),
        ("flow_reset", "side 2", frame(6, &cat(&[&ID, &[2, 0]])), field("side")),
        ("transfer_challenge", "short", frame(7, &ID), Truncated { field: "nonce" }),
        ("transfer_challenge_response", "short", frame(8, &ID), Truncated { field: "nonce" }),
        ("stream_close", "not text", frame(11, &[6, 1, 1, 0xff]), NotText { field: "reason" }),
        (
            "stream_close",
            "long reason",
            frame(11, &cat(&[&[6, 1, 0x41, 0x01], &[b'x'; 257]])),
            field("reason"),
        ),
        ("stream_close_ack", "no stream", frame(12, &[]), Truncated { field: "stream" }),
        ("stream_credit", "no lifetime", frame(13, &[6, 1, 1]), Truncated { field: "lifetime" }),
        ("path_challenge", "short", frame(16, &[0; 7]), Truncated { field: "data" }),
        ("path_response", "short", frame(17, &[0; 7]), Truncated { field: "data" }),
        ("path_status", "available 2", frame(18, &[1, 2, 2]), field("available")),
        ("path_abandon", "no code", frame(19, &[1]), Truncated { field: "code" }),
        ("withdraw", "none", frame(20, &[6, 2, 0, 1]), field("count")),
    ]);
    all
}

fn notifies() -> Vec<Invalid> {
    const NOTIFY: &str = "transfer_notify";
    let field = |field| OutOfRange { field };
    let key = [7; 16];
    let small = encoded(&small_notify());
    // flags stand behind type and length
    let with_flags = |flags: u16, rest: &[u8]| notify(flags, &[5], rest);
    let body = b"hello";
    vec![
        (NOTIFY, "inline and unscheduled", with(small, 2, 0x86), field("notify flags")),
        (NOTIFY, "pattern 5", with_flags(0x5001, body), field("pattern")),
        (NOTIFY, "pattern 7", with_flags(0x7001, body), field("pattern")),
        (NOTIFY, "inline with memory key", with_flags(0x0101, body), field("notify flags")),
        (NOTIFY, "inline too short", with_flags(1, b"hell"), Truncated { field: "inline payload" }),
        (NOTIFY, "inline too long", with_flags(1, b"hello!"), TrailingBytes { field: "frame" }),
        (NOTIFY, "empty metadata", with_flags(5, b"\0hello"), EmptyList { field: "metadata" }),
        (NOTIFY, "cut metadata", with_flags(5, &[9, 1]), Truncated { field: "metadata" }),
        (NOTIFY, "cut causality", with_flags(9, &[1]), Truncated { field: "causality" }),
        (
            NOTIFY,
            "no dependencies",
            with_flags(0x11, b"\0hello"),
            EmptyList { field: "dependencies" },
        ),
        (
            NOTIFY,
            "dependency kind 4",
            with_flags(0x11, &cat(&[&[1], &ID, &[4], body])),
            field("dependency kind"),
        ),
        (NOTIFY, "reliability 0", with_flags(0x41, b"\0hello"), field("reliability")),
        (NOTIFY, "reliability 3", with_flags(0x41, b"\x03hello"), field("reliability")),
        (NOTIFY, "cut lifetime", with_flags(0x21, &[]), Truncated { field: "lifetime" }),
        (NOTIFY, "cut content type", with_flags(0x81, &[]), Truncated { field: "content type" }),
        (NOTIFY, "cut status", notify(3, &[5], &[]), Truncated { field: "status" }),
        (NOTIFY, "long size", notify(1, &[0x40, 5], body), NonMinimal { field: "size" }),
        (NOTIFY, "key of 15 bytes", pulled(&key[..15], &[0], 16), field("data key")),
        (NOTIFY, "no key", pulled(&[], &[0], 16), field("data key")),
        (NOTIFY, "records of 2^9", pulled(&key, &[0], 9), field("record size")),
        (NOTIFY, "records of 2^17", pulled(&key, &[0], 17), field("record size")),
        (NOTIFY, "pulled but empty", notify(0, &[0], &cat(&[&[16], &key, &[0, 16, 0]])), {
            field("size")
        }),
        (NOTIFY, "cut record number", pulled(&key, &[], 0xc0), Truncated { field: "first record" }),
        (NOTIFY, "cut memory key", with_flags(0x100, &cat(&[&[16], &key, &[0, 16, 0, 4]])), {
            Truncated { field: "memory key" }
        }),
    ]
}

pub(crate) fn datagrams() -> Vec<Invalid> {
    let header = Reserved { field: "packet header" };
    let retire = |kind: &str| {
        let (_, _, bytes) = packets().into_iter().find(|(name, ..)| *name == kind).unwrap();
        bytes
    };
    let secret = Reserved { field: "secret control packet" };
    let behind = |mut bytes: Vec<u8>| {
        bytes.push(0);
        bytes
    };
    let long = TrailingBytes { field: "secret control packet" };
    let mut all = vec![
        ("packet", "empty", vec![], Truncated { field: "tag" }),
        ("packet", "tag 0", vec![0], UnknownTag { tag: 0 }),
        ("packet", "a QUIC packet", vec![0xc3; 1_200], UnknownTag { tag: 0xc3 }),
        ("control", "reserved byte", with(control(), 3, 1), header),
        ("control", "cut header", control()[..31].to_vec(), Truncated { field: "packet header" }),
        ("control", "cut tag", control()[..47].to_vec(), Truncated { field: "packet tag" }),
        ("data", "reserved byte", with(data(), 3, 1), header),
        ("data", "reserved flag", with(data(), 50, 8), Reserved { field: "data flags" }),
        ("data", "length too small", with(data(), 49, 8), LengthMismatch),
        ("data", "length too large", with(data(), 49, 10), LengthMismatch),
        ("data", "no payload", with(data(), 49, 0)[..68].to_vec(), EmptyRange),
        ("data", "cut header", data()[..51].to_vec(), Truncated { field: "data header" }),
        ("data", "cut tag", data()[..67].to_vec(), Truncated { field: "header tag" }),
        ("retire_control_key", "reserved", with(retire("retire_control_key"), 1, 1), secret),
        ("retire_control_key", "reserved 2", with(retire("retire_control_key"), 31, 1), secret),
        ("retire_control_key", "long", behind(retire("retire_control_key")), long),
        ("retire_data_key", "reserved", with(retire("retire_data_key"), 7, 1), secret),
        ("retire_data_key", "long", behind(retire("retire_data_key")), long),
        ("unknown_path_secret", "reserved", with(retire("unknown_path_secret"), 1, 1), secret),
        ("unknown_path_secret", "long", behind(retire("unknown_path_secret")), long),
    ];
    all.extend(hellos());
    all
}

fn hellos() -> Vec<Invalid> {
    // behind the random: the length of the parameters (2 bytes), then the first one (id, length)
    let (init, reply) = (hello_init(), hello_reply());
    let field = |field| OutOfRange { field };
    let padding = Reserved { field: "hello padding" };
    let params = |text: &[u8]| {
        let mut bytes = init.clone();
        bytes[68..224].fill(0);
        bytes[69] = text.len() as u8;
        bytes[70..70 + text.len()].copy_from_slice(text);
        bytes
    };
    vec![
        ("hello_init", "short", init[..255].to_vec(), Truncated { field: "hello" }),
        ("hello_init", "long", cat(&[&init, &[0]]), TrailingBytes { field: "hello" }),
        ("hello_init", "reserved byte", with(init.clone(), 1, 1), Reserved { field: "hello" }),
        ("hello_init", "padding", with(init.clone(), 223, 1), padding),
        (
            "hello_init",
            "parameters past the end",
            with(init.clone(), 69, 155),
            Truncated { field: "parameters" },
        ),
        ("hello_init", "parameter twice", params(&[1, 1, 2, 1, 1, 2]), ParamOrder),
        ("hello_init", "parameters descend", params(&[4, 1, 2, 1, 1, 2]), ParamOrder),
        ("hello_init", "parameter 0", params(&[0, 1, 2]), ParamOrder),
        ("hello_init", "no worker", params(&[1, 1, 0]), field("workers")),
        ("hello_init", "datagrams of 1,199", params(&[2, 2, 0x44, 0xaf]), field("max_datagram")),
        ("hello_init", "records of 2^17", params(&[3, 1, 17]), field("record_size_log2_max")),
        ("hello_init", "no credit", params(&[4, 1, 0]), field("notify_credit")),
        ("hello_init", "no transfers", params(&[6, 1, 0]), field("max_transfers")),
        ("hello_init", "no streams", params(&[7, 1, 0]), field("max_streams")),
        ("hello_init", "no version", params(&[9, 1, 0]), field("versions")),
        ("hello_init", "two numbers", params(&[1, 2, 1, 1]), TrailingBytes { field: "workers" }),
        ("hello_reply", "short", reply[..255].to_vec(), Truncated { field: "hello" }),
        ("hello_reply", "long", cat(&[&reply, &[0]]), TrailingBytes { field: "hello" }),
        ("hello_reply", "reserved byte", with(reply.clone(), 1, 1), Reserved { field: "hello" }),
        ("hello_reply", "padding", with(reply, 223, 1), padding),
    ]
}
