//! A capture of what a network transmits.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use super::{Interface, PcapWriter};
use crate::net::{Frame, NicId, Picos, PortId, Transmitter};

/// A capture of what a network transmits, with one interface per NIC and port.
///
/// Feed it from [`Network::on_wire`](crate::net::Network::on_wire). A frame appears once per
/// transmitter, at the time when its last bit leaves. Of each interface the packets are in order;
/// across interfaces they are nearly so, and analysers sort them.
#[derive(Debug)]
pub struct Capture<W: Write> {
    writer: PcapWriter<W>,
    interfaces: BTreeMap<Transmitter, Interface>,
    error: Option<io::Error>,
}

impl<W: Write> Capture<W> {
    /// Begins a capture.
    ///
    /// # Errors
    /// The output fails.
    pub fn new(out: W) -> io::Result<Self> {
        let writer = PcapWriter::new(out)?;
        Ok(Self { writer, interfaces: BTreeMap::new(), error: None })
    }

    /// Writes a frame. An error ends the capture, and [`finish`](Self::finish) returns it.
    pub fn handle_frame(&mut self, from: Transmitter, at: Picos, frame: &Frame) {
        if self.error.is_none() {
            self.error = self.write(from, at, frame).err();
        }
    }

    /// Ends the capture, and gives back the output.
    ///
    /// # Errors
    /// The output failed.
    pub fn finish(self) -> io::Result<W> {
        match self.error {
            Some(error) => Err(error),
            None => self.writer.finish(),
        }
    }

    fn write(&mut self, from: Transmitter, at: Picos, frame: &Frame) -> io::Result<()> {
        let interface = match self.interfaces.get(&from) {
            Some(interface) => *interface,
            None => {
                let interface = self.writer.interface(&name(from))?;
                self.interfaces.insert(from, interface);
                interface
            }
        };
        let ends = (frame.from, frame.to);
        self.writer.datagram(interface, at, ends, frame.ecn, &frame.payload)
    }
}

fn name(transmitter: Transmitter) -> String {
    match transmitter {
        Transmitter::Nic(NicId(nic)) => format!("nic{nic}"),
        Transmitter::Port(PortId(port)) => format!("port{port}"),
    }
}
