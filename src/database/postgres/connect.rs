//! Connecting to PostgreSQL.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Postgres, SqlSafeStr, SqlStr};

use super::environment;
use super::parameters::PARAMETERS;
use crate::config::{Config, ConnectionConfig};
use crate::database::address::{ipv6_host, is_local};
use crate::database::parameters::Parameters;
use crate::database::tls::{Material, Tls, TlsMode};
use crate::database::url::{check_encoding, invalid_url, with_host};
use crate::database::{Connect, Target, rendered};
use crate::error::Result;

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
        let mut parameters = Parameters::read(&connection.url, PARAMETERS)?;
        environment::complete(&connection.url, &mut parameters)?;
        // The driver takes the brackets for a part of the address; as a parameter, it has none.
        if let Some(host) = ipv6_host(&connection.url).map(str::to_owned) {
            parameters.add("host", &host);
        }
        let Parameters { url, tls, .. } = parameters;
        let mut options = PgConnectOptions::from_str(&with_host(&url))
            .map_err(|error| invalid_url("PostgreSQL", &error))?
            // No number with a fraction is read as text, and poolers reject the parameter.
            .extra_float_digits(None)
            .disable_statement_logging();
        options = with_tls(options, &tls);
        if !connection.prepared_statements {
            options = options.statement_cache_capacity(0);
        }
        Ok(Target::of_server(
            options.get_database().unwrap_or(options.get_username()),
            (options.get_host(), options.get_port()),
            options.get_socket(),
            max_connections,
            tls.files(),
            options.clone(),
        ))
    }

    fn apply_parameters(config: &mut Config) -> Result<()> {
        Parameters::read(&config.connection.url, PARAMETERS)?.apply(config);
        Ok(())
    }
}

/// Adds what the URL or the environment says of TLS. If they say nothing, a server on this machine is reached without.
fn with_tls(mut options: PgConnectOptions, tls: &Tls) -> PgConnectOptions {
    // As with libpq, sockets are never encrypted.
    let on_socket = options.get_socket().is_some() || options.get_host().starts_with('/');
    let mode = match tls.mode {
        _ if on_socket => PgSslMode::Disable,
        Some(TlsMode::Disable) => PgSslMode::Disable,
        Some(TlsMode::Require) => PgSslMode::Require,
        Some(TlsMode::VerifyCa) => PgSslMode::VerifyCa,
        Some(TlsMode::VerifyFull) => PgSslMode::VerifyFull,
        None if is_local(options.get_host()) => PgSslMode::Disable,
        Some(TlsMode::Prefer) | None => PgSslMode::Prefer,
    };
    options = options.ssl_mode(mode);
    if let Some(trust) = tls.trust() {
        options = options.ssl_root_cert_from_pem(trust);
    }
    options = match &tls.certificate {
        Some(Material::File { path, .. }) => options.ssl_client_cert(path),
        Some(Material::Pem(text)) => options.ssl_client_cert_from_pem(text),
        None => options,
    };
    match &tls.key {
        Some(Material::File { path, .. }) => options.ssl_client_key(path),
        Some(Material::Pem(text)) => options.ssl_client_key_from_pem(text),
        None => options,
    }
}
