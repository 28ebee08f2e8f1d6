//! The parameters of the URLs of servers. Each database has a table of them in its folder; what they have in common is
//! here. The driver sees only those that it is meant to see.
//!
//! Names ignore case, `-` and `_`: `sslMode`, `ssl-mode` and `SSL_MODE` are one parameter.

use std::borrow::Cow;
use std::fmt::Write;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::config::Config;
use crate::error::{Result, StoreError};

use super::servers::Servers;
use super::tls::{Material, Switch, Tls, TlsMode, Words};

/// Parameters with one meaning.
pub struct Parameter {
    /// The usual name, then other drivers' names for the same.
    pub names: &'static [&'static str],
    pub meaning: Meaning,
}

/// What the store does with a parameter.
pub enum Meaning {
    /// Passed to the driver under this name.
    Driver(&'static str),
    /// Names or addresses of servers, or folders of sockets, with commas between them.
    Hosts,
    /// As many ports, or one for all.
    Ports,
    /// Which of several servers to use, in the words of libpq.
    SessionAttributes,
    /// Whether to begin with any of several servers, in the words of libpq.
    LoadBalance,
    /// A TLS mode by its name.
    TlsMode,
    /// Switches TLS on or off, or describes it as JSON, as in Node.js.
    Tls,
    /// Switches TLS on, but verifies nothing.
    UnverifiedTls,
    /// The same, where `false` means nothing.
    RequiredTls,
    /// Switches the verification of the server's certificate on or off.
    Verify,
    /// A path or a PEM text.
    Authority,
    Certificate,
    Key,
    /// `true` switches prepared statements off.
    NoPreparedStatements,
    /// `0` or `false` switches prepared statements off.
    PreparedStatements,
    /// The schema of the table.
    Schema,
    /// Switches statements for relatives of the database on or off.
    Portable,
    /// At most so many connections.
    MaxConnections,
    /// Only these values, which ask for what the store does in any case; for others, what to do instead.
    Only(&'static [&'static str], &'static str),
    /// Has no effect: the store decides it by itself or by an option.
    Ignored,
    /// What to do instead.
    Refused(&'static str),
}

/// What the parameters of a URL say.
#[derive(Debug, Default)]
pub struct Parameters {
    /// The URL with only the parameters of the driver.
    pub url: String,
    pub servers: Servers,
    pub tls: Tls,
    pub schema: Option<String>,
    pub max_connections: Option<u32>,
    pub prepared_statements: Option<bool>,
    pub portable: Option<bool>,
}

impl Parameters {
    /// Reads the parameters of a URL.
    ///
    /// # Errors
    /// `ERR_SESSION_OPTIONS`, naming a parameter that cannot be heeded, or that concerns TLS and is unknown: the connection
    /// might not be encrypted. Other unknown parameters pass, since the URLs of hosting services have some.
    pub fn read(url: &str, table: &[Parameter]) -> Result<Self> {
        let (location, query) = url.split_once('?').unwrap_or((url, ""));
        let mut read = Self::default();
        let mut words = Words::default();
        let mut for_driver = String::new();
        let pairs = query.split('#').next().unwrap_or_default().split('&');
        for pair in pairs.filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name), decoded(value));
            // A setting of the server, whose name is its own.
            let meaning = if name.starts_with("options[") {
                Some(&Meaning::Driver(""))
            } else {
                find(table, &name)
            };
            match meaning {
                Some(Meaning::Driver(own)) => {
                    let own = if own.is_empty() { &name } else { *own };
                    let own = utf8_percent_encode(own, NON_ALPHANUMERIC);
                    let value = utf8_percent_encode(&value, NON_ALPHANUMERIC);
                    _ = write!(for_driver, "&{own}={value}");
                }
                // `hostaddr` comes before `host`.
                Some(Meaning::Hosts) if !value.is_empty() => {
                    if folded(&name) == "hostaddr" || read.servers.hosts.is_none() {
                        read.servers.hosts = Some(value);
                    }
                }
                Some(Meaning::Ports) if !value.is_empty() => read.servers.ports = Some(value),
                Some(Meaning::SessionAttributes) => {
                    let attributes = read.servers.read_attributes(&value);
                    attributes.map_err(|instead| unsupported(&name, instead))?;
                }
                Some(Meaning::LoadBalance) => {
                    let balance = read.servers.read_load_balance(&value);
                    balance.map_err(|instead| unsupported(&name, instead))?;
                }
                Some(Meaning::TlsMode) => words.mode = Some(TlsMode::parse(&name, &value)?),
                Some(Meaning::Tls) => words.read_ssl(&name, &value)?,
                Some(Meaning::UnverifiedTls) => {
                    let on = flag(&name, &value)?;
                    words.switch = Some(if on { Switch::Unverified } else { Switch::Off });
                }
                Some(Meaning::RequiredTls) => {
                    if flag(&name, &value)? {
                        words.switch = Some(Switch::Unverified);
                    }
                }
                Some(Meaning::Verify) => words.verify = Some(verify(&name, &value)?),
                Some(Meaning::Authority) => words.authority = Material::authority(&name, &value)?,
                Some(Meaning::Certificate) => {
                    words.certificate = Material::certificate(&name, &value)?;
                }
                Some(Meaning::Key) => words.key = Material::key(&name, &value)?,
                Some(Meaning::NoPreparedStatements) => {
                    if flag(&name, &value)? {
                        read.prepared_statements = Some(false);
                    }
                }
                Some(Meaning::PreparedStatements) => {
                    // A number of statements, or a switch.
                    let counts = value.parse::<u64>().is_ok_and(|count| count > 0);
                    if !counts && !flag(&name, &value)? {
                        read.prepared_statements = Some(false);
                    }
                }
                Some(Meaning::Schema) => {
                    read.schema = Some(value).filter(|value| !value.is_empty());
                }
                Some(Meaning::Portable) => read.portable = Some(flag(&name, &value)?),
                Some(Meaning::MaxConnections) => {
                    let count = value.parse().ok().filter(|count| *count > 0);
                    let limit = count.ok_or_else(|| {
                        unsupported(&name, "expected a whole number of connections, 1 or more")
                    })?;
                    read.max_connections = Some(limit);
                }
                Some(Meaning::Only(values, instead)) => {
                    if !values.iter().any(|own| own.eq_ignore_ascii_case(&value)) {
                        return Err(unsupported(&name, instead));
                    }
                }
                Some(Meaning::Refused(instead)) => {
                    return Err(StoreError::options(format!(
                        "unsupported parameter `{name}` in the database URL; {instead}"
                    )));
                }
                None if concerns_tls(&name) => return Err(unknown(table, &name)),
                // A host or a port may be left empty.
                Some(Meaning::Ignored | Meaning::Hosts | Meaning::Ports) | None => {}
            }
        }
        read.tls = words.resolve()?;
        read.url = match for_driver.strip_prefix('&') {
            Some(query) => format!("{location}?{query}"),
            None => location.to_owned(),
        };
        Ok(read)
    }

    /// Puts into the settings of a store what the parameters say of them. An option comes before a parameter; of two limits,
    /// the lower one counts.
    pub fn apply(self, config: &mut Config) {
        if config.table.schema.is_none() {
            config.table.schema = self.schema;
        }
        if let Some(limit) = self.max_connections {
            config.pool.max = config.pool.max.min(limit);
        }
        if let Some(prepared_statements) = self.prepared_statements {
            config.connection.prepared_statements = prepared_statements;
        }
        config.table.portable = self.portable;
    }
}

