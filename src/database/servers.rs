//! The servers of a database as parameters and environment variables name them, in the words of libpq.

use super::address::{Address, is_host, port_of};
use crate::error::{Result, StoreError};

/// What parameters say of the servers.
#[derive(Debug, Default)]
pub struct Servers {
    pub hosts: Option<String>,
    pub ports: Option<String>,
    /// Whether only servers that accept writes are used, even for reads.
    pub only_writable: Option<bool>,
    /// Whether to begin with any of them.
    pub shuffled: Option<bool>,
}

impl Servers {
    /// Which servers are used, in the words of libpq.
    pub fn read_attributes(&mut self, value: &str) -> Result<(), &'static str> {
        self.only_writable = Some(match value.to_ascii_lowercase().as_str() {
            "any" => false,
            "read-write" | "primary" => true,
            _ => return Err("the store writes; supported: any, read-write, primary"),
        });
        Ok(())
    }

    pub fn read_load_balance(&mut self, value: &str) -> Result<(), &'static str> {
        self.shuffled = Some(match value.to_ascii_lowercase().as_str() {
            "disable" => false,
            "random" => true,
            _ => return Err("supported: disable, random"),
        });
        Ok(())
    }

    /// The addresses that the parameters name, or else those of the URL.
    ///
    /// # Errors
    /// `ERR_SESSION_OPTIONS` if a host or a port cannot be used, or their numbers differ.
    pub fn addresses(&self, in_url: Vec<Address>) -> Result<Vec<Address>> {
        let wrong = |what: &str| {
            StoreError::options(format!(
                "expected {what} in the database URL or the environment"
            ))
        };
        let only_port = match in_url.as_slice() {
            [only] => only.port,
            _ => None,
        };
        let mut addresses = match &self.hosts {
            None => in_url,
            Some(hosts) => {
                let hosts = hosts.split(',').map(str::trim);
                let address = |host: &str| {
                    let host = host
                        .strip_prefix('[')
                        .and_then(|host| host.strip_suffix(']'))
                        .unwrap_or(host);
                    is_host(host).then(|| Address {
                        host: host.to_owned(),
                        port: only_port,
                    })
                };
                let addresses: Option<Vec<_>> = hosts.map(address).collect();
                addresses
                    .ok_or_else(|| wrong("names or addresses of hosts with commas between them"))?
            }
        };
        let Some(ports) = &self.ports else {
            return Ok(addresses);
        };
        let port = |text: &str| match text.trim() {
            "" => Some(None),
            text => port_of(text).map(Some),
        };
        let ports: Option<Vec<_>> = ports.split(',').map(port).collect();
        let ports = ports.ok_or_else(|| wrong("ports from 1 to 65535 with commas between them"))?;
        if ports.len() != 1 && ports.len() != addresses.len() {
            return Err(wrong("as many ports as hosts, or one port for all"));
        }
        for (address, port) in addresses.iter_mut().zip(ports.iter().cycle()) {
            address.port = *port;
        }
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(host: &str, port: Option<u16>) -> Address {
        Address {
            host: host.to_owned(),
            port,
        }
    }

    fn servers(hosts: &str, ports: &str) -> Servers {
        let given = |list: &str| (!list.is_empty()).then(|| list.to_owned());
        Servers {
            hosts: given(hosts),
            ports: given(ports),
            ..Servers::default()
        }
    }

    #[test]
    fn lists_of_hosts_and_ports() {
        let one = || vec![address("h", Some(9))];
        let two = || vec![address("h1", Some(1)), address("h2", None)];
        for (given, in_url, expected) in [
            (servers("", ""), two(), two()),
            (servers("a", ""), one(), vec![address("a", Some(9))]),
            (
                servers("a,b", ""),
                two(),
                vec![address("a", None), address("b", None)],
            ),
            (
                servers("", "5"),
                two(),
                vec![address("h1", Some(5)), address("h2", Some(5))],
            ),
            (
                servers("", "5,"),
                two(),
                vec![address("h1", Some(5)), address("h2", None)],
            ),
            (
                servers("[::1], /run/pg", "5,6"),
                Vec::new(),
                vec![address("::1", Some(5)), address("/run/pg", Some(6))],
            ),
        ] {
            assert_eq!(given.addresses(in_url).unwrap(), expected);
        }
        for given in [
            servers("a,,b", ""),
            servers("a b", ""),
            servers("a", "soon"),
            servers("a", "0"),
            servers("a,b", "1,2,3"),
        ] {
            assert!(given.addresses(Vec::new()).is_err());
        }
    }
}
