//! Connecting to SQLite.

use std::str::FromStr;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Executor, Sqlite, SqliteConnection};

use super::file_locks::share_files_safely;
use super::new_file;
use crate::config::{ConnectionConfig, Lanes};
use crate::database::parameters::shown;
use crate::database::url::invalid_url;
use crate::database::{Connect, Host, Settings, Target, rendered};
use crate::error::{Result, StoreError};

/// Pages in the write-ahead log before they are copied into the database: 32 MB with pages of 4 KB. SQLite's own default
/// is 1000. Sessions are written over and over, and a page is copied once however often it occurs in the log: measured
/// over 10,000 sessions, 77,000 instead of 43,000 writes per second. Durability is the same.
const WAL_PAGES: u32 = 8000;

/// Page cache of a connection in KiB: enough for the upper pages of both trees of a million sessions, and half of what
/// better-sqlite3 uses. SQLite's own default is 2000. Measured: 8 % more gets per second with 10,000 sessions, 15 % with
/// a million.
const CACHE_KIB: u32 = 8000;

impl Connect for Sqlite {
    const SCHEMES: &'static [&'static str] = &["sqlite"];
    const RUNS_HERE: bool = true;

    /// A statement that waits for a lock cannot be ended by others. It gives up by itself before its time is over, so that
    /// it is known what became of it.
    async fn set_up(connection: &mut SqliteConnection, settings: &Settings) -> sqlx::Result<()> {
        let busy_timeout: i64 = sqlx::query_scalar("PRAGMA busy_timeout")
            .persistent(false)
            .fetch_one(&mut *connection)
            .await?;
        let most = settings.query_timeout.as_millis() * 3 / 4;
        if u128::from(busy_timeout.unsigned_abs()) > most {
            let lower = rendered(format!("PRAGMA busy_timeout = {most}"));
            connection.execute(lower).await?;
        }
        Ok(())
    }

    /// Reads the URL. Also replaces SQLite's locks in this process, which has to happen before a file is opened.
    fn target(connection: &ConnectionConfig, max_connections: u32) -> Result<Target<Self>> {
        // Where they cannot be replaced, a file that nothing else in this process opens is still safe.
        if !share_files_safely() && connection.shared_file {
            return Err(StoreError::options(
                "expected a database file that no other copy of SQLite in this process has open, got the file of the \
                 Sequelize instance, which would be damaged on this system; use a separate file for the sessions, such as \
                 `db: 'sqlite:./sessions.sqlite'`",
            ));
        }
        let (options, place) = connect_options(&connection.url)?;
        let in_memory = place == Place::Memory;
        // One connection writes, one is for calls on the whole table, the others read.
        let (readers, table) = match max_connections {
            _ if in_memory => (0, false),
            0 | 1 => (0, false),
            2 => (1, false),
            more => (more as usize - 2, true),
        };
        let lanes = Lanes {
            readers,
            writers: 1,
            table,
            prune_as_writer: true,
        };
        let name = if in_memory {
            "an SQLite database in memory".to_owned()
        } else {
            format!("the SQLite file `{}`", options.get_filename().display())
        };
        Ok(Target {
            lanes,
            prepare: match place {
                Place::NewFile => {
                    let (path, mode) = (options.get_filename().to_owned(), connection.file_mode);
                    Box::new(move || new_file::create(&path, mode))
                }
                Place::Memory | Place::File => Box::new(|| ()),
            },
            hosts: vec![Host {
                name: name.clone(),
                options,
            }],
            only_writable: false,
            name,
            in_memory,
            explain,
            files: Vec::new(),
        })
    }
}

/// Where the database is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Memory,
    /// A file that has to exist.
    File,
    /// A file that is created if it is missing.
    NewFile,
}

