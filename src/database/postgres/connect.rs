//! Connecting to PostgreSQL.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Postgres, SqlSafeStr, SqlStr};

use crate::config::ConnectionConfig;
use crate::database::url::{
    check_encoding, check_ssl_parameters, invalid_url, is_plain, with_host,
};
use crate::database::{Connect, Target, rendered};
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

/// Ends a backend, of which a process id alone says too little: ids are used again.
const END_BACKEND: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
     WHERE concat_ws('/', pid, extract(epoch FROM backend_start)) = $1";

impl Connect for Postgres {
    const SCHEMES: &'static [&'static str] = &["postgres", "postgresql"];

    const BACKEND: Option<&'static str> = Some(
        "SELECT concat_ws('/', pid, extract(epoch FROM backend_start)) FROM pg_stat_activity \
         WHERE pid = pg_backend_pid()",
    );

    async fn end_backend(connection: &mut PgConnection, backend: &str) -> sqlx::Result<bool> {
        let there: i64 = sqlx::query_scalar(END_BACKEND)
            .bind(backend)
            .fetch_one(connection)
            .await?;
        Ok(there > 0)
    }

    fn begin(limit: Option<Duration>) -> SqlStr {
        match limit {
            Some(limit) => rendered(format!(
                "BEGIN; SET LOCAL statement_timeout = {}",
                limit.as_millis()
            )),
            None => "BEGIN".into_sql_str(),
        }
    }

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
