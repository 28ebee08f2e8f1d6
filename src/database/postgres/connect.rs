//! Connecting to PostgreSQL.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Postgres, Row, SqlSafeStr, SqlStr};

use super::environment;
use super::parameters::PARAMETERS;
use crate::config::{Config, ConnectionConfig};
use crate::database::address::{Address, is_local, take_addresses};
use crate::database::parameters::{Parameters, add_parameter};
use crate::database::tls::{Material, Tls, TlsMode};
use crate::database::url::{check_encoding, invalid_url};
use crate::database::{Access, Connect, Host, Target, rendered};
use crate::error::Result;
use crate::pause::random;

/// What a session on a standby, or by a setting, does not accept.
const ACCEPTS_WRITES: &str = "SELECT CASE WHEN pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' \
     THEN 'no' ELSE 'yes' END";

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
        let (url, in_url) = take_addresses(&connection.url, "PostgreSQL")?;
        let mut parameters = Parameters::read(&url, PARAMETERS)?;
        environment::complete(&in_url, &mut parameters)?;
        let Parameters {
            url, servers, tls, ..
        } = parameters;
        let addresses = servers.addresses(in_url)?;
        let urls = match addresses.as_slice() {
            // The driver knows where the server usually is.
            [] => vec![url],
            several => several.iter().map(|one| at_address(&url, one)).collect(),
        };
        let mut all = Vec::new();
        for url in urls {
            let mut options = PgConnectOptions::from_str(&url)
                .map_err(|error| invalid_url("PostgreSQL", &error))?
                // No number with a fraction is read as text, and poolers reject the parameter.
                .extra_float_digits(None)
                .disable_statement_logging();
            options = with_tls(options, &tls);
            if !connection.prepared_statements {
                options = options.statement_cache_capacity(0);
            }
            all.push(options);
        }
        let name = all[0]
            .get_database()
            .unwrap_or(all[0].get_username())
            .to_owned();
        let host = |options: PgConnectOptions| {
            let address = (options.get_host(), options.get_port());
            Host::server(address, options.get_socket(), options.clone())
        };
        let hosts = shuffled(all.into_iter().map(host).collect(), servers.shuffled);
        let mut target = Target::of_servers(&name, hosts, max_connections, tls.files());
        target.only_writable = servers.only_writable.unwrap_or(false);
        Ok(target)
    }

    async fn access(connection: &mut PgConnection) -> sqlx::Result<Access> {
        let row = sqlx::raw_sql(ACCEPTS_WRITES).fetch_one(connection).await?;
        // A text in any protocol.
        let writes: String = row.try_get_unchecked(0)?;
        Ok(if writes == "yes" {
            Access::All
        } else {
            Access::Reads
        })
    }

    fn apply_parameters(config: &mut Config) -> Result<()> {
        Parameters::read(&config.connection.url, PARAMETERS)?.apply(config);
        Ok(())
    }
}

/// The URL with the address as parameters, where an IPv6 address has no brackets and the folder of a socket is a path. The
/// driver needs it to find the password in a file.
fn at_address(url: &str, address: &Address) -> String {
    let mut url = url.to_owned();
    add_parameter(&mut url, "host", &address.host);
    if let Some(port) = address.port {
        add_parameter(&mut url, "port", &port.to_string());
    }
    url
}

/// The servers in their order, or beginning with any of them.
fn shuffled<T>(mut hosts: Vec<T>, shuffle: Option<bool>) -> Vec<T> {
    if shuffle == Some(true) {
        let count = hosts.len() as u64;
        let first = usize::try_from(random() % count).unwrap_or_default();
        hosts.rotate_left(first);
    }
    hosts
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
