//! The environment variables of PostgreSQL that stand in for parameters. The driver reads the others by itself, and silently
//! passes over a value of these that it does not know.
//! <https://www.postgresql.org/docs/current/libpq-envars.html>

use crate::database::address::{Address, port_of};
use crate::database::parameters::Parameters;
use crate::database::tls::{Material, TlsMode};
use crate::error::{Result, StoreError};

/// Completes what a URL says by what the environment says.
///
/// # Errors
/// `ERR_SESSION_OPTIONS`, naming the variable that cannot be used.
pub fn complete(in_url: &[Address], parameters: &mut Parameters) -> Result<()> {
    complete_from(|name| std::env::var(name).ok(), in_url, parameters)
}

fn complete_from(
    variable: impl Fn(&str) -> Option<String>,
    in_url: &[Address],
    parameters: &mut Parameters,
) -> Result<()> {
    // Neither libpq nor the shell distinguishes an empty variable from a missing one.
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let servers = &mut parameters.servers;
    if in_url.is_empty() && servers.hosts.is_none() {
        servers.hosts = variable("PGHOSTADDR").or_else(|| variable("PGHOST"));
    }
    let has_port = in_url.iter().any(|address| address.port.is_some());
    if !has_port
        && servers.ports.is_none()
        && let Some(ports) = variable("PGPORT")
    {
        if ports.split(',').any(|port| port_of(port.trim()).is_none()) {
            return Err(unusable(
                "PGPORT",
                "a port from 1 to 65535, or one for each host",
            ));
        }
        servers.ports = Some(ports);
    }
    if servers.only_writable.is_none()
        && let Some(attributes) = variable("PGTARGETSESSIONATTRS")
    {
        let read = servers.read_attributes(&attributes);
        read.map_err(|_| unusable("PGTARGETSESSIONATTRS", "any, read-write or primary"))?;
    }
    if servers.shuffled.is_none()
        && let Some(balance) = variable("PGLOADBALANCEHOSTS")
    {
        let read = servers.read_load_balance(&balance);
        read.map_err(|_| unusable("PGLOADBALANCEHOSTS", "disable or random"))?;
    }
    let tls = &mut parameters.tls;
    if tls.mode.is_none()
        && let Some(mode) = variable("PGSSLMODE")
    {
        let expected = "one of disable, prefer, require, verify-ca, verify-full";
        tls.mode = Some(TlsMode::find(&mode).ok_or_else(|| unusable("PGSSLMODE", expected))?);
    }
    if tls.authority.is_none()
        && let Some(value) = variable("PGSSLROOTCERT")
    {
        let authority = Material::authority("PGSSLROOTCERT", &value)?;
        if authority.as_ref().is_some_and(Material::is_system) {
            tls.mode = Some(TlsMode::VerifyFull);
        }
        tls.authority = authority;
    }
    // The two belong together.
    if tls.certificate.is_none()
        && let (Some(certificate), Some(key)) = (variable("PGSSLCERT"), variable("PGSSLKEY"))
    {
        tls.certificate = Material::certificate("PGSSLCERT", &certificate)?;
        tls.key = Material::key("PGSSLKEY", &key)?;
    }
    Ok(())
}

fn unusable(name: &str, expected: &str) -> StoreError {
    StoreError::options(format!(
        "expected the environment variable `{name}` to be {expected}, got another value; correct it or unset it"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::address::take_addresses;

    fn completed(url: &str, environment: &[(&str, &str)]) -> Result<Parameters> {
        let mut parameters = Parameters::read(url, super::super::parameters::PARAMETERS)?;
        let variable = |name: &str| {
            let found = environment.iter().find(|(own, _)| *own == name)?;
            Some(found.1.to_owned())
        };
        let (_, in_url) = take_addresses(url, "PostgreSQL")?;
        complete_from(variable, &in_url, &mut parameters)?;
        Ok(parameters)
    }

    #[test]
    fn variables_complete_the_url() {
        let mode =
            |url: &str, value: &str| completed(url, &[("PGSSLMODE", value)]).unwrap().tls.mode;
        assert_eq!(mode("postgres://host/db", ""), None);
        assert_eq!(
            mode("postgres://host/db", "REQUIRE"),
            Some(TlsMode::Require)
        );
        assert_eq!(
            mode("postgres://host/db", "no-verify"),
            Some(TlsMode::Require)
        );
        let given = "postgres://host/db?sslmode=disable";
        assert_eq!(mode(given, "nonsense"), Some(TlsMode::Disable));
    }

    #[test]
    fn variables_that_cannot_be_used_are_refused() {
        for (url, name, value) in [
            ("postgres://host/db", "PGSSLMODE", "nonsense"),
            ("postgres://host/db", "PGPORT", "soon"),
            ("postgres://h1,h2/db", "PGPORT", "1,soon"),
            ("postgres://host/db", "PGTARGETSESSIONATTRS", "standby"),
            ("postgres://host/db", "PGLOADBALANCEHOSTS", "often"),
            ("postgres://[::1]/db", "PGPORT", "65536"),
        ] {
            let error = completed(url, &[(name, value)]).unwrap_err();
            assert!(error.message.contains(name), "{}", error.message);
            assert!(!error.message.contains(value), "{}", error.message);
        }
        assert!(completed("postgres://host:1/db", &[("PGPORT", "soon")]).is_ok());
        assert!(completed("postgres://host/db?port=1", &[("PGPORT", "soon")]).is_ok());
    }

    #[test]
    fn variables_name_several_servers() {
        let environment = [
            ("PGHOST", "h1,h2,/run/pg"),
            ("PGPORT", "1,2,3"),
            ("PGTARGETSESSIONATTRS", "read-write"),
        ];
        let parameters = completed("postgres:///db", &environment).unwrap();
        assert_eq!(parameters.servers.only_writable, Some(true));
        let addresses = parameters.servers.addresses(Vec::new()).unwrap();
        let places: Vec<_> = addresses
            .iter()
            .map(|address| (address.host.as_str(), address.port))
            .collect();
        assert_eq!(
            places,
            [("h1", Some(1)), ("h2", Some(2)), ("/run/pg", Some(3))]
        );
        assert!(
            completed("postgres://host/db", &environment[..1])
                .unwrap()
                .servers
                .hosts
                .is_none()
        );
    }
}
