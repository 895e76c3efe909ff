//! What a libfabric provider offers.

use core::fmt;

use libfabric_sys::types;

/// One offer of one provider: an endpoint type on a domain of a fabric.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provider {
    /// Name of the provider, such as `efa`, `shm` or `tcp;ofi_rxm`.
    pub name: String,
    /// Name of the fabric, the network that its domains share.
    pub fabric: String,
    /// Name of the domain, usually one network card.
    pub domain: String,
    /// Version of the provider.
    pub version: Version,
    /// How its endpoints deliver.
    pub endpoint_type: EndpointType,
    /// What its endpoints can do.
    pub capabilities: Capabilities,
    /// The largest message in bytes.
    pub max_message_bytes: usize,
}

impl Provider {
    /// Whether dcquic can run over it: reliable unconnected messages for control packets, and
    /// reads of remote memory for payload.
    pub fn carries_dcquic(&self) -> bool {
        self.endpoint_type == EndpointType::ReliableDatagram
            && self.capabilities.messages
            && self.capabilities.reads
            && self.capabilities.remote_reads
    }
}

/// How endpoints deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointType {
    /// The provider does not say.
    Unspecified,
    /// Connected and reliable (`FI_EP_MSG`).
    Message,
    /// Unconnected and unreliable (`FI_EP_DGRAM`).
    Datagram,
    /// Unconnected and reliable (`FI_EP_RDM`).
    ReliableDatagram,
    /// A type that this crate does not know.
    Other(u32),
}

impl EndpointType {
    /// Translates one of the `FI_EP_*` constants.
    pub const fn from_raw(raw: u32) -> Self {
        match raw {
            types::FI_EP_UNSPEC => Self::Unspecified,
            types::FI_EP_MSG => Self::Message,
            types::FI_EP_DGRAM => Self::Datagram,
            types::FI_EP_RDM => Self::ReliableDatagram,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for EndpointType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unspecified => f.pad("unspecified"),
            Self::Message => f.pad("message"),
            Self::Datagram => f.pad("datagram"),
            Self::ReliableDatagram => f.pad("reliable datagram"),
            Self::Other(raw) => write!(f, "type {raw}"),
        }
    }
}

/// What endpoints can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Sends and receives messages.
    pub messages: bool,
    /// Starts reads of a peer's memory.
    pub reads: bool,
    /// Starts writes of a peer's memory.
    pub writes: bool,
    /// Lets peers read its memory.
    pub remote_reads: bool,
    /// Lets peers write its memory.
    pub remote_writes: bool,
}

impl Capabilities {
    /// Translates capability bits.
    ///
    /// A primary bit without any of its modifiers grants all of them.
    pub const fn from_raw(caps: u64) -> Self {
        const MODIFIERS_RMA: u64 =
            types::FI_READ | types::FI_WRITE | types::FI_REMOTE_READ | types::FI_REMOTE_WRITE;
        const MODIFIERS_MSG: u64 = types::FI_SEND | types::FI_RECV;
        let rma = match (caps & types::FI_RMA != 0, caps & MODIFIERS_RMA) {
            (false, _) => 0,
            (true, 0) => MODIFIERS_RMA,
            (true, some) => some,
        };
        let msg = match (caps & types::FI_MSG != 0, caps & MODIFIERS_MSG) {
            (false, _) => 0,
            (true, 0) => MODIFIERS_MSG,
            (true, some) => some,
        };
        Self {
            messages: msg == MODIFIERS_MSG,
            reads: rma & types::FI_READ != 0,
            writes: rma & types::FI_WRITE != 0,
            remote_reads: rma & types::FI_REMOTE_READ != 0,
            remote_writes: rma & types::FI_REMOTE_WRITE != 0,
        }
    }

    /// The names of what is there, for tables.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        [
            (self.messages, "messages"),
            (self.reads, "reads"),
            (self.writes, "writes"),
            (self.remote_reads, "remote-reads"),
            (self.remote_writes, "remote-writes"),
        ]
        .into_iter()
        .filter_map(|(there, name)| there.then_some(name))
    }
}

/// A version as libfabric counts: two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Changes of the first break callers.
    pub major: u16,
    /// Changes of the second add to it.
    pub minor: u16,
}

impl Version {
    /// Splits a joined version.
    pub const fn from_raw(raw: u32) -> Self {
        Self { major: (raw >> 16) as u16, minor: (raw & 0xffff) as u16 }
    }

    /// Joins the parts as libfabric wants them.
    pub const fn to_raw(self) -> u32 {
        types::version(self.major, self.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_splits_and_joins() {
        let version = Version::from_raw(types::version(117, 30));
        assert_eq!(version, Version { major: 117, minor: 30 });
        assert_eq!(version.to_raw(), types::version(117, 30));
        assert_eq!(version.to_string(), "117.30");
        assert!(Version { major: 1, minor: 20 } < Version { major: 2, minor: 0 });
    }

    #[test]
    fn endpoint_types_are_named() {
        let named: Vec<String> = (0..5).map(|t| EndpointType::from_raw(t).to_string()).collect();
        let expected = ["unspecified", "message", "datagram", "reliable datagram", "type 4"];
        assert_eq!(named, expected);
    }

    #[test]
    fn capability_without_modifiers_grants_them_all() {
        let all = Capabilities::from_raw(types::FI_MSG | types::FI_RMA);
        assert_eq!(all.names().count(), 5);
    }

    #[test]
    fn capability_modifiers_restrict() {
        let some =
            Capabilities::from_raw(types::FI_MSG | types::FI_SEND | types::FI_RMA | types::FI_READ);
        assert_eq!(some, Capabilities { reads: true, ..Capabilities::default() });
    }

    #[test]
    fn modifiers_alone_grant_nothing() {
        assert_eq!(
            Capabilities::from_raw(types::FI_READ | types::FI_SEND | types::FI_RECV),
            Capabilities::default()
        );
    }

    #[test]
    fn dcquic_needs_reliable_messages_and_reads() {
        let provider = Provider {
            name: "efa".into(),
            fabric: "efa".into(),
            domain: "rdmap0s6-rdm".into(),
            version: Version { major: 1, minor: 20 },
            endpoint_type: EndpointType::ReliableDatagram,
            capabilities: Capabilities::from_raw(types::FI_MSG | types::FI_RMA),
            max_message_bytes: 1 << 20,
        };
        assert!(provider.carries_dcquic());
        let unreliable = Provider { endpoint_type: EndpointType::Datagram, ..provider.clone() };
        assert!(!unreliable.carries_dcquic());
        let messages_only =
            Provider { capabilities: Capabilities::from_raw(types::FI_MSG), ..provider };
        assert!(!messages_only.carries_dcquic());
    }
}
