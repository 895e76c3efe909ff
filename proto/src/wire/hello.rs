//! The two packets with which peers meet (spec chapters 2 and 3).
//!
//! Both are exactly 256 bytes long, so that an answer is never longer than what it answers.

use super::{
    codec::{Reader, Writer, varint_len},
    error::DecodeError,
};
use crate::id::Incarnation;

/// Bytes of a hello, of either kind [WIRE-12].
pub const HELLO_LEN: usize = 256;

/// Bytes of the MAC at the end.
const MAC_LEN: usize = 32;

/// Bytes from the tag to the incarnation.
const FIXED_LEN: usize = 36;

/// What an endpoint says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelloParams {
    /// Workers that may send with keys of the path secret, 1 to 255.
    pub workers: u8,
    /// The largest UDP payload it takes, 1,200 to 65,507 bytes.
    pub max_datagram: u16,
    /// Binary logarithm of the largest record it opens, 10 to 16.
    pub record_size_log2_max: u8,
    /// Notifies that it takes before its first accept, as a running count.
    pub notify_credit: u64,
    /// Payload that may be on its way unasked before its first accept, in bytes.
    pub unscheduled_bytes: u64,
    /// Transfers that it receives at once; the sender's slots stay below.
    pub max_transfers: u32,
    /// Streams that the peer may have open at once; their slots stay below.
    pub max_streams: u32,
    /// What its link takes, in bytes per second; 0 if it does not know.
    pub receive_rate: u64,
    /// Versions of the protocol that it speaks, as a bitmap: bit n is version n.
    pub versions: u64,
    /// Messages that each stream may announce before its first STREAM_CREDIT.
    pub stream_messages: u64,
    /// Bytes that each stream may announce before its first STREAM_CREDIT.
    pub stream_bytes: u64,
}

impl Default for HelloParams {
    fn default() -> Self {
        Self {
            workers: 1,
            max_datagram: 1_200,
            record_size_log2_max: 14,
            notify_credit: 16,
            unscheduled_bytes: 0,
            max_transfers: 1_024,
            max_streams: 1_024,
            receive_rate: 0,
            versions: 1 << 1,
            stream_messages: 16,
            stream_bytes: 1 << 16,
        }
    }
}

/// A parameter: its id, its name, and the least and greatest value.
struct Param {
    name: &'static str,
    min: u64,
    max: u64,
}

/// The parameters in the order of their ids, from 1 [WIRE-14].
const PARAMS: [Param; 11] = [
    Param { name: "workers", min: 1, max: 255 },
    Param { name: "max_datagram", min: 1_200, max: 65_507 },
    Param { name: "record_size_log2_max", min: 10, max: 16 },
    Param { name: "notify_credit", min: 1, max: super::codec::MAX_VARINT },
    Param { name: "unscheduled_bytes", min: 0, max: super::codec::MAX_VARINT },
    Param { name: "max_transfers", min: 1, max: 1 << 24 },
    Param { name: "max_streams", min: 1, max: 1 << 24 },
    Param { name: "receive_rate", min: 0, max: super::codec::MAX_VARINT },
    Param { name: "versions", min: 1, max: super::codec::MAX_VARINT },
    Param { name: "stream_messages", min: 1, max: super::codec::MAX_VARINT },
    Param { name: "stream_bytes", min: 1, max: super::codec::MAX_VARINT },
];

