//! Vectors of the suite `wire`: packets and frames as bytes, and what they decode to.

pub mod this;

use core::fmt;

use serde_json::Value;

use crate::suite::{Difference, Suite};
use crate::vector::{Entry, FieldError};

/// What an entry's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole datagram.
    Packet,
    /// The opened payload of a control packet.
    Frame,
}

/// A decoder under test: the fields in order by name, or the error's text.
pub type Decode = fn(Kind, &[u8]) -> Result<Vec<(String, String)>, String>;

/// The suite `wire`, over some decoder.
#[derive(Clone, Copy)]
pub struct Wire {
    /// The decoder.
    pub decode: Decode,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl Suite for Wire {
    fn name(&self) -> &'static str {
        "wire"
    }

    fn check(&self, entry: &Entry) -> Result<Vec<Difference>, FieldError> {
        let kind = kind(entry)?;
        let outcome = (self.decode)(kind, &entry.bytes("hex")?);
        let outcome_text = match &outcome {
            Ok(_) => "accepted".to_owned(),
            Err(error) => format!("rejected: {error}"),
        };
        if !entry.flag("valid")? {
            let expected = format!("rejected: {}", entry.text("error")?);
            return Ok(Difference::between("decoding", expected, outcome_text)
                .into_iter()
                .collect());
        }
        Ok(match outcome {
            Ok(fields) => compare(&expected_fields(entry)?, &fields),
            Err(_) => {
                Difference::between("decoding", "accepted", outcome_text).into_iter().collect()
            }
        })
    }
}

fn kind(entry: &Entry) -> Result<Kind, FieldError> {
    match entry.text("kind")? {
        "packet" => Ok(Kind::Packet),
        "frame" => Ok(Kind::Frame),
        _ => Err(FieldError::Invalid { field: "kind", wanted: "\"packet\" or \"frame\"" }),
    }
}

/// Reads `"decoded"`: an object, or an array of pairs where a field may come more than once.
fn expected_fields(entry: &Entry) -> Result<Vec<(String, String)>, FieldError> {
    let invalid = FieldError::Invalid { field: "decoded", wanted: "an object or pairs of texts" };
    match entry.value("decoded")? {
        Value::Object(fields) => {
            Ok(fields.iter().map(|(field, value)| (field.clone(), plain(value))).collect())
        }
        Value::Array(pairs) => pairs
            .iter()
            .map(|pair| match pair.as_array().map(Vec::as_slice) {
                Some([Value::String(field), value]) => Ok((field.clone(), plain(value))),
                _ => Err(invalid.clone()),
            })
            .collect(),
        _ => Err(invalid),
    }
}

/// A value as the decoder's own view writes it: texts without quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Compares field by field; the order matters, since it is the order on the wire.
fn compare(expected: &[(String, String)], actual: &[(String, String)]) -> Vec<Difference> {
    let field = |fields: &[(String, String)], index| {
        fields.get(index).map(|(name, value): &(String, String)| format!("{name} = {value}"))
    };
    let length = expected.len().max(actual.len());
    (0..length)
        .filter_map(|index| {
            let missing = || "nothing".to_owned();
            let expected = field(expected, index).unwrap_or_else(missing);
            let actual = field(actual, index).unwrap_or_else(missing);
            Difference::between(format!("field {}", index + 1), expected, actual)
        })
        .collect()
}

#[cfg(test)]
mod tests;
