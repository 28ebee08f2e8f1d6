//! Connecting to PostgreSQL.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, Postgres};

use crate::config::ConnectionConfig;
use crate::database::url::{
    check_encoding, check_ssl_parameters, invalid_url, is_plain, with_host,
};
use crate::database::{Connect, Target};
use crate::error::Result;

/// The parameters of TLS that the driver supports.
const SSL_PARAMETERS: [&str; 8] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "ssl-mode",
    "ssl-root-cert",
    "ssl-cert",
    "ssl-key",
];

impl Connect for Postgres {
    const SCHEMES: &'static [&'static str] = &["postgres", "postgresql"];

    /// Reads the URL, and what it leaves open from the environment variables of PostgreSQL (`PGHOST`, `PGSSLMODE`, …).
    fn target(connection: &ConnectionConfig, max_connections: u32) -> Result<Target<Self>> {
        check_encoding(&connection.url, "PostgreSQL", "postgres")?;
        let mut options = PgConnectOptions::from_str(&with_host(&connection.url))
            .map_err(|error| invalid_url("PostgreSQL", &error))?
            // No number with a fraction is read as text, and poolers reject the parameter.
            .extra_float_digits(None)
            .disable_statement_logging();
        check_ssl_parameters(&connection.url, &SSL_PARAMETERS)?;
        let has_mode = std::env::var_os("PGSSLMODE").is_some();
        if !has_mode && is_plain(&connection.url, options.get_host()) {
            options = options.ssl_mode(PgSslMode::Disable);
        }
        if !connection.prepared_statements {
            options = options.statement_cache_capacity(0);
        }
        Ok(Target::of_server(
            options.get_database().unwrap_or(options.get_username()),
            (options.get_host(), options.get_port()),
            options.get_socket(),
            max_connections,
            &connection.url,
            options.clone(),
        ))
    }
}