impl HelloParams {
    /// Each parameter's name and value, in the order of the wire.
    pub fn fields(&self) -> [(&'static str, u64); PARAMS.len()] {
        let values = [
            self.workers.into(),
            self.max_datagram.into(),
            self.record_size_log2_max.into(),
            self.notify_credit,
            self.unscheduled_bytes,
            self.max_transfers.into(),
            self.max_streams.into(),
            self.receive_rate,
            self.versions,
            self.stream_messages,
            self.stream_bytes,
        ];
        core::array::from_fn(|index| (PARAMS[index].name, values[index]))
    }

    fn set(&mut self, index: usize, value: u64) {
        match index {
            0 => self.workers = value as u8,
            1 => self.max_datagram = value as u16,
            2 => self.record_size_log2_max = value as u8,
            3 => self.notify_credit = value,
            4 => self.unscheduled_bytes = value,
            5 => self.max_transfers = value as u32,
            6 => self.max_streams = value as u32,
            7 => self.receive_rate = value,
            8 => self.versions = value,
            9 => self.stream_messages = value,
            _ => self.stream_bytes = value,
        }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        for (index, (_, value)) in self.fields().into_iter().enumerate() {
            writer.varint(index as u64 + 1);
            writer.varint(varint_len(value) as u64);
            writer.varint(value);
        }
    }

    fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut params = Self::default();
        let mut reader = Reader::new(bytes);
        let mut previous = 0;
        while !reader.is_empty() {
            let id = reader.varint("parameter id")?;
            let value = reader.counted("parameter")?;
            if id <= previous {
                return Err(DecodeError::ParamOrder);
            }
            previous = id;
            // a parameter of a later version means nothing to this one
            let Some(param) = PARAMS.get(id as usize - 1) else { continue };
            let mut value = Reader::new(value);
            let number = value.varint(param.name)?;
            value.finish(param.name)?;
            if number < param.min || number > param.max {
                return Err(DecodeError::OutOfRange { field: param.name });
            }
            params.set(id as usize - 1, number);
        }
        Ok(params)
    }
}

/// The first packet between two peers, to be written.
#[derive(Clone, Copy, Debug)]
pub struct HelloInit<'a> {
    /// Version of the protocol.
    pub version: u16,
    /// Names the pre-shared key.
    pub psk_id: [u8; 16],
    /// The sender's life.
    pub incarnation: Incarnation,
    /// Drawn for this hello.
    pub random: [u8; 32],
    /// What the sender says of itself.
    pub params: &'a HelloParams,
}

/// The answer, to be written.
#[derive(Clone, Copy, Debug)]
pub struct HelloReply<'a> {
    /// Version of the protocol.
    pub version: u16,
    /// Names the pre-shared key.
    pub psk_id: [u8; 16],
    /// The sender's life.
    pub incarnation: Incarnation,
    /// The random of the hello that is answered.
    pub echo: [u8; 32],
    /// Drawn for this answer.
    pub random: [u8; 32],
    /// What the sender says of itself.
    pub params: &'a HelloParams,
}

impl HelloInit<'_> {
    /// Writes everything but the MAC, which stays zero.
    pub fn encode(&self, out: &mut [u8; HELLO_LEN]) {
        let randoms = [&self.random[..], &[]];
        let tag = super::PacketKind::HelloInit as u8;
        encode(tag, self.version, &self.psk_id, self.incarnation, randoms, self.params, out);
    }
}

impl HelloReply<'_> {
    /// Writes everything but the MAC, which stays zero.
    pub fn encode(&self, out: &mut [u8; HELLO_LEN]) {
        let randoms = [&self.echo[..], &self.random[..]];
        let tag = super::PacketKind::HelloReply as u8;
        encode(tag, self.version, &self.psk_id, self.incarnation, randoms, self.params, out);
    }
}

fn encode(
    tag: u8,
    version: u16,
    psk_id: &[u8; 16],
    incarnation: Incarnation,
    randoms: [&[u8]; 2],
    params: &HelloParams,
    out: &mut [u8; HELLO_LEN],
) {
    out.fill(0);
    let mut params_bytes = [0; HELLO_LEN];
    let mut params_writer = Writer::new(&mut params_bytes);
    params.write(&mut params_writer);
    let params_len = params_writer.len();
    let mut writer = Writer::new(out);
    writer.u8(tag);
    writer.u8(0);
    writer.u16(version);
    writer.bytes(psk_id);
    writer.bytes(&incarnation.0);
    randoms.iter().for_each(|random| writer.bytes(random));
    writer.u16(params_len as u16);
    writer.bytes(&params_bytes[..params_len]);
}

/// The most that the parameters can take: an id, a length and a value each.
const MAX_PARAMS_LEN: usize = PARAMS.len() * (1 + 1 + 8);
const _: () = assert!(FIXED_LEN + 64 + 2 + MAX_PARAMS_LEN + MAC_LEN <= HELLO_LEN);

