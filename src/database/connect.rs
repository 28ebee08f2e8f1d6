//! How to reach a database.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::pool::PoolOptions;
use sqlx::{SqlSafeStr, SqlStr};

use crate::config::{Config, ConnectionConfig, Lanes};
use crate::error::Result;

use super::{tcp, tls};

/// Connecting to one database.
pub trait Connect: sqlx::Database {
    /// The schemes of its URLs; the first is the usual one.
    const SCHEMES: &'static [&'static str];

    /// Reads a database URL.
    ///
    /// # Errors
    /// `ERR_SESSION_OPTIONS`, naming the part of the URL that cannot be used.
    fn target(connection: &ConnectionConfig, max_connections: u32) -> Result<Target<Self>>;

    /// Statements run in this process: they end when their connection has been closed.
    const RUNS_HERE: bool = false;

    /// Asks the server for a text that names the connection among all that it ever has, one row. `None` if another
    /// connection cannot end it.
    const BACKEND: Option<&'static str> = None;

    /// Ends the connection that has this name. Returns whether it is still there, since it takes a moment.
    fn end_backend(
        _connection: &mut Self::Connection,
        _backend: &str,
    ) -> impl Future<Output = sqlx::Result<bool>> + Send {
        std::future::ready(Ok(false))
    }

    /// Begins a transaction whose statements the server ends after `limit`, if it can be told so.
    fn begin(_limit: Option<Duration>) -> SqlStr {
        "BEGIN".into_sql_str()
    }

    /// Puts into the settings of a store what the parameters of its URL say of them.
    ///
    /// # Errors
    /// `ERR_SESSION_OPTIONS`, naming the parameter that cannot be used.
    fn apply_parameters(_config: &mut Config) -> Result<()> {
        Ok(())
    }

    /// Adds to a pool the statements that a new connection has to run first. They let no statement wait for locks for
    /// longer than `query_timeout`, if that can be set.
    fn on_connect(options: PoolOptions<Self>, _query_timeout: Duration) -> PoolOptions<Self> {
        options
    }
}

/// Where a database is, and how many lanes suit it.
pub struct Target<DB: sqlx::Database> {
    pub options: <DB::Connection as sqlx::Connection>::Options,
    /// For messages; holds no password.
    pub name: String,
    pub lanes: Lanes,
    /// Runs before a connection is opened or taken from the pool.
    pub prepare: Box<dyn Fn() + Send + Sync>,
    /// The database lives as long as its one connection.
    pub in_memory: bool,
    /// Looks for a reason why connecting failed that the driver's message does not give.
    pub explain: fn(&Self) -> Option<String>,
    /// The files that the URL names, each with its parameter.
    pub files: Vec<(String, PathBuf)>,
}

impl<DB: sqlx::Database> Target<DB> {
    /// A database on a server, which is reached by TCP or by a socket of this machine.
    pub fn of_server(
        database: &str,
        (host, port): (&str, u16),
        socket: Option<&PathBuf>,
        max_connections: u32,
        files: Vec<(String, PathBuf)>,
        options: <DB::Connection as sqlx::Connection>::Options,
    ) -> Self {
        tcp::install();
        tls::install_verifier();
        let place = match socket {
            Some(path) => path.display().to_string(),
            None if host.contains(':') => format!("[{host}]:{port}"),
            None => format!("{host}:{port}"),
        };
        Self {
            name: format!("the {} database `{database}` at {place}", DB::NAME),
            options,
            lanes: Lanes::of_server(max_connections),
            prepare: Box::new(|| ()),
            in_memory: false,
            explain: missing_file,
            files,
        }
    }
}

fn missing_file<DB: sqlx::Database>(target: &Target<DB>) -> Option<String> {
    let (parameter, path) = target.files.iter().find(|(_, path)| !path.exists())?;
    Some(format!(
        "the file `{}` does not exist; correct the parameter `{parameter}` of the URL",
        path.display()
    ))
}
