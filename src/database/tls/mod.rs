//! TLS: as the parameters of a URL describe it, in the words of any driver, and the verification of servers.

mod certificate;
mod der;
mod fault;
mod host;
mod trust;
mod verifier;

use std::path::PathBuf;

use rustls::pki_types::ServerName;

use serde_json::Value;

use crate::error::{Result, StoreError};

use super::parameters::{flag, unsupported};
use trust::{Source, Trust};

pub use fault::tls_fault;
pub use verifier::install as install_verifier;

/// Whether to encrypt, and what to verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsMode {
    Disable,
    /// If the server offers it.
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// A certificate or a key.
#[derive(Debug, Clone)]
pub enum Material {
    File {
        /// The parameter that names it.
        name: String,
        path: PathBuf,
    },
    Pem(Vec<u8>),
}

/// The TLS settings of a URL.
#[derive(Debug, Default)]
pub struct Tls {
    /// `None` if the URL says nothing of it.
    pub mode: Option<TlsMode>,
    pub authority: Option<Material>,
    pub certificate: Option<Material>,
    pub key: Option<Material>,
    /// The name that the server is asked for, and that its certificate has to have, instead of the host.
    pub server_name: Option<String>,
}

/// TLS that is only switched on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    Off,
    /// Encrypted, without verification.
    Unverified,
    /// As in Node.js: the certificate is verified, unless that is switched off.
    On,
}

/// Everything that the parameters say of TLS, before it becomes one mode.
#[derive(Debug, Default)]
pub struct Words {
    pub mode: Option<TlsMode>,
    pub switch: Option<Switch>,
    pub verify: Option<bool>,
    verify_identity: Option<bool>,
    pub authority: Option<Material>,
    pub certificate: Option<Material>,
    pub key: Option<Material>,
    server_name: Option<String>,
}

/// The value of an authority's parameter that means those of the system.
const SYSTEM: &str = "system";

impl TlsMode {
    /// # Errors
    /// `ERR_SESSION_OPTIONS` if no driver has this mode.
    pub fn parse(name: &str, value: &str) -> Result<Self> {
        Self::find(value).ok_or_else(|| {
            let supported = "supported: disable, prefer, require, verify-ca, verify-full, and the words of MySQL for them";
            unsupported(name, supported)
        })
    }

    /// The mode of libpq, MySQL, node-postgres or Go.
    pub fn find(value: &str) -> Option<Self> {
        match value.to_ascii_lowercase().replace('_', "-").as_str() {
            "disable" | "disabled" => Some(Self::Disable),
            // libpq tries without TLS first; both lead to a connection on any server.
            "allow" | "prefer" | "preferred" => Some(Self::Prefer),
            "require" | "required" | "no-verify" | "skip-verify" => Some(Self::Require),
            "verify-ca" => Some(Self::VerifyCa),
            "verify-full" | "verify-identity" => Some(Self::VerifyFull),
            _ => None,
        }
    }
}

impl Material {
    pub fn authority(name: &str, value: &str) -> Result<Option<Self>> {
        Self::read(name, value, "CERTIFICATE-----")
    }

    pub fn certificate(name: &str, value: &str) -> Result<Option<Self>> {
        Self::read(name, value, "CERTIFICATE-----")
    }

    pub fn key(name: &str, value: &str) -> Result<Option<Self>> {
        if value.contains("ENCRYPTED") && value.contains("-----BEGIN") {
            return Err(StoreError::options(format!(
                "expected `{name}` in the database URL to be a key without a passphrase, got an encrypted one; decrypt it, \
                 for example with `openssl pkey`"
            )));
        }
        Self::read(name, value, "PRIVATE KEY-----")
    }

    /// A path, or a PEM text, which may come from a variable that has `\n` for the ends of lines.
    fn read(name: &str, value: &str, label: &str) -> Result<Option<Self>> {
        if value.trim().is_empty() {
            return Ok(None);
        }
        if !value.contains("-----BEGIN") {
            return Ok(Some(Self::File {
                name: name.to_owned(),
                path: value.into(),
            }));
        }
        if !value.contains(label) {
            return Err(StoreError::options(format!(
                "expected `{name}` in the database URL to be a path or a text in PEM format with `{label}`, got another text"
            )));
        }
        Ok(Some(Self::Pem(value.replace("\\n", "\n").into_bytes())))
    }

    /// Whether the authorities of the system are meant.
    pub fn is_system(&self) -> bool {
        matches!(self, Self::File { path, .. } if path.as_os_str() == SYSTEM)
    }
}

impl Words {
    /// Reads `ssl` as Node.js has it: on, off, a mode, or the options of its TLS as JSON.
    pub fn read_ssl(&mut self, name: &str, value: &str) -> Result<()> {
        if value.trim_start().starts_with('{') {
            return self.read_json(name, value);
        }
        if let Some(mode) = TlsMode::find(value) {
            self.mode = Some(mode);
            return Ok(());
        }
        let on = flag(name, value).map_err(|_| {
            let supported = "supported: true, false, a mode such as `verify-full`, or JSON such as \
                             `{\"rejectUnauthorized\":true}`";
            unsupported(name, supported)
        })?;
        self.switch = Some(if on { Switch::On } else { Switch::Off });
        Ok(())
    }

