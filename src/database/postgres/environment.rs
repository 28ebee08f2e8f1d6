//! The environment variables of PostgreSQL that stand in for parameters. The driver reads the others by itself, and silently
//! passes over a value of these that it does not know.
//! <https://www.postgresql.org/docs/current/libpq-envars.html>

use crate::database::address::has_port;
use crate::database::parameters::Parameters;
use crate::database::tls::{Material, TlsMode};
use crate::error::{Result, StoreError};

/// Completes what a URL says by what the environment says.
///
/// # Errors
/// `ERR_SESSION_OPTIONS`, naming the variable that cannot be used.
pub fn complete(url: &str, parameters: &mut Parameters) -> Result<()> {
    complete_from(|name| std::env::var(name).ok(), url, parameters)
}

fn complete_from(
    variable: impl Fn(&str) -> Option<String>,
    url: &str,
    parameters: &mut Parameters,
) -> Result<()> {
    // Neither libpq nor the shell distinguishes an empty variable from a missing one.
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    if !has_port(url)
        && !["?port=", "&port="]
            .iter()
            .any(|port| parameters.url.contains(port))
        && let Some(port) = variable("PGPORT")
        && port.parse::<u16>().is_err()
    {
        return Err(unusable("PGPORT", "a port from 1 to 65535"));
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

    fn completed(url: &str, environment: &[(&str, &str)]) -> Result<Parameters> {
        let mut parameters = Parameters::read(url, super::super::parameters::PARAMETERS)?;
        let variable = |name: &str| {
            let found = environment.iter().find(|(own, _)| *own == name)?;
            Some(found.1.to_owned())
        };
        complete_from(variable, url, &mut parameters)?;
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
            ("postgres://[::1]/db", "PGPORT", "65536"),
        ] {
            let error = completed(url, &[(name, value)]).unwrap_err();
            assert!(error.message.contains(name), "{}", error.message);
            assert!(!error.message.contains(value), "{}", error.message);
        }
        assert!(completed("postgres://host:1/db", &[("PGPORT", "soon")]).is_ok());
        assert!(completed("postgres://host/db?port=1", &[("PGPORT", "soon")]).is_ok());
    }
}
