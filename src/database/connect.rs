//! How to reach a database.

use std::path::PathBuf;
use std::time::Duration;

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

    /// Runs the statements that a new connection has to run first.
    fn set_up(
        _connection: &mut Self::Connection,
        _settings: &Settings,
    ) -> impl Future<Output = sqlx::Result<()>> + Send {
        std::future::ready(Ok(()))
    }

    /// Asks the server what it accepts at the moment.
    fn access(
        _connection: &mut Self::Connection,
    ) -> impl Future<Output = sqlx::Result<Access>> + Send {
        std::future::ready(Ok(Access::All))
    }
}

/// What a server accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    All,
    /// Only reads: it is a standby, or set to read-only.
    Reads,
    /// No statement on tables: it does not belong to its cluster at the moment.
    Nothing,
}

/// What the settings of a connection depend on.
#[derive(Debug, Clone)]
pub struct Settings {
    /// No statement waits for locks for longer, if that can be set.
    pub query_timeout: Duration,
    /// Reads wait for the writes of other members of a cluster.
    pub causal_reads: bool,
}

/// Where a database is, and how many lanes suit it.
pub struct Target<DB: sqlx::Database> {
    /// The servers that may have it, at least one. All connections lead to the same one.
    pub hosts: Vec<Host<DB>>,
    /// Only servers that accept writes are used, even for reads.
    pub only_writable: bool,
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

/// One server, or a file.
pub struct Host<DB: sqlx::Database> {
    pub options: <DB::Connection as sqlx::Connection>::Options,
    /// Its address, for messages.
    pub name: String,
}

impl<DB: sqlx::Database> Host<DB> {
    /// A server that is reached by TCP or by a socket of this machine.
    pub fn server(
        (host, port): (&str, u16),
        socket: Option<&PathBuf>,
        options: <DB::Connection as sqlx::Connection>::Options,
    ) -> Self {
        tcp::install();
        tls::install_verifier();
        let name = match socket {
            Some(path) => path.display().to_string(),
            None if host.contains(':') => format!("[{host}]:{port}"),
            None => format!("{host}:{port}"),
        };
        Self { options, name }
    }
}

impl<DB: sqlx::Database> Target<DB> {
    /// A database on one of several servers.
    pub fn of_servers(
        database: &str,
        hosts: Vec<Host<DB>>,
        max_connections: u32,
        files: Vec<(String, PathBuf)>,
    ) -> Self {
        let places: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
        Self {
            name: format!(
                "the {} database `{database}` at {}",
                DB::NAME,
                places.join(", ")
            ),
            hosts,
            only_writable: false,
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
