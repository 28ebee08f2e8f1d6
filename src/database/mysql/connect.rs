//! Connecting to MySQL and MariaDB.

use std::str::FromStr;

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::pool::PoolOptions;
use sqlx::{ConnectOptions, Executor, MySql};

use super::parameters::PARAMETERS;
use crate::config::{Config, ConnectionConfig};
use crate::database::address::{ipv6_host, is_local};
use crate::database::parameters::Parameters;
use crate::database::tls::{Material, Tls, TlsMode};
use crate::database::url::with_host;
use crate::database::{Connect, Target};
use crate::error::{Result, StoreError};

/// Without strict mode, the server would cut off a session that is too long. It may also be set to commit nothing by
/// itself, or to reject statements that change every row.
const SESSION_SETTINGS: &str = "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), \
     SESSION autocommit = 1, SESSION sql_safe_updates = 0";

/// At the default isolation level, a statement that the server plans as a scan would lock all gaps, and so new sessions,
/// until the commit.
const READ_COMMITTED: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// Whether the server has a binary log of statements, which allows no other level than the default.
const LOGS_STATEMENTS: &str = "SELECT @@log_bin = 1 AND @@binlog_format = 'STATEMENT'";

impl Connect for MySql {
    const SCHEMES: &'static [&'static str] = &["mysql", "mariadb"];

    fn target(connection: &ConnectionConfig, max_connections: u32) -> Result<Target<Self>> {
        let invalid = |error| StoreError::options(format!("invalid MySQL URL: {error}"));
        let Parameters { url, tls, .. } = Parameters::read(&connection.url, PARAMETERS)?;
        let mut options = MySqlConnectOptions::from_str(&with_host(&url))
            .map_err(invalid)?
            // Everything is written in UTC and in full Unicode, whatever the URL says.
            .timezone(Some("+00:00".to_owned()))
            .charset("utf8mb4")
            // Leave the server's modes alone, but for those in `SESSION_SETTINGS`.
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .disable_statement_logging();
        if let Some(host) = ipv6_host(&url) {
            options = options.host(host);
        }
        options = with_tls(options, &tls);
        if !connection.prepared_statements {
            options = options.statement_cache_capacity(0);
        }
        let Some(database) = options.get_database() else {
            return Err(StoreError::options(
                "the MySQL URL names no database; expected a URL such as `mysql://user:password@host/database`",
            ));
        };
        Ok(Target::of_server(
            database,
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

    fn on_connect(options: PoolOptions<Self>) -> PoolOptions<Self> {
        options.after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute(SESSION_SETTINGS).await?;
                let fixed: sqlx::Result<bool> = sqlx::query_scalar(LOGS_STATEMENTS)
                    .fetch_one(&mut *connection)
                    .await;
                if !fixed.unwrap_or(false) {
                    connection.execute(READ_COMMITTED).await?;
                }
                Ok(())
            })
        })
    }
}

/// Adds what the URL says of TLS. If it says nothing, a server on this machine is reached without.
fn with_tls(mut options: MySqlConnectOptions, tls: &Tls) -> MySqlConnectOptions {
    options = match tls.mode {
        Some(TlsMode::Disable) => options.ssl_mode(MySqlSslMode::Disabled),
        Some(TlsMode::Prefer) => options.ssl_mode(MySqlSslMode::Preferred),
        Some(TlsMode::Require) => options.ssl_mode(MySqlSslMode::Required),
        Some(TlsMode::VerifyCa) => options.ssl_mode(MySqlSslMode::VerifyCa),
        Some(TlsMode::VerifyFull) => options.ssl_mode(MySqlSslMode::VerifyIdentity),
        None if is_local(options.get_host()) => options.ssl_mode(MySqlSslMode::Disabled),
        None => options,
    };
    options = match &tls.authority {
        Some(Material::File { path, .. }) => options.ssl_ca(path),
        Some(Material::Pem(text)) => options.ssl_ca_from_pem(text.clone()),
        None => options,
    };
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
