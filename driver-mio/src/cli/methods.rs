//! What the command and its server say to each other: the metadata of requests and responses.
//!
//! A request's metadata is the name of the method; a zero byte and a JSON object in UTF-8 follow it
//! if the method takes fields:
//!
//! | method | fields | request body | response body |
//! |---|--------|---|---|
//! | `echo` | | anything | the same |
//! | `time` | | ignored | nanoseconds since 1970-01-01T00:00:00Z in decimal |
//! | `sink` | | anything | its length in bytes in decimal |
//! | `put` | `name` | the file | none; the metadata has `size` and `sha256` |
//! | `get` | `name` | none | the file; the metadata has `size`, `modified`, `token` |
//! | `digest` | `token`| none | none; the metadata has `sha256` |
//!
//! `modified` is in seconds since 1970. `token` names one `get`: its digest is known only once the
//! whole file has been read, which is after the response's metadata was sent, so the client asks
//! for it with `digest` afterwards. A refusal has a status other than 0 and metadata with `error`.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::failure::one_line;

/// The methods that `dcquic call` can use.
pub(crate) const CALLABLE: [&str; 3] = ["echo", "time", "sink"];

/// The fields of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Arguments {
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

impl Arguments {
    /// Those that stand behind a method's name, if they are ours.
    pub(crate) fn decode(arguments: &[u8]) -> Option<Self> {
        serde_json::from_slice(arguments).ok()
    }

    /// The metadata of a request for `method` with these.
    pub(crate) fn encode(&self, method: &str) -> Bytes {
        [method.as_bytes(), b"\0", &json(self)].concat().into()
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
        let arguments = Arguments { name: Some("a\"b".into()), ..Arguments::default() };
        let metadata = arguments.encode("put");
        assert_eq!(metadata, "put\0{\"name\":\"a\\\"b\"}");
        assert_eq!(Arguments::decode(&metadata[4..]), Some(arguments));
        let answer = Answer { size: Some(7), sha256: Some("ab".into()), ..Answer::default() };
        assert_eq!(answer.encode(), r#"{"size":7,"sha256":"ab"}"#);
        assert_eq!(Answer::decode(&answer.encode()), answer);
    }

    #[test]
    fn foreign_arguments_are_none() {
        for arguments in [&b""[..], b"echo", b"{\"name\":1}", b"\xff"] {
            assert_eq!(Arguments::decode(arguments), None);
        }
        assert_eq!(Answer::decode(b"\xff"), Answer::default());
    }

    #[test]
    fn a_long_refusal_is_cut_at_a_character() {
        let answer = Answer::refusal(&"ü".repeat(2_000));
        assert_eq!(answer.error.unwrap().len(), 400);
    }
}
