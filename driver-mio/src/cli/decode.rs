//! `dcquic decode`: a packet in words.

mod keys;

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use dcquic_proto::wire::describe::{self, Description};
use serde::{Serialize, Serializer, ser::SerializeMap};

use self::keys::Opened;
use super::{failure::Failure, hex, output::Output};

/// Arguments of `dcquic decode`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The packet in hexadecimal (spaces and colons are skipped), or a file with it, in hexadecimal
    /// or as it is; - reads stdin.
    #[arg(value_name = "HEX|FILE")]
    packet: String,
    #[command(flatten)]
    keys: keys::KeyOptions,
}

const EXAMPLES: &str = "\
EXAMPLES:
  dcquic decode 180000000000000000112233445566778899aabbccddeeff00000000...
  tail -c +43 frame.bin | dcquic decode - --json
  dcquic decode packet.bin --psk cluster.psk --init init.bin --reply reply.bin
  dcquic decode packet.hex --exporter 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f

Clear fields are always printed. Frames are sealed with a key that only the two peers have: it
follows from the pre-shared key and both packets of their hello, so --psk needs --init and --reply;
after a TLS handshake it follows from the 32 bytes of --exporter. Only packets of key epoch 0 can
be opened alone. A data packet's header is checked with the key; its payload stays sealed, because
the data key travelled in the frames of another packet.";

#[derive(Serialize)]
struct Report {
    ok: bool,
    length: usize,
    packet: Described,
    #[serde(skip_serializing_if = "Option::is_none")]
    authentic: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<Vec<Described>>,
}

/// A packet or frame: an object with its name as `kind`, and its fields.
struct Described(Description);

impl Serialize for Described {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1 + self.0.fields.len()))?;
        map.serialize_entry("kind", self.0.name)?;
        for (name, value) in &self.0.fields {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Prints what the packet says.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let packet = input(&args.packet)?;
    let described = describe::packet(&packet)
        .map_err(|error| Failure::new(format_args!("this is no dcquic packet: {error}")))?;
    let opened = match args.keys.secret()? {
        Some(secret) => Some(keys::open(&secret, &packet)?),
        None => None,
    };
    let mut report = Report {
        ok: true,
        length: packet.len(),
        packet: Described(described),
        authentic: opened.as_ref().map(|_| true),
        sender: opened.as_ref().map(|opened| opened.sender),
        frames: None,
    };
    if let Some(Opened { frames: Some(frames), .. }) = &opened {
        let frames = describe::frames(frames).map_err(|error| {
            Failure::new(format_args!("the packet is authentic, but its frames are wrong: {error}"))
        })?;
        report.frames = Some(frames.into_iter().map(Described).collect());
    }
    output.result(&report, text)
}

fn text(report: &Report) -> String {
    let mut text = format!("{} bytes\n{}\n", report.length, report.packet.0);
    if let Some(sender) = report.sender {
        text += &format!("authentic, sealed by the hello's {sender}\n");
    }
    for frame in report.frames.iter().flatten() {
        text += &format!("{}\n", frame.0);
    }
    text
}

/// The packet that `text` gives or names.
fn input(text: &str) -> Result<Vec<u8>, Failure> {
    if text == "-" {
        let failed = |error: io::Error| Failure::file("read", Path::new("stdin"), &error);
        return bytes(io::stdin().lock(), "stdin", failed);
    }
    let path = PathBuf::from(text);
    if path.exists() {
        return from_file(&path);
    }
    match hex::decode(text) {
        Some(packet) => Ok(packet),
        None => Err(Failure::new(format_args!("{text:?} is neither hexadecimal nor a file"))),
    }
}

/// The packet in a file.
fn from_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: io::Error| Failure::file("read", path, &error);
    bytes(File::open(path).map_err(failed)?, &path.display().to_string(), failed)
}

/// The packet that `source` holds, in hexadecimal or as it is.
fn bytes(
    source: impl Read,
    name: &str,
    failed: impl FnOnce(io::Error) -> Failure,
) -> Result<Vec<u8>, Failure> {
    let mut data = Vec::new();
    source.take(MAX_INPUT + 1).read_to_end(&mut data).map_err(failed)?;
    if data.len() as u64 > MAX_INPUT {
        return Err(Failure::new(format_args!("{name} is longer than any packet")));
    }
    // no packet begins with a hexadecimal digit or a space
    Ok(std::str::from_utf8(&data).ok().and_then(hex::decode).unwrap_or(data))
}

/// The longest datagram in hexadecimal, with a space after every digit.
const MAX_INPUT: u64 = 4 * 65_535;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_is_text_or_bytes() {
        let read = |data: &[u8]| bytes(data, "x", Failure::new).unwrap();
        assert_eq!(read(b"10 11\n"), [0x10, 0x11]);
        assert_eq!(read(&[0x10, 0x11]), [0x10, 0x11]);
        assert_eq!(input("10:11").unwrap(), [0x10, 0x11]);
        assert!(input("no such file").unwrap_err().to_string().contains("neither"));
    }
}
