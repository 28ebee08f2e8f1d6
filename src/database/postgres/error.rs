//! Errors of PostgreSQL, by `SQLSTATE`: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.

use sqlx::Postgres;

use crate::database::Errors;
use crate::database::error::{accepts_only_reads, driver_error, hide_message};
use crate::error::{ErrorKind, Remedy, StoreError};

impl Errors for Postgres {
    fn error(error: sqlx::Error) -> StoreError {
        if is_saslprep(&error) {
            let message = "expected a user name and a password of characters that PostgreSQL accepts for password \
                 authentication (SASLprep, RFC 4013), got others; change the password";
            return StoreError::new(ErrorKind::Connection, message).with_remedy(Remedy::Discard);
        }
        let mut failed = driver_error(&error);
        let code = failed
            .cause
            .as_ref()
            .and_then(|cause| cause.code.as_deref());
        let Some(code) = code else {
            return failed;
        };
        let (kind, remedy) = match code {
            // Serialization failure, deadlock, lock not available.
            "40001" | "40P01" | "55P03" => (ErrorKind::Timeout, Remedy::Retry),
            // Another process created the table or the type at the same moment.
            "23505" if failed.message.contains("pg_") => (ErrorKind::Database, Remedy::Retry),
            "42P07" | "42710" => (ErrorKind::Database, Remedy::Retry),
            // A plan that no longer fits, because the table was altered.
            "0A000" if failed.message.contains("cached plan") => {
                (ErrorKind::Database, Remedy::Reconnect)
            }
            // PgBouncer's code for most of what it says itself.
            "08P01" if !is_about_statements(&failed.message) => {
                let remedy = if is_refusal(&failed.message) {
                    Remedy::Discard
                } else {
                    Remedy::Reconnect
                };
                (ErrorKind::Connection, remedy)
            }
            // pgpool has no other code.
            "XX000" if is_of_a_pooler(&failed.message) => {
                (ErrorKind::Connection, Remedy::Reconnect)
            }
            // Read-only transaction.
            "25006" => accepts_only_reads(&mut failed),
            // A prepared statement on another connection than the one that has it, or under the name of another client's.
            "26000" | "42P05" | "08P01" | "22P03" => {
                failed.message = format!(
                    "{}; if a pooler in transaction mode is used, set option `preparedStatements` to false",
                    failed.message
                );
                (ErrorKind::Database, Remedy::Discard)
            }
            // Types that no longer fit, because the table was altered: it has to be inspected again.
            "42804" | "42883" => (ErrorKind::Table, Remedy::Retry),
            "42P01" | "42703" | "3F000" | "42501" => (ErrorKind::Table, Remedy::None),
            // Shut down, crashed or starting up; session terminated by the administrator or for being idle.
            // Too many connections.
            "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "53300" => {
                (ErrorKind::Connection, Remedy::Reconnect)
            }
            // Canceled, usually by statement_timeout.
            "57014" => (ErrorKind::Timeout, Remedy::None),
            _ => match &code[..2] {
                // RAISE and ASSERT.
                "P0" => {
                    hide_message(&mut failed);
                    (ErrorKind::Database, Remedy::Isolate)
                }
                "08" => (ErrorKind::Connection, Remedy::Reconnect),
                // Wrong password, unknown database.
                "28" | "3D" => (ErrorKind::Connection, Remedy::Discard),
                // Out of a resource other than connections.
                "53" => (ErrorKind::Connection, Remedy::None),
                // Data, constraint, syntax or access.
                "22" | "23" | "42" => (ErrorKind::Database, Remedy::Isolate),
                _ => (ErrorKind::Database, Remedy::None),
            },
        };
        StoreError {
            kind,
            remedy,
            ..failed
        }
    }
}

/// Whether a violation of the protocol is one of prepared statements.
fn is_about_statements(message: &str) -> bool {
    ["prepared statement", "bind message", "portal"]
        .iter()
        .any(|sign| message.contains(sign))
}

/// Whether PgBouncer will say the same again: wrong password, unknown database, a setting that it does not allow.
fn is_refusal(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let signs = [
        "auth failed",
        "authentication failed",
        "no such",
        "ssl required",
        "config error",
        "unsupported",
        "not allowed",
        "invalid",
    ];
    signs.iter().any(|sign| message.contains(sign))
}

/// Whether pgpool or a hosted pooler has written a message: it has lost its server, or has no room.
fn is_of_a_pooler(message: &str) -> bool {
    let signs = [
        "pgpool",
        "DB node",
        "backend",
        "failover",
        "frontend",
        "max client",
    ];
    signs.iter().any(|sign| message.contains(sign))
}

/// Whether the password has characters that SASLprep prohibits. The driver's message shows them, so it must not be used.
fn is_saslprep(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Configuration(reason) if reason.to_string().contains("saslprep"))
}
