//! A file of test vectors and its entries.

use serde_json::{Map, Value};

/// A parsed file of test vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorFile {
    /// Where it came from, with slashes; a directory of it names the suite.
    pub path: String,
    /// What it checks, in the file's order.
    pub entries: Vec<Entry>,
}

/// One test vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Says what is checked; unique in its file.
    pub name: String,
    /// All fields, the name among them.
    pub fields: Map<String, Value>,
}

/// A file is not a file of test vectors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VectorError {
    /// Not JSON.
    #[error("not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// JSON of the wrong shape.
    #[error("neither an array of entries nor an object, or \"vectors\" is not an array")]
    NoEntries,
    /// An entry without a name.
    #[error("entry {index} is not an object with a text \"name\"")]
    Unnamed {
        /// Position in the file, from 0.
        index: usize,
    },
    /// Two entries that cannot be told apart.
    #[error("two entries are named {name:?}")]
    Ambiguous {
        /// The name.
        name: String,
    },
}

/// An entry lacks what its suite needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// A field is not there.
    #[error("field {0:?} is missing")]
    Missing(&'static str),
    /// A field has the wrong type or form.
    #[error("field {field:?} is not {wanted}")]
    Invalid {
        /// Name of the field.
        field: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
}

impl VectorFile {
    /// Parses a file: an array of entries, an object that holds one under `"vectors"`, or any other
    /// object, which is one entry with the name of the file.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self, VectorError> {
        let entries = match serde_json::from_slice(bytes)? {
            Value::Array(entries) => entries,
            Value::Object(mut fields) => match fields.remove("vectors") {
                Some(Value::Array(entries)) => entries,
                Some(_) => return Err(VectorError::NoEntries),
                None => {
                    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
                    let name = file.strip_suffix(".json").unwrap_or(file).to_owned();
                    let entries = vec![Entry { name, fields }];
                    return Ok(Self { path: path.to_owned(), entries });
                }
            },
            _ => return Err(VectorError::NoEntries),
        };
        let mut parsed: Vec<Entry> = Vec::with_capacity(entries.len());
        for (index, entry) in entries.into_iter().enumerate() {
            let Value::Object(fields) = entry else { return Err(VectorError::Unnamed { index }) };
            let name = fields.get("name").and_then(Value::as_str);
            let name = name.ok_or(VectorError::Unnamed { index })?.to_owned();
            if parsed.iter().any(|earlier| earlier.name == name) {
                return Err(VectorError::Ambiguous { name });
            }
            parsed.push(Entry { name, fields });
        }
        Ok(Self { path: path.to_owned(), entries: parsed })
    }
}

impl Entry {
    /// A field that has to be there.
    pub fn value(&self, field: &'static str) -> Result<&Value, FieldError> {
        self.fields.get(field).ok_or(FieldError::Missing(field))
    }

    /// A text field.
    pub fn text(&self, field: &'static str) -> Result<&str, FieldError> {
        let wanted = "a text";
        self.value(field)?.as_str().ok_or(FieldError::Invalid { field, wanted })
    }

    /// A truth value.
    pub fn flag(&self, field: &'static str) -> Result<bool, FieldError> {
        let wanted = "true or false";
        self.value(field)?.as_bool().ok_or(FieldError::Invalid { field, wanted })
    }

    /// An unsigned number.
    pub fn number(&self, field: &'static str) -> Result<u64, FieldError> {
        let wanted = "an unsigned number";
        self.value(field)?.as_u64().ok_or(FieldError::Invalid { field, wanted })
    }

    /// Bytes, written as hexadecimal digits; spaces between bytes are allowed.
    pub fn bytes(&self, field: &'static str) -> Result<Vec<u8>, FieldError> {
        let wanted = "an even number of hexadecimal digits";
        from_hex(self.text(field)?).ok_or(FieldError::Invalid { field, wanted })
    }
}

/// Writes bytes as hexadecimal digits.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|character| !character.is_ascii_whitespace())
        .map(|character| character.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests;