/// Adds a parameter of the driver to a URL.
pub fn add_parameter(url: &mut String, name: &str, value: &str) {
    let separator = if url.contains('?') { '&' } else { '?' };
    let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
    _ = write!(url, "{separator}{name}={value}");
}

fn find<'a>(table: &'a [Parameter], name: &str) -> Option<&'a Meaning> {
    let name = folded(name);
    let is_named = |parameter: &&Parameter| parameter.names.iter().any(|own| folded(own) == name);
    Some(&table.iter().find(is_named)?.meaning)
}

/// A name without the differences that are ignored.
pub fn folded(name: &str) -> String {
    name.to_ascii_lowercase().replace(['-', '_'], "")
}

fn concerns_tls(name: &str) -> bool {
    let name = folded(name);
    name.starts_with("ssl") || name.starts_with("tls")
}

/// A part of a query without its encoding.
fn decoded(part: &str) -> String {
    let part: Cow<'_, str> = if part.contains('+') {
        part.replace('+', " ").into()
    } else {
        part.into()
    };
    percent_decode_str(&part).decode_utf8_lossy().into_owned()
}

/// Whether a parameter is switched on.
pub fn flag(name: &str, value: &str) -> Result<bool> {
    match value.to_ascii_lowercase().as_str() {
        "" | "1" | "true" | "on" | "yes" => Ok(true),
        "0" | "false" | "off" | "no" => Ok(false),
        _ => Err(unsupported(name, "supported: true, false")),
    }
}

