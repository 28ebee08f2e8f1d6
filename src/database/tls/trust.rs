//! Which authorities are trusted: those that the URL names, or else those of Mozilla, of the system, and of the environment
//! variable `NODE_EXTRA_CA_CERTS`, as in Node.js.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use sqlx_core::net::tls::CertificateInput;

use super::certificate::Certificate;

/// Where the certificates of the authorities come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Source {
    #[default]
    Default,
    /// Only the system, as libpq has it for `sslrootcert=system`.
    System,
    File(PathBuf),
    Pem(Vec<u8>),
}

/// What a URL says of the verification of the server. The driver has a place only for a PEM text, which it passes on unread:
/// [`Trust::encode`] is put there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trust {
    pub source: Source,
    /// The name that the server is asked for, and that its certificate has to have, instead of the host.
    pub server_name: Option<String>,
}

/// The certificates that are trusted.
#[derive(Debug)]
pub struct Authorities {
    /// Except those of Mozilla.
    pub own: Vec<CertificateDer<'static>>,
    /// Whether those of Mozilla are trusted, too.
    pub mozilla: bool,
    /// Whether the URL names them.
    pub given: bool,
}

impl Trust {
    /// `None` if it is the default.
    pub fn encode(&self) -> Option<Vec<u8>> {
        if *self == Self::default() {
            return None;
        }
        let (kind, value) = match &self.source {
            Source::Default => ("default", "".into()),
            Source::System => ("system", "".into()),
            Source::File(path) => ("file", path.to_string_lossy()),
            Source::Pem(text) => ("pem", String::from_utf8_lossy(text)),
        };
        let server_name = &self.server_name;
        let encoded = json!({ "source": kind, "value": value, "serverName": server_name });
        Some(encoded.to_string().into_bytes())
    }

    /// What the driver passes on: [`Trust::encode`], or what it has found in the environment by itself.
    pub fn decode(input: Option<&CertificateInput>) -> Self {
        let text = match input {
            None => return Self::default(),
            Some(CertificateInput::File(path)) => return Source::File(path.clone()).into(),
            Some(CertificateInput::Inline(text)) => text,
        };
        let Ok(Value::Object(encoded)) = serde_json::from_slice(text) else {
            return Source::Pem(text.clone()).into();
        };
        let part = |name: &str| encoded.get(name).and_then(Value::as_str);
        let value = part("value").unwrap_or_default();
        Self {
            source: match part("source") {
                Some("system") => Source::System,
                Some("file") => Source::File(value.into()),
                Some("pem") => Source::Pem(value.into()),
                _ => Source::Default,
            },
            server_name: part("serverName").map(str::to_owned),
        }
    }
}

impl From<Source> for Trust {
    fn from(source: Source) -> Self {
        let server_name = None;
        Self {
            source,
            server_name,
        }
    }
}

impl Source {
    /// Reads the certificates. A file is read for each connection, since it may be renewed; the others once per process. Blocks.
    ///
    /// # Errors
    /// If the file cannot be read, or there is no certificate.
    pub fn load(&self) -> sqlx::Result<Arc<Authorities>> {
        static DEFAULT: LazyLock<Arc<Authorities>> = LazyLock::new(|| Authorities::standard(true));
        static SYSTEM: LazyLock<Arc<Authorities>> = LazyLock::new(|| Authorities::standard(false));

        let (text, place) = match self {
            Self::Default => return Ok(Arc::clone(&DEFAULT)),
            Self::System => return Ok(Arc::clone(&SYSTEM)),
            Self::File(path) => (
                &std::fs::read(path)?,
                format!("the file `{}`", path.display()),
            ),
            Self::Pem(text) => (text, "the text".to_owned()),
        };
        let own = certificates(text);
        if own.is_empty() {
            let message = format!(
                "expected {place} of the authority to have a certificate in PEM format, got none that can be read"
            );
            return Err(sqlx::Error::Tls(message.into()));
        }
        Ok(Arc::new(Authorities {
            own,
            mozilla: false,
            given: true,
        }))
    }
}

impl Authorities {
    /// The system's authorities, which the environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR` replace, and those of
    /// `NODE_EXTRA_CA_CERTS`. What cannot be read is not trusted.
    fn standard(mozilla: bool) -> Arc<Self> {
        let mut own = rustls_native_certs::load_native_certs().certs;
        if let Some(path) = std::env::var_os("NODE_EXTRA_CA_CERTS")
            && let Ok(text) = std::fs::read(Path::new(&path))
        {
            own.extend(certificates(&text));
        }
        Arc::new(Self {
            own,
            mozilla,
            given: false,
        })
    }
}

/// The certificates of a PEM text that can be read. OpenSSL has other labels for them, too.
fn certificates(text: &[u8]) -> Vec<CertificateDer<'static>> {
    let text = String::from_utf8_lossy(text)
        .replace("-----BEGIN X509 CERTIFICATE", "-----BEGIN CERTIFICATE")
        .replace("-----END X509 CERTIFICATE", "-----END CERTIFICATE")
        .replace("-----BEGIN TRUSTED CERTIFICATE", "-----BEGIN CERTIFICATE")
        .replace("-----END TRUSTED CERTIFICATE", "-----END CERTIFICATE");
    CertificateDer::pem_slice_iter(text.as_bytes())
        .flatten()
        // OpenSSL's trusted certificates have their uses after them.
        .filter_map(|der| Some(Certificate::read(&der)?.der.to_vec().into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let server_name = Some("db.example.com".to_owned());
        for source in [
            Source::Default,
            Source::System,
            Source::File("/etc/ca.pem".into()),
            Source::Pem(b"-----BEGIN CERTIFICATE-----\n".to_vec()),
        ] {
            for server_name in [None, server_name.clone()] {
                let source = source.clone();
                let trust = Trust {
                    source,
                    server_name,
                };
                let input = trust.encode().map(CertificateInput::Inline);
                assert_eq!(Trust::decode(input.as_ref()), trust);
            }
        }
    }

    #[test]
    fn what_the_driver_found_is_decoded() {
        let file = CertificateInput::File("/etc/ca.pem".into());
        assert_eq!(
            Trust::decode(Some(&file)).source,
            Source::File("/etc/ca.pem".into())
        );
        let pem = CertificateInput::Inline(b"-----BEGIN".to_vec());
        assert_eq!(
            Trust::decode(Some(&pem)).source,
            Source::Pem(b"-----BEGIN".to_vec())
        );
    }

    #[test]
    fn a_text_without_certificates_is_refused() {
        let text = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
        assert!(Source::Pem(text.into()).load().is_err());
    }
}
