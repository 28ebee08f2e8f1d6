//! The hosts that a certificate is for, by the rules of Node.js.

use std::net::IpAddr;

use rustls::pki_types::ServerName;

use super::certificate::Certificate;
use super::der::{OBJECT_IDENTIFIER, Reader, SEQUENCE, SET, values};

/// The types of texts that hold ASCII or UTF-8: UTF8String, PrintableString, TeletexString, IA5String.
const TEXTS: [u8; 4] = [0x0c, 0x13, 0x14, 0x16];

/// Kinds of alternative names.
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

// Object identifiers.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

impl<'a> Certificate<'a> {
    /// Whether it is for this host. The common name counts only for host names, and only if there is no
    /// alternative name of a host. `by_common_name` allows that.
    pub fn is_for(&self, host: &ServerName<'_>, by_common_name: bool) -> bool {
        match host {
            ServerName::IpAddress(address) => {
                let address = match IpAddr::from(*address) {
                    IpAddr::V4(address) => address.octets().to_vec(),
                    IpAddr::V6(address) => address.octets().to_vec(),
                };
                self.alternative_names(IP_ADDRESS).any(|own| own == address)
            }
            ServerName::DnsName(host) => {
                let by_common_name =
                    by_common_name && self.alternative_names(DNS_NAME).count() == 0;
                let names = if by_common_name {
                    self.common_names()
                } else {
                    self.host_names()
                };
                names.iter().any(|name| is_name_of(name, host.as_ref()))
            }
            _ => false,
        }
    }

    /// The hosts that it is for, for messages.
    pub fn names(&self) -> Vec<String> {
        let hosts = self.host_names().into_iter().map(str::to_owned);
        let addresses = self.alternative_names(IP_ADDRESS).filter_map(|octets| {
            let address = <[u8; 4]>::try_from(octets).map(IpAddr::from);
            let address = address.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from));
            Some(address.ok()?.to_string())
        });
        let mut names: Vec<_> = hosts.chain(addresses).collect();
        if names.is_empty() {
            names.extend(self.common_names().into_iter().map(str::to_owned));
        }
        names
    }

    fn alternative_names(&self, kind: u8) -> impl Iterator<Item = &'a [u8]> {
        let names = self
            .extension(ALTERNATIVE_NAMES)
            .and_then(|value| Reader(value).expect(SEQUENCE))
            .map_or(&[][..], |value| value.content);
        values(names)
            .filter(move |value| value.tag == kind)
            .map(|value| value.content)
    }

    fn host_names(&self) -> Vec<&'a str> {
        let names = self.alternative_names(DNS_NAME);
        names
            .filter_map(|name| std::str::from_utf8(name).ok())
            .collect()
    }

    fn common_names(&self) -> Vec<&'a str> {
        let attributes = values(self.subject)
            .filter(|set| set.tag == SET)
            .flat_map(|set| values(set.content));
        let names = attributes.filter_map(|attribute| {
            let mut parts = Reader(attribute.content);
            let identifier = parts.expect(OBJECT_IDENTIFIER)?;
            let text = parts.next().filter(|value| TEXTS.contains(&value.tag))?;
            (identifier.content == COMMON_NAME).then_some(text.content)
        });
        names
            .filter_map(|name| std::str::from_utf8(name).ok())
            .collect()
    }
}

/// Whether a host has this name. A star stands for the first label, if two others follow.
fn is_name_of(name: &str, host: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let host = host.strip_suffix('.').unwrap_or(host);
    match name.strip_prefix("*.") {
        Some(domain) if domain.contains('.') => host
            .split_once('.')
            .is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(domain)),
        Some(_) => false,
        None => name.eq_ignore_ascii_case(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::tls::certificate::tests::{NEW, OLD, der};

    fn is_for(certificate: &Certificate<'_>, host: &str, by_common_name: bool) -> bool {
        certificate.is_for(&ServerName::try_from(host).unwrap(), by_common_name)
    }

    #[test]
    fn hosts_of_a_certificate() {
        let der = [der(OLD), der(NEW)];
        let [old, new] = der.each_ref().map(|der| Certificate::read(der).unwrap());
        assert_eq!(old.names(), ["db.example.com"]);
        assert_eq!(new.names(), ["*.example.com", "127.0.0.1"]);
        assert!(is_for(&old, "db.example.com", true));
        assert!(!is_for(&old, "db.example.com", false));
        assert!(!is_for(&old, "db", true));
        for by_common_name in [true, false] {
            assert!(is_for(&new, "db.example.com", by_common_name));
            assert!(is_for(&new, "127.0.0.1", by_common_name));
            assert!(!is_for(&new, "127.0.0.2", by_common_name));
            assert!(!is_for(&new, "db", by_common_name));
        }
    }

    #[test]
    fn names_of_hosts() {
        for (name, host, fits) in [
            ("db.example.com", "DB.example.com", true),
            ("db.example.com", "db.example.com.", true),
            ("*.example.com", "db.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "a.b.example.com", false),
            ("*.com", "example.com", false),
            ("d*.example.com", "db.example.com", false),
            ("", "db", false),
        ] {
            assert_eq!(is_name_of(name, host), fits, "{name} {host}");
        }
    }
}
