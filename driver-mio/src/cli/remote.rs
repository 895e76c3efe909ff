//! The other side: its address, and its refusals in words.

use std::net::{SocketAddr, ToSocketAddrs};

use dcquic_proto::id::Status;

use super::{failure::Failure, methods::Answer};

/// The first address that `text`, an address or a host name with a port, stands for.
pub(crate) fn resolve(text: &str) -> Result<SocketAddr, Failure> {
    let mut addresses = text.to_socket_addrs().map_err(|error| {
        Failure::new(format_args!("no address {text:?}: {error}; write HOST:PORT"))
    })?;
    addresses.next().ok_or_else(|| Failure::new(format_args!("no address {text:?}")))
}

/// The failure that a response with `status` and `metadata` to `what` stands for, if it does.
pub(crate) fn refusal(
    remote: SocketAddr,
    what: &str,
    status: Status,
    metadata: &[u8],
) -> Result<(), Failure> {
    if status.is_ok() {
        return Ok(());
    }
    let why = Answer::decode(metadata).error.unwrap_or_else(|| status.to_string());
    Err(Failure::new(format_args!("{remote} refused {what}: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_port_only() {
        assert_eq!(resolve("127.0.0.1:7").unwrap(), "127.0.0.1:7".parse().unwrap());
        assert!(resolve("127.0.0.1").unwrap_err().to_string().contains("HOST:PORT"));
    }

    #[test]
    fn refusals_carry_the_peers_words() {
        let remote = "127.0.0.1:7".parse().unwrap();
        let metadata = Answer::refusal("there is no file \"x\"").encode();
        let failure = refusal(remote, "get", Status::NOT_FOUND, &metadata).unwrap_err();
        assert_eq!(failure.to_string(), "127.0.0.1:7 refused get: there is no file \"x\"");
        let failure = refusal(remote, "get", Status::FORBIDDEN, b"").unwrap_err();
        assert_eq!(failure.to_string(), "127.0.0.1:7 refused get: forbidden");
        assert!(refusal(remote, "get", Status::OK, b"").is_ok());
    }
}