/// A received [`HelloInit`], divided into fields but not authenticated.
#[derive(Clone, Copy, Debug)]
pub struct HelloInitView<'a> {
    common: Common<'a>,
}

/// A received [`HelloReply`], divided into fields but not authenticated.
#[derive(Clone, Copy, Debug)]
pub struct HelloReplyView<'a> {
    echo: &'a [u8; 32],
    common: Common<'a>,
}

#[derive(Clone, Copy, Debug)]
struct Common<'a> {
    bytes: &'a [u8; HELLO_LEN],
    random: &'a [u8; 32],
    params: &'a [u8],
}

impl<'a> Common<'a> {
    fn decode(bytes: &'a [u8; HELLO_LEN], randoms_from: usize) -> Result<Self, DecodeError> {
        if bytes[1] != 0 {
            return Err(DecodeError::Reserved { field: "hello" });
        }
        let mut reader = Reader::new(&bytes[randoms_from..HELLO_LEN - MAC_LEN]);
        let random = reader.array("random")?;
        let params_len = reader.u16("parameters")?;
        let params = reader.bytes(usize::from(params_len), "parameters")?;
        HelloParams::read(params)?;
        if reader.rest().iter().any(|byte| *byte != 0) {
            return Err(DecodeError::Reserved { field: "hello padding" });
        }
        Ok(Self { bytes, random, params })
    }
}

macro_rules! hello_view {
    ($view:ident) => {
        impl<'a> $view<'a> {
            /// The whole packet.
            pub const fn bytes(&self) -> &'a [u8; HELLO_LEN] {
                self.common.bytes
            }

            /// Version of the protocol.
            pub const fn version(&self) -> u16 {
                u16::from_be_bytes([self.common.bytes[2], self.common.bytes[3]])
            }

            /// Names the pre-shared key.
            pub fn psk_id(&self) -> &'a [u8; 16] {
                array_at(self.common.bytes, 4)
            }

            /// The sender's life.
            pub fn incarnation(&self) -> Incarnation {
                Incarnation(*array_at(self.common.bytes, 20))
            }

            /// The sender's random.
            pub const fn random(&self) -> &'a [u8; 32] {
                self.common.random
            }

            /// What the sender says of itself.
            ///
            /// # Errors
            /// Never: they were checked when the packet was divided.
            pub fn params(&self) -> Result<HelloParams, DecodeError> {
                HelloParams::read(self.common.params)
            }

            /// What the MAC authenticates.
            pub fn authenticated(&self) -> &'a [u8] {
                &self.common.bytes[..HELLO_LEN - MAC_LEN]
            }

            /// The MAC.
            pub fn mac(&self) -> &'a [u8; MAC_LEN] {
                array_at(self.common.bytes, HELLO_LEN - MAC_LEN)
            }
        }
    };
}

hello_view!(HelloInitView);
hello_view!(HelloReplyView);

impl<'a> HelloInitView<'a> {
    pub(super) fn decode(datagram: &'a [u8]) -> Result<Self, DecodeError> {
        let bytes = exact(datagram)?;
        Ok(Self { common: Common::decode(bytes, FIXED_LEN)? })
    }
}

impl<'a> HelloReplyView<'a> {
    pub(super) fn decode(datagram: &'a [u8]) -> Result<Self, DecodeError> {
        let bytes = exact(datagram)?;
        let echo = Reader::new(&bytes[FIXED_LEN..]).array("echo")?;
        Ok(Self { echo, common: Common::decode(bytes, FIXED_LEN + 32)? })
    }

    /// The random of the hello that is answered.
    pub const fn echo(&self) -> &'a [u8; 32] {
        self.echo
    }
}

fn exact(datagram: &[u8]) -> Result<&[u8; HELLO_LEN], DecodeError> {
    match datagram.split_first_chunk() {
        None => Err(DecodeError::Truncated { field: "hello" }),
        Some((hello, [])) => Ok(hello),
        Some(_) => Err(DecodeError::TrailingBytes { field: "hello" }),
    }
}

fn array_at<const N: usize>(bytes: &[u8; HELLO_LEN], at: usize) -> &[u8; N] {
    // every position asked for lies inside
    bytes[at..].first_chunk().unwrap_or(&[0; N])
}
