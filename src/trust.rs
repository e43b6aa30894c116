//! Who must have issued the certificate of a server that mail goes through, and what is wrong with one, in words that help: the same for
//! the relay and for the mailbox of bounces.

use rustls_platform_verifier::Verifier;
use std::{io, path::Path, sync::Arc};
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

/// Certificates that are trusted beside the system's: an authority of the office's own, or the server's own certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Authorities(Vec<CertificateDer<'static>>);

impl Authorities {
    /// From a file of PEM text.
    ///
    /// # Errors
    /// When it cannot be read, or as [`Self::parse`].
    pub fn read(path: &Path) -> Result<Self, String> {
        let pem = std::fs::read(path).map_err(|why| format!("{} cannot be read: {why}", path.display()))?;
        Self::parse(&pem).map_err(|why| format!("{}: {why}", path.display()))
    }

    /// From PEM text.
    ///
    /// # Errors
    /// When there is no certificate in it, or one that cannot be read.
    pub fn parse(pem: &[u8]) -> Result<Self, String> {
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|why| {
            format!("expected certificates in PEM, which begin with -----BEGIN CERTIFICATE-----: {why}")
        })?;
        if certificates.is_empty() {
            return Err("expected certificates in PEM, which begin with -----BEGIN CERTIFICATE-----".to_owned());
        }
        let mut roots = rustls::RootCertStore::empty();
        for certificate in &certificates {
            roots.add(certificate.clone()).map_err(|why| format!("a certificate in it cannot be read: {why}"))?;
        }
        Ok(Self(certificates))
    }
}

/// The client side of TLS to a server of ours.
///
/// # Errors
/// When the system's trusted certificates cannot be read, and none are given.
pub fn client(authorities: &Authorities) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let system = Verifier::new_with_extra_roots(authorities.0.iter().cloned(), Arc::clone(&provider))?;
    let verifier = Arc::new(Trust { system, authorities: authorities.clone(), provider: Arc::clone(&provider) });
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// The system's verifier, which refuses a certificate that is its own authority when a server presents it, as those of
/// `openssl req -x509` are: where exactly this certificate was given to us it is trusted.
#[derive(Debug)]
struct Trust {
    system: Verifier,
    authorities: Authorities,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.authorities.0.iter().any(|given| given == end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        self.system.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What a server is to us, and which settings concern its certificate.
#[derive(Debug, Clone, Copy)]
pub struct Role {
    /// `relay`
    pub name: &'static str,
    /// The setting with its name.
    pub host_key: &'static str,
    /// The setting with [`Authorities`].
    pub ca_key: &'static str,
    /// What to do where it does not speak TLS at once.
    pub other_port: &'static str,
}

/// Why TLS with the server `host` failed, and what helps. In English: it stands in the ledger beside the server's own words.
pub fn in_words(role: Role, host: &str, error: &io::Error) -> String {
    let Some(tls) = error.get_ref().and_then(|error| error.downcast_ref::<Error>()) else {
        return format!("TLS: {error}");
    };
    let (what, helps) = match tls {
        Error::InvalidCertificate(why) => of_certificate(role, host, why),
        Error::InvalidMessage(_) => (format!("the {} does not speak TLS here", role.name), role.other_port.to_owned()),
        Error::AlertReceived(alert) => {
            let what = format!("the {} refuses the TLS handshake ({alert:?})", role.name);
            (what, "it may know only TLS 1.1 or older".to_owned())
        }
        Error::PeerIncompatible(why) => {
            let what = format!("the {} and we have no TLS in common ({why:?})", role.name);
            (what, "TLS 1.2 is the least we take".to_owned())
        }
        other => return format!("TLS: {other}"),
    };
    format!("TLS: {what}; {helps}")
}

fn of_certificate(role: Role, host: &str, why: &CertificateError) -> (String, String) {
    let Role { name, host_key, ca_key, .. } = role;
    let own = format!("give its authority, or the certificate itself, in {ca_key}");
    match why {
        CertificateError::UnknownIssuer => {
            (format!("nobody this system trusts has signed the certificate of {host}"), own)
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            format!("the certificate of the {name} is not for {host} ({why})"),
            format!("write the name of the certificate in {host_key}, or give the certificate in {ca_key}"),
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            format!("the certificate of {host} has expired ({why})"),
            "it must be renewed, and the clock of this machine must be right".to_owned(),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            let what = format!("the certificate of {host} is not valid yet ({why})");
            (what, "look at the clock of this machine".to_owned())
        }
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => (
            format!("the certificate of {host} is its own authority"),
            format!("give it in {ca_key} to trust exactly this one"),
        ),
        other => (format!("the certificate of {host} is not accepted ({other})"), own),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELAY: Role = Role { name: "relay", host_key: "relay", ca_key: "relay_ca_file", other_port: "another port" };

    #[test]
    fn field_report_8_certificate_problems_are_reported_with_advice() {
        for (why, parts) in [
            (CertificateError::UnknownIssuer, ["nobody this system trusts", "relay_ca_file"]),
            (CertificateError::NotValidForName, ["is not for mx.example", "the name of the certificate"]),
            (CertificateError::Expired, ["has expired", "renewed"]),
            (CertificateError::NotValidYet, ["not valid yet", "clock"]),
            (CertificateError::Revoked, ["is not accepted", "relay_ca_file"]),
        ] {
            let said = in_words(RELAY, "mx.example", &io::Error::other(Error::InvalidCertificate(why)));
            assert!(parts.iter().all(|part| said.contains(part)), "{said}");
        }
        assert_eq!(in_words(RELAY, "mx.example", &io::Error::other("gone")), "TLS: gone");
    }

    #[test]
    fn certificate_authorities_are_read_from_pem() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let pem = made.cert.pem();
        assert_eq!(Authorities::parse(format!("{pem}\n{pem}").as_bytes()).unwrap().0.len(), 2);
        for wrong in
            ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n?"]
        {
            assert!(Authorities::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
