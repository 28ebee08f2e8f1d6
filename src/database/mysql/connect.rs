//! Connecting to MySQL and MariaDB.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::mysql::{
    MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlRow, MySqlSslMode,
};
use sqlx::{ConnectOptions, Executor, MySql, Row};

use super::error::number;
use super::parameters::PARAMETERS;
use crate::config::{Config, ConnectionConfig};
use crate::database::address::{Address, is_local, take_addresses};
use crate::database::parameters::Parameters;
use crate::database::tls::{Material, Tls, TlsMode};
use crate::database::url::{check_encoding, invalid_url};
use crate::database::{Access, Connect, Host, Settings, Target, rendered};
use crate::error::{Result, StoreError};

/// Without strict mode, the server would cut off a session that is too long. It may also be set to commit nothing by
/// itself, or to reject statements that change every row.
const SESSION_SETTINGS: &str = "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), \
     SESSION autocommit = 1, SESSION sql_safe_updates = 0";

/// On Galera: a statement of any kind waits until the member has applied what the cluster has committed.
const GALERA_READS: &str = ", SESSION wsrep_sync_wait = 7";

/// The same in a replication group.
const GROUP_READS: &str = ", SESSION group_replication_consistency = 'BEFORE'";

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

/// Where servers usually listen.
const PORT: u16 = 3306;

/// The number of the error that there is no connection with an id.
const NO_SUCH_THREAD: u16 = 1094;

/// What the settings of a connection depend on, and what a server accepts. No server has all of these variables.
const VARIABLES: &str = "SHOW VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format', 'wsrep_on', \
     'group_replication_single_primary_mode', 'read_only', 'super_read_only', 'innodb_read_only', 'transaction_read_only', \
     'tx_read_only')";

/// Whether a member of a Galera cluster takes part in it.
const GALERA_READY: &str = "SHOW STATUS LIKE 'wsrep_ready'";

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
        let (url, addresses) = take_addresses(&connection.url, "MySQL")?;
        let Parameters { url, tls, .. } = Parameters::read(&url, PARAMETERS)?;
        let mut options = MySqlConnectOptions::from_str(&url)
            .map_err(|error| invalid_url("MySQL", &error))?
            // Everything is written in UTC and in full Unicode, whatever the URL says.
            .timezone(Some("+00:00".to_owned()))
            .charset("utf8mb4")
            // Leave the server's modes alone, but for those in `SESSION_SETTINGS`.
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .disable_statement_logging();
        if !connection.prepared_statements {
            options = options.statement_cache_capacity(0);
        }
        let Some(database) = options.get_database().map(str::to_owned) else {
            return Err(StoreError::options(
                "the MySQL URL names no database; expected a URL such as `mysql://user:password@host/database`",
            ));
        };
        let host = |options: MySqlConnectOptions| {
            let options = with_tls(options, &tls);
            let address = (options.get_host(), options.get_port());
            Host::server(address, options.get_socket(), options.clone())
        };
        let hosts = match addresses.as_slice() {
            // The driver knows where the server usually is.
            [] => vec![host(options)],
            several => {
                let at = |Address { host, port }: &Address| {
                    options.clone().host(host).port(port.unwrap_or(PORT))
                };
                several.iter().map(at).map(host).collect()
            }
        };
        Ok(Target::of_servers(
            &database,
            hosts,
            max_connections,
            tls.files(),
        ))
    }

    fn apply_parameters(config: &mut Config) -> Result<()> {
        Parameters::read(&config.connection.url, PARAMETERS)?.apply(config);
        Ok(())
    }

    async fn set_up(connection: &mut MySqlConnection, settings: &Settings) -> sqlx::Result<()> {
        let variables = variables(connection).await?;
        let mut all = SESSION_SETTINGS.to_owned();
        if settings.causal_reads && variables.is("wsrep_on", "ON") {
            all.push_str(GALERA_READS);
        }
        if settings.causal_reads && variables.is("group_replication_single_primary_mode", "OFF") {
            all.push_str(GROUP_READS);
        }
        connection.execute(rendered(all)).await?;
        let lock_waits = rendered(lock_waits(settings.query_timeout));
        // Servers of another storage engine may lack them.
        _ = connection.execute(lock_waits).await;
        // A binary log of statements allows no other level than the default.
        let fixed = variables.is("log_bin", "ON") && variables.is("binlog_format", "STATEMENT");
        if !fixed {
            connection.execute(READ_COMMITTED).await?;
        }
        Ok(())
    }

    async fn access(connection: &mut MySqlConnection) -> sqlx::Result<Access> {
        let variables = variables(connection).await?;
        if variables.is("wsrep_on", "ON") {
            let ready = sqlx::raw_sql(GALERA_READY)
                .fetch_optional(connection)
                .await?;
            let ready: Option<String> = ready.and_then(|row| row.try_get_unchecked(1).ok());
            if ready.is_some_and(|ready| ready != "ON") {
                return Ok(Access::Nothing);
            }
        }
        let read_only = [
            "read_only",
            "super_read_only",
            "innodb_read_only",
            "transaction_read_only",
            "tx_read_only",
        ];
        // MariaDB has several words for it.
        let writes = |name: &&str| variables.is(name, "OFF") || !variables.0.contains_key(*name);
        Ok(if read_only.iter().all(writes) {
            Access::All
        } else {
            Access::Reads
        })
    }
}

/// Whether an error is about the statement, and not about the server.
fn is_unknown(error: &dyn DatabaseError) -> bool {
    let number = error.try_downcast_ref::<MySqlDatabaseError>();
    let number = number.map(MySqlDatabaseError::number);
    matches!(number, Some(1064 | 1105 | 1193 | 1235))
}

/// Variables of the server by their names.
struct Variables(HashMap<String, String>);

impl Variables {
    fn is(&self, name: &str, value: &str) -> bool {
        self.0
            .get(name)
            .is_some_and(|own| own.eq_ignore_ascii_case(value))
    }
}

/// Asks for the variables. None on a server that does not know the question.
async fn variables(connection: &mut MySqlConnection) -> sqlx::Result<Variables> {
    let rows = match sqlx::raw_sql(VARIABLES).fetch_all(connection).await {
        Err(sqlx::Error::Database(error)) if is_unknown(error.as_ref()) => Vec::new(),
        rows => rows?,
    };
    let pair = |row: &MySqlRow| {
        let name: String = row.try_get_unchecked(0).ok()?;
        Some((name.to_ascii_lowercase(), row.try_get_unchecked(1).ok()?))
    };
    Ok(Variables(rows.iter().filter_map(pair).collect()))
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