/// Reads `sqlite:` URLs: the parameters of sqlx, and three that set pragmas of the connection.
fn connect_options(url: &str) -> Result<(SqliteConnectOptions, Place)> {
    let (location, query) = url.split_once('?').unwrap_or((url, ""));
    if names_user(url) {
        return Err(StoreError::options(
            "expected an SQLite URL such as `sqlite:./sessions.sqlite`, got one with a user and a host",
        ));
    }
    let mut journal_mode = Some(SqliteJournalMode::Wal);
    let mut synchronous = None;
    let mut busy_timeout = Duration::from_secs(5);
    let mut others = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match key {
            // The file keeps its mode, since it belongs to another program.
            "journal_mode" if value == "keep" => journal_mode = None,
            "journal_mode" => journal_mode = Some(parameter(key, value)?),
            "synchronous" => synchronous = Some(parameter(key, value)?),
            "busy_timeout" => busy_timeout = Duration::from_millis(parameter(key, value)?),
            "mode" | "cache" | "immutable" | "vfs" => others.push(pair),
            _ => {
                return Err(StoreError::options(format!(
                    "unknown parameter {} in the SQLite URL; supported: mode, cache, immutable, vfs, journal_mode, \
                     synchronous, busy_timeout",
                    shown(key)
                )));
            }
        }
    }
    let has_mode = others.iter().any(|pair| pair.starts_with("mode="));
    let read_only = others.contains(&"mode=ro") || others.contains(&"immutable=true");
    let url = format!("{location}?{}", others.join("&"));
    let options = SqliteConnectOptions::from_str(url.trim_end_matches('?'))
        .map_err(|error| invalid_url("SQLite", &error))?;
    // As the driver reads it: another name that ends like this is that of a file.
    let path = location.split_once(':').map_or("", |(_, path)| path);
    let path = path.strip_prefix("//").unwrap_or(path);
    let in_memory = others.contains(&"mode=memory") || path == ":memory:";
    if options.get_filename().as_os_str().is_empty() && !in_memory {
        return Err(StoreError::options(
            "the SQLite URL names no file; expected a URL such as `sqlite:./sessions.sqlite` or `sqlite::memory:`",
        ));
    }
    // Without a log, a crash of the machine could damage a file that is not fully synchronized.
    let wal = journal_mode == Some(SqliteJournalMode::Wal);
    let safe = if wal {
        SqliteSynchronous::Normal
    } else {
        SqliteSynchronous::Full
    };
    let mut options = options
        .busy_timeout(busy_timeout)
        .synchronous(synchronous.unwrap_or(safe))
        // A negative number is in KiB instead of pages.
        .pragma("cache_size", format!("-{CACHE_KIB}"))
        .disable_statement_logging();
    if !has_mode {
        options = options.create_if_missing(true);
    }
    if let (Some(journal_mode), false, false) = (journal_mode, in_memory, read_only) {
        options = options
            .journal_mode(journal_mode)
            .pragma("wal_autocheckpoint", WAL_PAGES.to_string());
    }
    if !in_memory {
        // Resolved now: the process may change its working directory before the first connection.
        let path = std::path::absolute(options.get_filename())
            .map_err(|error| StoreError::options(format!("invalid SQLite URL: {error}")))?;
        options = options.filename(path);
    }
    let place = if in_memory {
        Place::Memory
    } else if !has_mode || others.contains(&"mode=rwc") {
        Place::NewFile
    } else {
        Place::File
    };
    Ok((options, place))
}

fn parameter<T: FromStr>(key: &str, value: &str) -> Result<T> {
    value.parse().map_err(|_| {
        StoreError::options(format!(
            "invalid SQLite URL: parameter `{key}` has a value that SQLite does not have"
        ))
    })
}

/// Whether this is the URL of a server with another scheme. Its password would be shown as part of the name of a file.
fn names_user(url: &str) -> bool {
    let path = url.split_once(':').map_or("", |(_, path)| path);
    let path = path.strip_prefix("//").unwrap_or(path);
    let first = path.split(['/', '?']).next().unwrap_or_default();
    // One letter is a drive of Windows.
    first
        .find(':')
        .is_some_and(|colon| colon > 1 && path[colon..].contains('@'))
}

/// What the file system says about a file that could not be opened.
fn explain(target: &Target<Sqlite>) -> Option<String> {
    let path = target.hosts[0].options.get_filename();
    let folder = path.parent()?;
    if !folder.exists() {
        return Some(format!(
            "the folder `{}` does not exist; create it first",
            folder.display()
        ));
    }
    path.is_dir()
        .then(|| "expected a file, got a folder".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn urls_say_where_and_how() {
        let target = |url: &str| {
            let connection = ConnectionConfig {
                url: url.into(),
                prepared_statements: true,
                shared_file: false,
                causal_reads: true,
                file_mode: 0o600,
            };
            Sqlite::target(&connection, 4)
        };
        let file = target("sqlite:./a.db?busy_timeout=7&synchronous=FULL").unwrap();
        assert!(file.hosts[0].options.get_filename().is_absolute());
        assert_eq!(file.lanes.readers, 2);
        assert!(target("sqlite::memory:").unwrap().in_memory);
        assert_eq!(target("sqlite::memory:").unwrap().lanes.readers, 0);
        assert!(target("sqlite://:memory:").unwrap().in_memory);
        assert!(!target("sqlite:a:memory:").unwrap().in_memory);
        for (url, named) in [
            ("sqlite:a.db?color=red", "color"),
            ("sqlite:a.db?journal_mode=LOUD", "journal_mode"),
            ("sqlite:a.db?busy_timeout=soon", "busy_timeout"),
            ("sqlite:", "names no file"),
            ("sqlite://shop:hidden@host/shop", "a user and a host"),
            ("sqlite:shop:hid/den@host/shop", "a user and a host"),
            ("sqlite://shop:a?hidden@host/shop", "a user and a host"),
        ] {
            let error = target(url).err().unwrap();
            assert_eq!(error.kind, ErrorKind::Options);
            assert!(error.message.contains(named), "{}", error.message);
        }
    }
}
