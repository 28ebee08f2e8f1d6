//! The address of a server in a URL.

/// The address of a URL whose host is an IPv6 address, without the brackets that only URLs have.
pub fn ipv6_host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let host = authority.rsplit('@').next()?.strip_prefix('[')?;
    Some(host.split_once(']')?.0)
}

/// Whether the URL names a port.
pub fn has_port(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let address = authority.rsplit('@').next().unwrap_or_default();
    let after_host = address.rsplit(']').next().unwrap_or_default();
    after_host.contains(':')
}

/// Whether the server is on this machine. There TLS would protect nothing, and cost about as much as the statements
/// themselves.
pub fn is_local(host: &str) -> bool {
    ["localhost", "127.0.0.1", "::1"].contains(&host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (url, host, port) in [
            ("postgres://[::1]/db", Some("::1"), false),
            ("postgres://[::1]:5433/db", Some("::1"), true),
            (
                "mysql://ada:p%40:ss@[2001:db8::7]:1?a=[b]",
                Some("2001:db8::7"),
                true,
            ),
            ("mysql://ada:secret@host/db", None, false),
            ("mysql://ada:secret@host:1/db", None, true),
            ("postgres:///db?host=[::1]:1", None, false),
        ] {
            assert_eq!(ipv6_host(url), host, "{url}");
            assert_eq!(has_port(url), port, "{url}");
        }
    }
}
