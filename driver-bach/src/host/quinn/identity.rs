//! The certificate that all hosts of a run share, and TLS over it.
//!
//! The certificate is the same in every run: its key comes from a constant, and everything in it
//! has a fixed length, Ed25519 signatures included. That keeps the handshake's packets at the same
//! lengths from run to run, although what is in them differs (TLS draws its key shares from the
//! operating system).

use std::sync::Arc;

use quinn_proto::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rcgen::{CertificateParams, KeyPair, SerialNumber};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    client::Resumption,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};

use super::config::QuinnError;

/// The name that every host has a certificate for.
pub(super) const SERVER_NAME: &str = "host.quinn.invalid";

/// An Ed25519 private key in PKCS#8 up to the key's 32 bytes (RFC 8410, section 7).
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// The private key. It protects nothing: simulated hosts have no secrets.
const PRIVATE_KEY: [u8; 32] = *b"dcquic simulation, not a secret!";

/// TLS for both roles.
pub(super) struct Identity {
    pub(super) client: Arc<QuicClientConfig>,
    pub(super) server: Arc<QuicServerConfig>,
}

impl Identity {
    /// Makes the certificate and trusts it.
    pub(super) fn new() -> Result<Self, QuinnError> {
        let key = PrivatePkcs8KeyDer::from([PKCS8_PREFIX.as_slice(), &PRIVATE_KEY].concat());
        let certificate = certificate(&key)?;
        let provider = provider();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone())?;
        let mut client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        // hosts share a name, and a ticket of one would be offered to another
        client.resumption = Resumption::disabled();
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], PrivateKeyDer::Pkcs8(key))?;
        server.send_tls13_tickets = 0;
        Ok(Self {
            client: Arc::new(QuicClientConfig::try_from(client)?),
            server: Arc::new(QuicServerConfig::try_from(server)?),
        })
    }
}

/// AES-128-GCM and X25519 alone, as in the measurements of peers over real sockets.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: vec![aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256],
        kx_groups: vec![aws_lc_rs::kx_group::X25519],
        ..aws_lc_rs::default_provider()
    })
}

/// The self-signed certificate of `key`.
fn certificate(key: &PrivatePkcs8KeyDer<'_>) -> Result<CertificateDer<'static>, rcgen::Error> {
    let key = KeyPair::from_pkcs8_der_and_sign_algo(key, &rcgen::PKCS_ED25519)?;
    let mut params = CertificateParams::new([SERVER_NAME.to_owned()])?;
    params.serial_number = Some(SerialNumber::from(1));
    Ok(params.self_signed(&key)?.der().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificate_is_the_same_every_time() {
        let key = PrivatePkcs8KeyDer::from([PKCS8_PREFIX.as_slice(), &PRIVATE_KEY].concat());
        assert_eq!(certificate(&key).unwrap(), certificate(&key).unwrap());
        assert!(Identity::new().is_ok());
    }
}
