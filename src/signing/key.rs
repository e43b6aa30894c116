//! A private key, and what is published of it.

use crate::domain::issue::SigningKeyName;
use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    digest,
    rand::SystemRandom,
    rsa,
    signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256},
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use std::{fmt, io, path::PathBuf, sync::OnceLock};

/// A key that signs. `Debug` shows its name only.
pub struct Key {
    pub name: SigningKeyName,
    path: PathBuf,
    /// Signs only what was frozen with it.
    pub(super) is_retired: bool,
    /// Read once.
    private: OnceLock<Private>,
}

enum Private {
    Rsa(rsa::KeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A file that holds no key we can sign with.
#[derive(Debug, thiserror::Error)]
pub enum InvalidKey {
    #[error("the DKIM key {path} cannot be read: {why}")]
    File { path: String, why: io::Error },
    #[error(
        "the DKIM key {path}: expected a private key in PEM, which begins with -----BEGIN PRIVATE KEY-----; make one with \
         openssl genrsa -out FILE 2048"
    )]
    NotPem { path: String },
    #[error(
        "the DKIM key {path} is neither RSA of 2048 to 4096 bits nor Ed25519; make one with openssl genrsa -out FILE 2048"
    )]
    Unsuitable { path: String },
    #[error("the DKIM key {path} is damaged: it cannot sign")]
    Damaged { path: String },
}

/// The object identifier of RSA keys and its parameters (RFC 3279 2.3.1), as an `AlgorithmIdentifier` in DER.
const RSA_ENCRYPTION: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

impl Key {
    pub(super) fn new(name: SigningKeyName, path: PathBuf, is_retired: bool) -> Self {
        Self { name, path, is_retired, private: OnceLock::new() }
    }

    /// The private key: PKCS#8 or PKCS#1 in PEM.
    fn private(&self) -> Result<&Private, InvalidKey> {
        if let Some(private) = self.private.get() {
            return Ok(private);
        }
        let pem = std::fs::read(&self.path).map_err(|why| InvalidKey::File { path: self.path(), why })?;
        let der = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| InvalidKey::NotPem { path: self.path() })?;
        // RFC 8301 asks receivers to take 1024 to 4096 bits, and signers to use 2048; ring refuses fewer.
        let private = match &der {
            PrivateKeyDer::Pkcs1(der) => rsa::KeyPair::from_der(der.secret_pkcs1_der()).ok().map(Private::Rsa),
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                let ed25519 = || Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok().map(Private::Ed25519);
                rsa::KeyPair::from_pkcs8(der).ok().map(Private::Rsa).or_else(ed25519)
            }
            _ => None,
        };
        let private = private.ok_or_else(|| InvalidKey::Unsuitable { path: self.path() })?;
        Ok(self.private.get_or_init(|| private))
    }

    fn path(&self) -> String {
        self.path.display().to_string()
    }

    /// `a=` of the signature.
    pub(super) fn algorithm(&self) -> Result<&'static str, InvalidKey> {
        Ok(match self.private()? {
            Private::Rsa(_) => "rsa-sha256",
            Private::Ed25519(_) => "ed25519-sha256",
        })
    }

    /// Whether it is RSA, which every receiver verifies.
    ///
    /// # Errors
    /// As [`Self::public`].
    pub fn is_rsa(&self) -> Result<bool, InvalidKey> {
        Ok(matches!(self.private()?, Private::Rsa(_)))
    }

    pub(super) fn sign(&self, data: &[u8]) -> Result<Vec<u8>, InvalidKey> {
        match self.private()? {
            Private::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                // Randomness hides the key from measurements of time; the signature does not depend on it.
                let signed = pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), data, &mut signature);
                signed.map(|()| signature).map_err(|_| InvalidKey::Damaged { path: self.path() })
            }
            // RFC 8463 3: the signature is of the hash.
            Private::Ed25519(pair) => Ok(pair.sign(digest::digest(&digest::SHA256, data).as_ref()).as_ref().to_vec()),
        }
    }

    /// The public key as `p=` of its record has it: a SubjectPublicKeyInfo for RSA (RFC 6376 3.6.1), 32 bytes for Ed25519 (RFC 8463 4.2).
    ///
    /// # Errors
    /// If the file cannot be read or holds no suitable key.
    pub fn public(&self) -> Result<Vec<u8>, InvalidKey> {
        Ok(match self.private()? {
            Private::Rsa(pair) => {
                let bits = [&[0], pair.public().as_ref()].concat();
                der(0x30, &[&RSA_ENCRYPTION[..], &der(0x03, &bits)].concat())
            }
            Private::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
        })
    }

    /// The TXT record to publish under [`SigningKeyName::record_name`]: `v=DKIM1; k=rsa; p=…`. Longer than the 255 octets of one
    /// string of a TXT record if the key is RSA.
    ///
    /// # Errors
    /// As [`Self::public`].
    pub fn record(&self) -> Result<String, InvalidKey> {
        let kind = match self.private()? {
            Private::Rsa(_) => "rsa",
            Private::Ed25519(_) => "ed25519",
        };
        Ok(format!("v=DKIM1; k={kind}; p={}", base64(&self.public()?)))
    }
}

/// Configured identically; the contents of the files are not compared.
impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.path, self.is_retired) == (&other.name, &other.path, other.is_retired)
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.name.record_name())
    }
}

pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// A DER value: tag, length, content.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut out = vec![tag];
    match content.len() {
        0..=0x7f => out.push(content.len().to_le_bytes()[0]),
        // The number of octets of the length, with the high bit set; never more than eight.
        _ => {
            out.push(0x80 | length.len().to_le_bytes()[0]);
            out.extend_from_slice(length);
        }
    }
    out.extend_from_slice(content);
    out
}
