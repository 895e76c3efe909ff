//! What a packet or frame says, for people and for test vectors.
//!
//! Data keys are shown by their length only: secrets never print.

use core::fmt::{self, Debug, Display, Write};

use super::{
    DecodeError, Packet, PacketHeader,
    frame::{Body, Frame, Frames, TransferNotify},
    hello::HelloParams,
    list::{Item, List},
    packet::{DataFlags, decode_backlog},
};
use crate::{id::Incarnation, ranges::ByteRange};

/// A packet's or frame's name, and its fields in the order of the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The name, as the specification writes it.
    pub name: &'static str,
    /// The fields.
    pub fields: Vec<(&'static str, String)>,
}

impl Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        for (field, value) in &self.fields {
            write!(f, "\n  {field}: {value}")?;
        }
        Ok(())
    }
}

impl Description {
    const fn new(name: &'static str) -> Self {
        Self { name, fields: Vec::new() }
    }

    fn with(mut self, field: &'static str, value: impl Display) -> Self {
        self.fields.push((field, value.to_string()));
        self
    }

    fn with_option(self, field: &'static str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.with(field, value),
            None => self,
        }
    }

    fn with_header(self, header: &PacketHeader) -> Self {
        self.with("path", header.path)
            .with("worker", header.worker)
            .with("epoch", header.epoch)
            .with("packet_number", header.packet_number)
            .with("secret_id", hex(&header.secret_id))
    }

    fn with_hello(self, version: u16, psk_id: &[u8], incarnation: Incarnation) -> Self {
        self.with("version", version)
            .with("psk_id", hex(psk_id))
            .with("incarnation", hex(&incarnation.0))
    }

    fn with_params(mut self, params: &HelloParams) -> Self {
        for (name, value) in params.fields() {
            self = self.with(name, value);
        }
        self
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // a String takes whatever is written to it
        let _infallible = write!(digits, "{byte:02x}");
    }
    digits
}

/// Bytes in lines of 32, for reading beside a description.
pub fn hex_lines(bytes: &[u8]) -> String {
    bytes.chunks(32).map(hex).collect::<Vec<_>>().join("\n")
}

/// A datagram's clear fields.
///
/// # Errors
/// It is not a packet of this protocol.
pub fn packet(datagram: &[u8]) -> Result<Description, DecodeError> {
    Ok(match Packet::decode(datagram)? {
        Packet::Control(packet) => Description::new("CONTROL")
            .with_header(packet.header)
            .with("sealed", format_args!("{} bytes", packet.sealed.len())),
        Packet::Data(packet) => {
            let header = packet.header;
            Description::new("DATA")
                .with_header(&header.packet)
                .with("transfer", id(header.transfer.get()))
                .with("position", header.position)
                .with("length", header.length)
                .with("flags", flags(DataFlags(header.flags)))
                .with("backlog", format_args!("<= {} bytes", decode_backlog(header.backlog)))
                .with("tag", hex(packet.tag))
                .with("payload", format_args!("{} bytes", packet.payload.len()))
        }
        Packet::HelloInit(hello) => Description::new("HELLO_INIT")
            .with_hello(hello.version(), hello.psk_id(), hello.incarnation())
            .with("random", hex(hello.random()))
            .with_params(&hello.params()?)
            .with("mac", hex(hello.mac())),
        Packet::HelloReply(hello) => Description::new("HELLO_REPLY")
            .with_hello(hello.version(), hello.psk_id(), hello.incarnation())
            .with("echo", hex(hello.echo()))
            .with("random", hex(hello.random()))
            .with_params(&hello.params()?)
            .with("mac", hex(hello.mac())),
        Packet::RetireControlKey(packet) => Description::new("RETIRE_CONTROL_KEY")
            .with("epoch", packet.epoch)
            .with("secret_id", hex(&packet.secret_id))
            .with("worker", packet.worker)
            .with("authentication", hex(&packet.authentication)),
        Packet::RetireDataKey(packet) => Description::new("RETIRE_DATA_KEY")
            .with("secret_id", hex(&packet.secret_id))
            .with("key_id", hex(&packet.key_id))
            .with("authentication", hex(&packet.authentication)),
        Packet::UnknownPathSecret(packet) => Description::new("UNKNOWN_PATH_SECRET")
            .with("secret_id", hex(&packet.secret_id))
            .with("token", hex(&packet.token)),
    })
}

/// The frames of an opened control packet.
///
/// # Errors
/// They are malformed.
pub fn frames(opened: &[u8]) -> Result<Vec<Description>, DecodeError> {
    Frames::new(opened).map(|frame| Ok(self::frame(&frame?))).collect()
}