    fn read_json(&mut self, name: &str, value: &str) -> Result<()> {
        let Ok(Value::Object(given)) = serde_json::from_str(value) else {
            return Err(StoreError::options(format!(
                "expected parameter `{name}` of the database URL to be JSON such as `{{\"rejectUnauthorized\":true}}`, got \
                 JSON that cannot be read"
            )));
        };
        self.switch = Some(Switch::On);
        for (key, value) in given {
            let full = format!("{name}.{key}");
            let wrong = |expected| {
                StoreError::options(format!(
                    "expected `{full}` in the database URL to be {expected}, got something else"
                ))
            };
            let text = || value.as_str().ok_or_else(|| wrong("text in PEM format"));
            let host = || {
                let name = value
                    .as_str()
                    .filter(|name| ServerName::try_from(*name).is_ok());
                name.ok_or_else(|| wrong("the name of a host"))
            };
            let boolean = || value.as_bool().ok_or_else(|| wrong("true or false"));
            match key.as_str() {
                "rejectUnauthorized" => self.verify = Some(boolean()?),
                "verifyIdentity" => self.verify_identity = Some(boolean()?),
                "require" => _ = boolean()?,
                "ca" => self.authority = Material::authority(&full, text()?)?,
                "cert" => self.certificate = Material::certificate(&full, text()?)?,
                "key" => self.key = Material::key(&full, text()?)?,
                "servername" => self.server_name = Some(host()?.to_owned()),
                _ => {
                    return Err(StoreError::options(format!(
                        "unsupported member `{full}` in the database URL; supported: rejectUnauthorized, verifyIdentity, ca, \
                         cert, key, servername"
                    )));
                }
            }
        }
        Ok(())
    }

    /// One mode from all the words.
    ///
    /// # Errors
    /// `ERR_SESSION_OPTIONS` if they contradict each other, or a certificate comes without its key.
    pub fn resolve(self) -> Result<Tls> {
        let contradiction = || {
            StoreError::options(
                "the parameters for TLS in the database URL contradict each other; keep one of them",
            )
        };
        let full = match self.verify_identity {
            Some(false) => TlsMode::VerifyCa,
            _ => TlsMode::VerifyFull,
        };
        let switched = match (self.switch, self.verify) {
            (Some(Switch::Off), Some(true)) => return Err(contradiction()),
            (Some(Switch::Off), _) => Some(TlsMode::Disable),
            (_, Some(true)) | (Some(Switch::On), None) => Some(full),
            (Some(_), _) | (None, Some(false)) => Some(TlsMode::Require),
            (None, None) => None,
        };
        let mode = match (self.mode, self.switch) {
            (Some(mode), Some(Switch::Off)) if mode > TlsMode::Prefer => {
                return Err(contradiction());
            }
            (Some(TlsMode::Disable), Some(Switch::On | Switch::Unverified)) => {
                return Err(contradiction());
            }
            (Some(mode), _) => match self.verify {
                Some(false) if mode > TlsMode::Require => return Err(contradiction()),
                Some(true) if mode == TlsMode::Disable => return Err(contradiction()),
                Some(true) => Some(mode.max(full)),
                _ => Some(mode),
            },
            (None, _) => switched,
        };
        let system = self.authority.as_ref().is_some_and(Material::is_system);
        let mode = match mode {
            // An authority is named to be heeded.
            None if self.authority.is_some() => Some(TlsMode::VerifyFull),
            // As with libpq, which accepts no weaker mode.
            Some(_) if system => Some(TlsMode::VerifyFull),
            mode => mode,
        };
        if self.certificate.is_some() != self.key.is_some() {
            return Err(StoreError::options(
                "expected both `sslcert` and `sslkey` (on MySQL `ssl-cert` and `ssl-key`) in the database URL, got one of \
                 them; the certificate of an authority belongs in `sslrootcert` (on MySQL `ssl-ca`)",
            ));
        }
        Ok(Tls {
            mode,
            authority: self.authority,
            certificate: self.certificate,
            key: self.key,
            server_name: self.server_name,
        })
    }
}

impl Tls {
    /// What the verification of the server has to know, in the place that the driver has for a PEM text. `None` if the URL says
    /// nothing of it.
    pub fn trust(&self) -> Option<Vec<u8>> {
        let source = match &self.authority {
            None => Source::Default,
            Some(authority) if authority.is_system() => Source::System,
            Some(Material::File { path, .. }) => Source::File(path.clone()),
            Some(Material::Pem(text)) => Source::Pem(text.clone()),
        };
        let server_name = self.server_name.clone();
        let trust = Trust {
            source,
            server_name,
        };
        trust.encode()
    }

    /// The files that the URL names, each with its parameter.
    pub fn files(&self) -> Vec<(String, PathBuf)> {
        let all = [&self.authority, &self.certificate, &self.key];
        let files = all
            .into_iter()
            .flatten()
            .filter_map(|material| match material {
                Material::File { name, path } if !material.is_system() => {
                    Some((name.clone(), path.clone()))
                }
                _ => None,
            });
        files.collect()
    }
}
