//! Parts of database URLs that the databases on servers share.

use std::borrow::Cow;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use crate::error::{Result, StoreError};

/// The URL with a host. It may be missing where a parameter overrides it, such as the folder of a socket.
pub fn with_host(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.into();
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    match authority.strip_suffix('@') {
        Some(credentials) => {
            let path = &rest[authority.len()..];
            format!("{scheme}://{credentials}@localhost{path}").into()
        }
        None => url.into(),
    }
}

/// The parameters of a URL, each with its value, still encoded.
fn parameters(url: &str) -> impl Iterator<Item = (&str, &str)> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// The files of certificates and keys that a URL names, each with its parameter. A parameter may also hold the
/// certificate itself.
pub fn certificate_files(url: &str) -> Vec<(String, PathBuf)> {
    let of_tls =
        parameters(url).filter(|(key, _)| key.starts_with("ssl") && !key.ends_with("mode"));
    let decoded = of_tls.map(|(key, value)| {
        let value = value.replace('+', " ");
        let value = percent_decode_str(&value).decode_utf8_lossy().into_owned();
        (key.to_owned(), value)
    });
    decoded
        .filter(|(_, value)| !value.contains("-----BEGIN"))
        .map(|(key, value)| (key, PathBuf::from(value)))
        .collect()
}

/// Whether to connect without TLS: the server is on this machine, and the URL does not ask for TLS. There it would protect
/// nothing, and cost about as much as the statements themselves.
pub fn is_plain(url: &str, host: &str) -> bool {
    let local = ["localhost", "127.0.0.1", "::1", "[::1]"].contains(&host);
    local && !parameters(url).any(|(key, _)| key == "sslmode" || key == "ssl-mode")
}

/// Rejects a misspelled parameter of TLS, which the driver would ignore: the connection might not be encrypted. Other
/// unknown parameters pass, since the URLs of hosting services have some.
///
/// # Errors
/// `ERR_SESSION_OPTIONS`, naming the parameter.
pub fn check_ssl_parameters(url: &str, supported: &[&str]) -> Result<()> {
    let mut parameters = parameters(url)
        .map(|(key, _)| key)
        .filter(|key| key.starts_with("ssl"));
    match parameters.find(|key| !supported.contains(key)) {
        Some(unknown) => Err(StoreError::options(format!(
            "unknown parameter `{unknown}` in the database URL; supported for TLS: {}",
            supported.join(", ")
        ))),
        None => Ok(()),
    }
}
