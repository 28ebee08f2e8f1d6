//! Errors of MySQL and MariaDB, by number: <https://mariadb.com/kb/en/mariadb-error-code-reference/>.

use sqlx::MySql;
use sqlx::mysql::MySqlDatabaseError;

use super::write::LARGEST;
use crate::database::Errors;
use crate::database::error::{accepts_only_reads, driver_error, hide_message};
use crate::error::{ErrorKind, Remedy, StoreError};

impl Errors for MySql {
    fn meets_another_row(error: &sqlx::Error) -> bool {
        // Value out of range in an expression.
        let overflow = number(error) == Some(1690);
        overflow && error.to_string().contains(&LARGEST.to_string())
    }

    fn error(error: sqlx::Error) -> StoreError {
        if let Some(plugin) = unknown_plugin(&error) {
            let message = format!(
                "the account uses the authentication plugin `{plugin}`, which the store does not support; supported: \
                 caching_sha2_password, mysql_native_password, sha256_password. Give it another one, on MariaDB by `ALTER USER … \
                 IDENTIFIED VIA mysql_native_password USING PASSWORD('…')`, or use another account"
            );
            return StoreError::new(ErrorKind::Connection, message).with_remedy(Remedy::Discard);
        }
        let mut failed = driver_error(&error);
        let Some(number) = number(&error) else {
            return failed;
        };
        if let Some(cause) = &mut failed.cause {
            // SIGNAL, by its usual state or without a number of its own.
            let signaled = number == 1644 || cause.code.as_deref() == Some("45000");
            cause.code = Some(number.to_string());
            if signaled {
                hide_message(&mut failed);
            }
        }
        let (kind, remedy) = match number {
            // Lock wait timeout, deadlock, record changed since last read, conflict with another member at the commit.
            1205 | 1213 | 1020 | 3101 => (ErrorKind::Timeout, Remedy::Retry),
            1180 if failed.message.contains("error 149") => (ErrorKind::Timeout, Remedy::Retry),
            // Read-only server, transaction or storage engine; a commit that the group refuses.
            1290 if is_read_only(&failed.message) => accepts_only_reads(&mut failed),
            1792 | 1836 | 1180 | 3100 => accepts_only_reads(&mut failed),
            // A member that is not part of its cluster at the moment.
            1047 if failed.message.contains("WSREP") => (ErrorKind::Connection, Remedy::Leave),
            3796..=3799 => (ErrorKind::Connection, Remedy::Leave),
            // Prepared statement that needs to be prepared again, after the table was altered.
            1615 => (ErrorKind::Database, Remedy::Retry),
            // No such table, no such column, no such database; no right to the table.
            1146 | 1054 | 1049 | 1142 | 1143 => (ErrorKind::Table, Remedy::None),
            // Shutdown, killed, lost, offline; too many connections; the network between a proxy and its server.
            1040
            | 1053
            | 1158..=1161
            | 1203
            | 1226
            | 1927
            | 2002
            | 2003
            | 2006
            | 2013
            | 2055
            | 3032
            | 3168
            | 4031
            | 9001
            | 9002 => (ErrorKind::Connection, Remedy::Reconnect),
            // Access denied.
            1044 | 1045 | 1698 => (ErrorKind::Connection, Remedy::Discard),
            // Text that the character set of a column cannot hold.
            1977 | 3854 | 3988 => {
                failed.message = format!(
                    "{}; a text has characters that the character set of its column lacks: give the column the character \
                     set utf8mb4",
                    failed.message
                );
                (ErrorKind::Database, Remedy::Isolate)
            }
            // Statement took longer than it may.
            1969 | 3024 => (ErrorKind::Timeout, Remedy::None),
            // Table or disk full.
            1021 | 1114 => (ErrorKind::Database, Remedy::None),
            _ => (ErrorKind::Database, Remedy::Isolate),
        };
        StoreError {
            kind,
            remedy,
            ..failed
        }
    }
}

/// Whether the option that a statement is at odds with makes the server read-only: `--read-only`, `--super-read-only`.
fn is_read_only(message: &str) -> bool {
    message.replace('_', "-").contains("read-only")
}

/// The server's number of an error.
pub fn number(error: &sqlx::Error) -> Option<u16> {
    error
        .as_database_error()?
        .try_downcast_ref::<MySqlDatabaseError>()
        .map(MySqlDatabaseError::number)
}

/// The plugin that an account uses, if the driver does not know it, such as MariaDB's `client_ed25519`.
fn unknown_plugin(error: &sqlx::Error) -> Option<&str> {
    let sqlx::Error::Protocol(reason) = error else {
        return None;
    };
    let plugin = reason.strip_prefix("unknown authentication plugin: ")?;
    // The driver adds the place in its sources.
    plugin.split(' ').next()
}
