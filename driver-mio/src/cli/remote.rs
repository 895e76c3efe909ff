//! The other side: its address, and its refusals in words.

use std::net::{SocketAddr, ToSocketAddrs};

use dcquic_proto::{
    endpoint::{PeerFailure, StartError},
    id::Status,
    pool::{CallCause, CallError},
};

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

/// The failure that a call which came to nothing stands for, with what may be done about it.
pub(crate) fn failed(error: CallError) -> Failure {
    // whichever side's clock was first
    let cause = match error.cause {
        CallCause::ClosedByPeer(Status::DEADLINE) => CallCause::Deadline,
        cause => cause,
    };
    let error = CallError { cause, ..error };
    match advice(&cause) {
        Some(advice) => Failure::new(format_args!("{error}; {advice}")),
        None => Failure::new(error),
    }
}

fn advice(cause: &CallCause) -> Option<&'static str> {
    match cause {
        CallCause::Deadline => Some("allow more with --deadline, or leave it out"),
        CallCause::Start(StartError::PeerProbing) => Some("try again in a moment"),
        CallCause::Start(StartError::PeerFailed | StartError::PeerUnavailable)
        | CallCause::PeerFailed(
            PeerFailure::Silent | PeerFailure::Unreachable | PeerFailure::NoAnswer,
        ) => Some("see whether dcquic serve runs there with the same --psk, or raise --timeout"),
        CallCause::ClosedByPeer(Status::OVERLOADED) => Some("try again later"),
        CallCause::ClosedByPeer(Status::SHUTDOWN) => Some("try again once it is back"),
        CallCause::ClosedByPeer(Status::INTERNAL) => Some("its own log tells why"),
        CallCause::DependencyFailed | CallCause::ClosedByPeer(Status::DEPENDENCY) => {
            Some("see how the call before it failed")
        }
        _ => None,
    }
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

    #[test]
    fn failures_say_what_to_do() {
        let remote = "127.0.0.1:7".parse().unwrap();
        let told = |cause| failed(CallError { remote, cause }).to_string();
        for cause in [CallCause::Deadline, CallCause::ClosedByPeer(Status::DEADLINE)] {
            assert_eq!(
                told(cause),
                "127.0.0.1:7: the deadline passed; allow more with --deadline, or leave it out"
            );
        }
        assert!(told(CallCause::PeerFailed(PeerFailure::NoAnswer)).contains("--psk"));
        assert!(told(CallCause::Start(StartError::PeerProbing)).ends_with("in a moment"));
        assert_eq!(told(CallCause::Cancelled), "127.0.0.1:7: the call was cancelled");
    }
}
