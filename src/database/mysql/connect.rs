//! Connecting to MySQL and MariaDB.

use std::str::FromStr;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::pool::PoolOptions;
use sqlx::{ConnectOptions, Executor, MySql};

use super::error::number;
use super::parameters::PARAMETERS;
use crate::config::{Config, ConnectionConfig};
use crate::database::address::{ipv6_host, is_local};
use crate::database::parameters::Parameters;
use crate::database::tls::{Material, Tls, TlsMode};
use crate::database::url::{check_encoding, invalid_url, with_host};
use crate::database::{Connect, Target, rendered};
use crate::error::{Result, StoreError};

/// Without strict mode, the server would cut off a session that is too long. It may also be set to commit nothing by
/// itself, or to reject statements that change every row.
const SESSION_SETTINGS: &str = "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), \
     SESSION autocommit = 1, SESSION sql_safe_updates = 0";

/// At the default isolation level, a statement that the server plans as a scan would lock all gaps, and so new sessions,
/// until the commit.
const READ_COMMITTED: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// Waiting for locks of rows and of tables: as long as a statement may take, in whole seconds, unless it is less already.
fn lock_waits(query_timeout: Duration) -> String {
    let seconds = query_timeout.as_secs().max(1);
    format!(
        "SET SESSION innodb_lock_wait_timeout = LEAST(@@innodb_lock_wait_timeout, {seconds}), \
         SESSION lock_wait_timeout = LEAST(@@lock_wait_timeout, {seconds})"
    )
}

/// The number of the error that there is no connection with an id.
const NO_SUCH_THREAD: u16 = 1094;

/// Whether the server has a binary log of statements, which allows no other level than the default.
const LOGS_STATEMENTS: &str = "SELECT @@log_bin = 1 AND @@binlog_format = 'STATEMENT'";

/// The id of a connection, of which the id alone says too little: another server, or the same after a restart, has others
/// with the same ids.
const FIND_BACKEND: &str =
    "SELECT ID FROM information_schema.PROCESSLIST WHERE CONCAT_WS('/', ID, HOST) = ?";

impl Connect for MySql {
    const SCHEMES: &'static [&'static str] = &["mysql", "mariadb"];

    const BACKEND: Option<&'static str> = Some(
        "SELECT CONCAT_WS('/', ID, HOST) FROM information_schema.PROCESSLIST WHERE ID = CONNECTION_ID()",
    );

    async fn end_backend(connection: &mut MySqlConnection, backend: &str) -> sqlx::Result<bool> {
        let id: Option<u64> = sqlx::query_scalar(FIND_BACKEND)
            .bind(backend)
            .fetch_optional(&mut *connection)
            .await?;
        let Some(id) = id else {
            return Ok(false);
        };
        match connection.execute(rendered(format!("KILL {id}"))).await {
            Ok(_) => Ok(true),
            Err(error) if number(&error) == Some(NO_SUCH_THREAD) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn target(connection: &ConnectionConfig, max_connections: u32) -> Result<Target<Self>> {
        check_encoding(&connection.url, "MySQL", "mysql")?;
        let Parameters { url, tls, .. } = Parameters::read(&connection.url, PARAMETERS)?;
        let mut options = MySqlConnectOptions::from_str(&with_host(&url))
            .map_err(|error| invalid_url("MySQL", &error))?
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

    fn on_connect(options: PoolOptions<Self>, query_timeout: Duration) -> PoolOptions<Self> {
        options.after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute(SESSION_SETTINGS).await?;
                let lock_waits = rendered(lock_waits(query_timeout));
                // Servers of another storage engine may lack them.
                _ = connection.execute(lock_waits).await;
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
    if let Some(trust) = tls.trust() {
        options = options.ssl_ca_from_pem(trust);
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
