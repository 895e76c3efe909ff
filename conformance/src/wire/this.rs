//! The decoder of this implementation.

use dcquic_proto::wire::describe::{self, Description};

use super::{Kind, Wire};

/// The suite `wire` over dcquic-proto.
pub static THIS: Wire = Wire { decode };

fn decode(kind: Kind, bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
    let descriptions = match kind {
        Kind::Packet => describe::packet(bytes).map(|packet| vec![packet]),
        Kind::Frame => describe::frames(bytes),
    };
    let descriptions = descriptions.map_err(|error| error.to_string())?;
    Ok(descriptions.into_iter().flat_map(fields).collect())
}

fn fields(description: Description) -> impl Iterator<Item = (String, String)> {
    description.fields.into_iter().map(|(name, value)| (name.to_owned(), value))
}
