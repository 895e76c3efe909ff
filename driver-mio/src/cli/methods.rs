//! What the command and its server say to each other: the metadata of requests and responses.
//!
//! A request's metadata is the name of its method, as the pool's method router has it (`Methods`);
//! behind a zero byte, the fields that the method takes, as a JSON object in UTF-8:
//!
//! | method | fields | request body | response body |
//! |---|--------|---|---|
//! | `echo` | | anything | the same |
//! | `time` | | ignored | nanoseconds since 1970-01-01T00:00:00Z in decimal |
//! | `sink` | | anything | its length in bytes in decimal |
//! | `seq` | | a number N | 1 to N in decimal, a message each |
//! | `sum` | | whole numbers in decimal | their sum in decimal |
//! | `inspect` | | ignored | the call as the server sees it, as JSON |
//! | `put` | `name` | the file | none; the metadata has `size` and `sha256` |
//! | `get` | `name` | none | the file; the metadata has `size`, `modified`, `token` |
//! | `digest` | `token`| none | none; the metadata has `sha256` |
//!
//! `modified` is in seconds since 1970. `token` names one `get`: its digest is known only once the
//! whole file has been read, which is after the response's metadata was sent, so the client asks
//! for it with `digest` afterwards.
//!
//! Streams: `echo` answers every request with the same message; with one request it answers each of
//! its lines, and with one response it joins the requests by line breaks. `sum` and `sink` take
//! their input in one request or in many; `sum` with many responses answers each request with the
//! sum so far. Request headers are lines of `name: value`. A refusal has a status other than 0 and
//! metadata with `error`.

use bytes::Bytes;
use dcquic_proto::{id::Pattern, pool::Incoming};
use serde::{Deserialize, Serialize};

use super::failure::one_line;

/// The methods that `dcquic call` can use.
pub(crate) const CALLABLE: [&str; 6] = ["echo", "time", "sink", "seq", "sum", "inspect"];

/// The shape in which a method is usually called.
pub(crate) fn usual_pattern(method: &str) -> Pattern {
    match method {
        "seq" => Pattern::StreamingResponse,
        "sum" => Pattern::StreamingRequest,
        _ => Pattern::Unary,
    }
}

/// What has to be said to `dcquic call` for that shape.
pub(crate) fn usual_option(method: &str) -> &'static str {
    match usual_pattern(method) {
        Pattern::StreamingResponse => "with --stream response",
        Pattern::StreamingRequest => "with --stream request",
        _ => "with --stream none",
    }
}

/// The metadata of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// What to do.
    #[serde(skip)]
    pub(crate) method: String,
    /// Which file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// Which `get`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
}

/// The metadata of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// Length of the file in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<u64>,
    /// When the file was last changed, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) modified: Option<i64>,
    /// SHA-256 of the file, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
    /// Names this `get` for a later `digest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    /// Why the request was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

impl Request {
    /// A request without fields.
    pub(crate) fn new(method: &str) -> Self {
        Self { method: method.to_owned(), ..Self::default() }
    }

    /// The request that a call makes, if it makes one.
    pub(crate) fn of(incoming: &Incoming) -> Option<Self> {
        Self::decode(incoming.method(), &incoming.arguments())
    }

    fn decode(method: &[u8], arguments: &[u8]) -> Option<Self> {
        let method = str::from_utf8(method).ok()?.to_owned();
        let fields: Self = match arguments {
            [] => Self::default(),
            arguments => serde_json::from_slice(arguments).ok()?,
        };
        Some(Self { method, ..fields })
    }

    /// The metadata that says this.
    pub(crate) fn encode(&self) -> Bytes {
        let mut metadata = self.method.clone().into_bytes();
        if self.name.is_some() || self.token.is_some() {
            metadata.push(0);
            metadata.extend_from_slice(&json(self));
        }
        metadata.into()
    }
}

impl Answer {
    /// A refusal that says why, cut to what any peer's limit on metadata admits.
    pub(crate) fn refusal(why: &str) -> Self {
        let why = one_line(why);
        let mut end = why.len().min(MAX_ERROR);
        while !why.is_char_boundary(end) {
            end -= 1;
        }
        Self { error: Some(why[..end].to_owned()), ..Self::default() }
    }

    /// The answer in `metadata`; an empty one where it is not ours.
    pub(crate) fn decode(metadata: &[u8]) -> Self {
        serde_json::from_slice(metadata).unwrap_or_default()
    }

    /// The metadata that says this.
    pub(crate) fn encode(&self) -> Bytes {
        json(self)
    }
}

fn json(value: &impl Serialize) -> Bytes {
    // these types have string keys and no serializer of their own: nothing in them can fail
    Bytes::from(serde_json::to_vec(value).unwrap_or_default())
}

/// Longest refusal in bytes; JSON makes at most two of each.
const MAX_ERROR: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_answers_round_trip() {
        let request = Request { name: Some("a\"b".into()), ..Request::new("put") };
        assert_eq!(request.encode(), "put\0{\"name\":\"a\\\"b\"}");
        assert_eq!(Request::decode(b"put", &request.encode()[4..]), Some(request));
        assert_eq!(Request::new("echo").encode(), "echo");
        assert_eq!(Request::decode(b"echo", b""), Some(Request::new("echo")));
        let answer = Answer { size: Some(7), sha256: Some("ab".into()), ..Answer::default() };
        assert_eq!(answer.encode(), r#"{"size":7,"sha256":"ab"}"#);
        assert_eq!(Answer::decode(&answer.encode()), answer);
    }

    #[test]
    fn foreign_metadata_is_no_request() {
        for (method, arguments) in [(&b"\xff"[..], &b""[..]), (b"put", b"{"), (b"put", b"[]x")] {
            assert_eq!(Request::decode(method, arguments), None);
        }
        assert_eq!(Answer::decode(b"\xff"), Answer::default());
    }

    #[test]
    fn a_long_refusal_is_cut_at_a_character() {
        let answer = Answer::refusal(&"ü".repeat(2_000));
        assert_eq!(answer.error.unwrap().len(), 400);
    }
}
