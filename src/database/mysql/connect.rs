//! Connecting to MySQL and MariaDB.

use std::str::FromStr;

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::pool::PoolOptions;
use sqlx::{ConnectOptions, Executor, MySql};

use crate::config::ConnectionConfig;
use crate::database::url::{
    check_encoding, check_ssl_parameters, invalid_url, is_plain, with_host,
};
use crate::database::{Connect, Target};
use crate::error::{Result, StoreError};

/// The parameters of TLS that the driver supports.
const SSL_PARAMETERS: [&str; 8] = [
    "sslmode", "sslca", "sslcert", "sslkey", "ssl-mode", "ssl-ca", "ssl-cert", "ssl-key",
];

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
        check_encoding(&connection.url, "MySQL", "mysql")?;
        check_ssl_parameters(&connection.url, &SSL_PARAMETERS)?;
        let mut options = MySqlConnectOptions::from_str(&with_host(&connection.url))
            .map_err(|error| invalid_url("MySQL", &error))?
            // Everything is written in UTC and in full Unicode, whatever the URL says.
            .timezone(Some("+00:00".to_owned()))
            .charset("utf8mb4")
            // Leave the server's modes alone, but for those in `SESSION_SETTINGS`.
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .disable_statement_logging();
        if is_plain(&connection.url, options.get_host()) {
            options = options.ssl_mode(MySqlSslMode::Disabled);
        }
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
            &connection.url,
            options.clone(),
        ))
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