/// Whether the server's certificate is to be verified, also in Prisma's words.
fn verify(name: &str, value: &str) -> Result<bool> {
    match value.to_ascii_lowercase().as_str() {
        "strict" => Ok(true),
        "accept_invalid_certs" => Ok(false),
        _ => flag(name, value),
    }
}

/// The error for a value that cannot be heeded. It is not shown: it might be part of a password that is not encoded.
pub fn unsupported(name: &str, instead: &str) -> StoreError {
    StoreError::options(format!(
        "unsupported value of parameter `{name}` in the database URL; {instead}"
    ))
}

/// A name or value for a message, if it is a plain word: it might be part of a password that is not encoded.
pub fn shown(value: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if value.len() <= 24 && value.chars().all(plain) {
        format!("`{value}`")
    } else {
        "(not shown)".to_owned()
    }
}

fn unknown(table: &[Parameter], name: &str) -> StoreError {
    let tls = table.iter().filter_map(|parameter| parameter.names.first());
    let tls: Vec<&str> = tls.copied().filter(|name| concerns_tls(name)).collect();
    StoreError::options(format!(
        "unknown parameter {} in the database URL; supported for TLS: {}",
        shown(name),
        tls.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    // Words of other programs: cspell:disable
    use super::*;

    const TABLE: &[Parameter] = &[
        Parameter {
            names: &["sslmode"],
            meaning: Meaning::TlsMode,
        },
        Parameter {
            names: &["ssl", "tls"],
            meaning: Meaning::Tls,
        },
        Parameter {
            names: &["sslaccept", "rejectUnauthorized"],
            meaning: Meaning::Verify,
        },
        Parameter {
            names: &["requireSSL"],
            meaning: Meaning::RequiredTls,
        },
        Parameter {
            names: &["sslrootcert"],
            meaning: Meaning::Authority,
        },
        Parameter {
            names: &["sslcert"],
            meaning: Meaning::Certificate,
        },
        Parameter {
            names: &["sslkey"],
            meaning: Meaning::Key,
        },
        Parameter {
            names: &["application_name"],
            meaning: Meaning::Driver("application_name"),
        },
        Parameter {
            names: &["encoding"],
            meaning: Meaning::Only(&["utf8"], "leave it out"),
        },
    ];

    fn read(query: &str) -> Result<Parameters> {
        Parameters::read(&format!("postgres://host/db?{query}"), TABLE)
    }

    #[test]
    fn tls_is_understood_in_the_words_of_all_drivers() {
        for (query, mode) in [
            ("", None),
            ("color=red", None),
            ("sslmode=require", Some(TlsMode::Require)),
            ("SSL_Mode=VERIFY_IDENTITY", Some(TlsMode::VerifyFull)),
            ("sslmode=no-verify", Some(TlsMode::Require)),
            ("sslmode=DISABLED", Some(TlsMode::Disable)),
            ("sslmode=allow", Some(TlsMode::Prefer)),
            ("ssl=true", Some(TlsMode::VerifyFull)),
            ("ssl", Some(TlsMode::VerifyFull)),
            ("tls=1", Some(TlsMode::VerifyFull)),
            ("tls=skip-verify", Some(TlsMode::Require)),
            ("ssl=false", Some(TlsMode::Disable)),
            ("ssl=require", Some(TlsMode::Require)),
            ("ssl=true&sslmode=require", Some(TlsMode::Require)),
            ("ssl=true&rejectUnauthorized=false", Some(TlsMode::Require)),
            (
                "sslmode=require&sslaccept=strict",
                Some(TlsMode::VerifyFull),
            ),
            ("sslaccept=accept_invalid_certs", Some(TlsMode::Require)),
            (
                r#"ssl={"rejectUnauthorized":true}"#,
                Some(TlsMode::VerifyFull),
            ),
            (
                r#"ssl={"rejectUnauthorized":false}"#,
                Some(TlsMode::Require),
            ),
            (r#"ssl={"verifyIdentity":false}"#, Some(TlsMode::VerifyCa)),
            ("ssl=%7B%7D", Some(TlsMode::VerifyFull)),
            ("requireSSL=true", Some(TlsMode::Require)),
            ("requireSSL=false", None),
            ("sslrootcert=/ca.pem", Some(TlsMode::VerifyFull)),
            (
                "sslmode=require&sslrootcert=/ca.pem",
                Some(TlsMode::Require),
            ),
            (
                "sslmode=require&sslrootcert=system",
                Some(TlsMode::VerifyFull),
            ),
        ] {
            assert_eq!(read(query).unwrap().tls.mode, mode, "{query}");
        }
    }

    #[test]
    fn what_cannot_be_heeded_is_refused() {
        for (query, named) in [
            ("sslmode=maybe", "`sslmode`"),
            ("sslmode=", "sslmode"),
            ("ssl=Amazon%20RDS", "ssl"),
            (r#"ssl={"pfx":"x"}"#, "pfx"),
            (r#"ssl={"rejectUnauthorized":"no"}"#, "rejectUnauthorized"),
            ("ssl={", "JSON"),
            ("ssl=[]", "ssl"),
            ("sslcrl=/x", "sslcrl"),
            ("tlsCAFile=/x", "`tlsCAFile`"),
            ("ssl=false&sslmode=require", "contradict"),
            ("ssl=true&sslmode=disable", "contradict"),
            ("sslmode=verify-full&rejectUnauthorized=false", "contradict"),
            ("ssl=false&sslaccept=strict", "contradict"),
            ("sslcert=/x", "sslkey"),
            ("sslkey=/x", "sslcert"),
            ("sslcert=-----BEGIN%20X-----&sslkey=/x", "PEM"),
            (
                "sslkey=-----BEGIN%20ENCRYPTED%20PRIVATE%20KEY-----",
                "encrypted",
            ),
            ("encoding=latin1", "`encoding`"),
        ] {
            let error = read(query).unwrap_err();
            assert!(error.message.contains(named), "{query}: {}", error.message);
        }
        for query in ["sslmode=secret@host/db", "sslsecret@host/db"] {
            let error = read(query).unwrap_err();
            assert!(!error.message.contains("secret"), "{}", error.message);
        }
    }

    #[test]
    fn the_driver_gets_what_is_meant_for_it() {
        let url = |query: &str| read(query).unwrap().url;
        assert_eq!(url(""), "postgres://host/db");
        assert_eq!(url("color=red&encoding=UTF8"), "postgres://host/db");
        assert_eq!(
            url("Application-Name=a+b&options[work_mem]=1MB#end"),
            "postgres://host/db?application%5Fname=a%20b&options%5Bwork%5Fmem%5D=1MB"
        );
    }
}
