//! The addresses of servers in a URL.

use percent_encoding::percent_decode_str;

use crate::error::{Result, StoreError};

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// A name, an IP address without brackets, or the folder of a socket.
    pub host: String,
    pub port: Option<u16>,
}

/// Takes the addresses out of the URL of a database on one or several servers: `host:port,host:port`. What is left leads
/// to this machine.
///
/// # Errors
/// `ERR_SESSION_OPTIONS`, with nothing of the URL.
pub fn take_addresses(url: &str, title: &str) -> Result<(String, Vec<Address>)> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Ok((url.to_owned(), Vec::new()));
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let after = &rest[authority.len()..];
    let (credentials, places) = authority.rsplit_once('@').unwrap_or(("", authority));
    let left = match authority.len() - places.len() {
        0 => format!("{scheme}://{after}"),
        // The driver takes no user without a host.
        _ => format!("{scheme}://{credentials}@localhost{after}"),
    };
    if places.is_empty() {
        return Ok((left, Vec::new()));
    }
    let addresses = places.split(',').map(|place| address(place, title));
    Ok((left, addresses.collect::<Result<_>>()?))
}

fn address(place: &str, title: &str) -> Result<Address> {
    let wrong = |what: &str| {
        StoreError::options(format!(
            "invalid {title} URL: {what}; special characters in its parts have to be percent-encoded"
        ))
    };
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let Some((host, after)) = rest.split_once(']') else {
                return Err(wrong("expected a `]` after an IPv6 address"));
            };
            if host.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(wrong("expected an IPv6 address in brackets"));
            }
            (host, after)
        }
        None => place.split_at(place.find(':').unwrap_or(place.len())),
    };
    let port = match port.strip_prefix(':') {
        None if !port.is_empty() => return Err(wrong("expected a `:` after an IPv6 address")),
        None | Some("") => None,
        Some(port) => Some(port_of(port).ok_or_else(|| wrong("invalid port number"))?),
    };
    let host = percent_decode_str(host).decode_utf8_lossy();
    if !is_host(&host) {
        return Err(wrong("expected the name or the address of a host"));
    }
    Ok(Address {
        host: host.into_owned(),
        port,
    })
}

/// A port from 1 to 65535.
pub fn port_of(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port > 0)
}

/// Whether a text may be a host or the folder of a socket.
pub fn is_host(text: &str) -> bool {
    let fits = |letter: char| letter.is_alphanumeric() || "-_.:%".contains(letter);
    text.starts_with('/') || (!text.is_empty() && text.chars().all(fits))
}

/// Whether the server is on this machine. There TLS would protect nothing, and cost about as much as the statements
/// themselves.
pub fn is_local(host: &str) -> bool {
    ["localhost", "127.0.0.1", "::1"].contains(&host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(url: &str) -> Result<(String, Vec<String>)> {
        let (left, addresses) = take_addresses(url, "PostgreSQL")?;
        let shown = |Address { host, port }| match port {
            Some(port) => format!("{host} {port}"),
            None => host,
        };
        Ok((left, addresses.into_iter().map(shown).collect()))
    }

    #[test]
    fn addresses() {
        for (url, left, addresses) in [
            ("postgres://[::1]/db", "postgres:///db", &["::1"][..]),
            ("postgres://[::1]:5433/db", "postgres:///db", &["::1 5433"]),
            (
                "mysql://ada:p%40:ss@[2001:db8::7]:1?a=[b]",
                "mysql://ada:p%40:ss@localhost?a=[b]",
                &["2001:db8::7 1"],
            ),
            (
                "mysql://ada:secret@host/db",
                "mysql://ada:secret@localhost/db",
                &["host"],
            ),
            ("mysql://host:1/db", "mysql:///db", &["host 1"]),
            (
                "postgres:///db?host=[::1]:1",
                "postgres:///db?host=[::1]:1",
                &[],
            ),
            ("postgres://ada@/db", "postgres://ada@localhost/db", &[]),
            ("postgres://%2Frun%2Fpg/db", "postgres:///db", &["/run/pg"]),
            (
                "postgres://a,p@ss@h1:1,h2,[::1]:3,[fe80::1]/db",
                "postgres://a,p@ss@localhost/db",
                &["h1 1", "h2", "::1 3", "fe80::1"],
            ),
        ] {
            let expected = addresses.iter().map(|&each| each.to_owned()).collect();
            assert_eq!(taken(url).unwrap(), (left.to_owned(), expected), "{url}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in [
            "postgres://h1,/db",
            "postgres://,h1/db",
            "postgres://h1:hidden/db",
            "postgres://h1:1,h2:70000/db",
            "postgres://h1:0/db",
            "postgres://::1/db",
            "postgres://[::1/db",
            "postgres://[hidden]/db",
            "postgres://[::1]1/db",
            "postgres://h 1/db",
        ] {
            let error = taken(url).unwrap_err();
            assert!(!error.message.contains("hidden"), "{}", error.message);
        }
    }
}