/// One frame.
pub fn frame(frame: &Frame<'_>) -> Description {
    let new = Description::new;
    match frame {
        Frame::Padding(f) => new("PADDING").with("length", f.len),
        Frame::TransferNotify(f) => notify(f),
        Frame::TransferAccept(f) => new("TRANSFER_ACCEPT")
            .with("notify_credit", f.notify_credit)
            .with("unscheduled_bytes", f.unscheduled_bytes)
            .with("largest", f.largest.0)
            .with("delay_us", f.delay_us)
            .with("accepted", list(&f.accepted)),
        Frame::PullRequest(f) => new("PULL_REQUEST")
            .with("retransmission", f.retransmission)
            .with("transfer", id(f.transfer.0))
            .with("receiver", id(f.receiver.0))
            .with("buffer", f.buffer.0)
            .with("rate", f.rate)
            .with("lifetime_us", f.lifetime_us)
            .with_option("path", f.path.map(|path| path.0))
            .with("ranges", ranges(&f.ranges)),
        Frame::RangeAck(f) => new("RANGE_ACK")
            .with("complete", f.complete)
            .with("occupancy", f.occupancy)
            .with("transfer", id(f.transfer.0))
            .with("ranges", ranges(&f.ranges)),
        Frame::ArrivalReport(f) => new("ARRIVAL_REPORT")
            .with("arrived_bytes", f.arrived_bytes)
            .with("ce_count", f.ce_count)
            .with("largest", f.largest.0),
        Frame::CancelPull(f) => {
            new("CANCEL_PULL").with("transfer", id(f.transfer.0)).with("ranges", ranges(&f.ranges))
        }
        Frame::FlowReset(f) => new("FLOW_RESET")
            .with("transfer", id(f.transfer.0))
            .with("side", debug(f.side))
            .with("status", f.status),
        Frame::TransferChallenge(f) => {
            new("TRANSFER_CHALLENGE").with("transfer", id(f.transfer.0)).with("nonce", f.nonce)
        }
        Frame::TransferChallengeResponse(f) => new("TRANSFER_CHALLENGE_RESPONSE")
            .with("transfer", id(f.transfer.0))
            .with("nonce", f.nonce),
        Frame::Probe(f) => new("PROBE").with("nonce", f.nonce),
        Frame::ProbeResponse(f) => {
            new("PROBE_RESPONSE").with("nonce", f.nonce).with("delay_us", f.delay_us)
        }
        Frame::StreamClose(f) => new("STREAM_CLOSE")
            .with("stream", id(f.stream.0))
            .with("status", f.status)
            .with("reason", String::from_utf8_lossy(f.reason)),
        Frame::StreamCloseAck(f) => new("STREAM_CLOSE_ACK").with("stream", id(f.stream.0)),
        Frame::StreamBlocked(f) => new("STREAM_BLOCKED").with("stream", id(f.stream.0)),
        Frame::StreamCredit(f) => new("STREAM_CREDIT")
            .with("stream", id(f.stream.0))
            .with("bytes", f.bytes)
            .with("messages", f.messages)
            .with("lifetime_us", f.lifetime_us),
        Frame::PathChallenge(f) => new("PATH_CHALLENGE").with("data", f.data),
        Frame::PathResponse(f) => new("PATH_RESPONSE").with("data", f.data),
        Frame::PathStatus(f) => new("PATH_STATUS")
            .with("path", f.path.0)
            .with("sequence", f.sequence)
            .with("available", f.available),
        Frame::PathAbandon(f) => new("PATH_ABANDON").with("path", f.path.0).with("code", f.code),
        Frame::Withdraw(f) => new("WITHDRAW")
            .with("stream", id(f.stream.0))
            .with("first_index", f.first_index)
            .with("count", f.count)
            .with("cause", f.cause),
        Frame::Unknown { ty, len } => new("UNKNOWN").with("type", ty).with("length", len),
    }
}

fn notify(f: &TransferNotify<'_>) -> Description {
    let description = Description::new("TRANSFER_NOTIFY")
        .with("priority", f.priority.level())
        .with("pattern", debug(f.pattern))
        .with("transfer", id(f.transfer.0))
        .with("stream", id(f.stream.0))
        .with("index", f.index)
        .with("size", f.size)
        .with_option("fin", f.fin)
        .with("metadata", hex(f.metadata))
        .with_option("causality", f.causality.map(id))
        .with("dependencies", list(&f.dependencies))
        .with_option("remaining_lifetime_us", f.remaining_lifetime_us)
        .with("reliability", debug(f.reliability))
        .with_option("content_type", f.content_type);
    match f.body {
        Body::Inline(payload) => description.with("inline", hex(payload)),
        Body::Pulled { key, first_record, record_log2, buffer, memory_key, unscheduled } => {
            description
                .with("key", format_args!("{} bytes", key.len()))
                .with("first_record", first_record)
                .with("record_log2", record_log2)
                .with("buffer", buffer.0)
                .with_option("memory_key", memory_key.map(hex))
                .with_option("unscheduled", unscheduled.then_some("true"))
        }
    }
}

fn id(value: u64) -> String {
    format!("{value:#018x}")
}

fn debug(value: impl Debug) -> String {
    format!("{value:?}")
}

fn list<T: Item>(items: &List<'_, T>) -> String {
    format!("{items:?}")
}

fn ranges(ranges: &List<'_, ByteRange>) -> String {
    let texts: Vec<_> = ranges.iter().map(|r| format!("{}..{}", r.start, r.end)).collect();
    texts.join(" ")
}

fn flags(flags: DataFlags) -> String {
    let names = [
        (DataFlags::RETRANSMISSION, "retransmission"),
        (DataFlags::CONGESTED_SENDER, "congested-sender"),
        (DataFlags::UNSCHEDULED, "unscheduled"),
    ];
    let set: Vec<_> =
        names.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, name)| *name).collect();
    if set.is_empty() { "none".to_owned() } else { set.join(" ") }
}
