//! What errors mean: the parts that are the same for every driver.

use std::io;

use sqlx::error::DatabaseError;

use crate::error::{Cause, ErrorKind, Remedy, StoreError};

use super::Target;
use super::tls::tls_fault;
use super::values::without_values;

/// Errors of one driver.
pub trait Errors: sqlx::Database {
    /// The store's error for a driver's error.
    fn error(error: sqlx::Error) -> StoreError;

    /// Whether an upsert failed because it met the row of another session, which the database's message does not say.
    fn meets_another_row(_error: &sqlx::Error) -> bool {
        false
    }

    /// Why a connection could not be opened. What may pass by itself has the remedy [`Remedy::Reconnect`].
    fn connect_error(error: sqlx::Error, target: &Target<Self>) -> StoreError {
        let network = match (tls_fault(&error), &error) {
            (Some((code, reason)), _) => Some((code, reason, false)),
            (None, sqlx::Error::Io(io)) => Some((io_code(io), io_reason(io), io_passes(io))),
            (None, _) => None,
        };
        let said = error.as_database_error().is_some();
        let mut failed = Self::error(error);
        if failed.remedy == Remedy::Retry {
            return failed;
        }
        let mut passes = said && matches!(failed.remedy, Remedy::Reconnect | Remedy::Leave);
        if let Some((code, reason, network_passes)) = network {
            passes = network_passes;
            failed.message = reason;
            failed.cause = Some(Cause {
                code: code.map(str::to_owned),
                message: failed.message.clone(),
            });
        }
        if let Some(reason) = (target.explain)(target) {
            passes = false;
            failed.message = reason;
        }
        StoreError {
            kind: ErrorKind::Connection,
            remedy: if passes {
                Remedy::Reconnect
            } else {
                Remedy::Discard
            },
            ..failed
        }
    }
}

/// What to do about a server that accepts only reads.
pub const ACCEPTS_ONLY_READS: &str = "the server accepts only reads: it is a standby, or set to read-only; name the primary or all \
     servers of the cluster in the URL, or make the server accept writes";

/// Makes an error of a statement the one of a server that accepts only reads.
pub fn accepts_only_reads(failed: &mut StoreError) -> (ErrorKind, Remedy) {
    failed.message = format!("{ACCEPTS_ONLY_READS} ({})", failed.message);
    (ErrorKind::Connection, Remedy::Leave)
}

/// Takes away a message that the application wrote itself, in a trigger or a function of the database: nothing says which
/// part of it is a value.
pub fn hide_message(failed: &mut StoreError) {
    let message = "a trigger, function or procedure of the database raised an error, whose message may contain values and \
         is not shown";
    message.clone_into(&mut failed.message);
    if let Some(cause) = &mut failed.cause {
        message.clone_into(&mut cause.message);
    }
}

/// The name that Node.js has for an error of the network, for those that are told apart here.
fn io_code(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Some("ECONNREFUSED"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => Some("ECONNRESET"),
        io::ErrorKind::ConnectionAborted => Some("ECONNABORTED"),
        io::ErrorKind::HostUnreachable => Some("EHOSTUNREACH"),
        io::ErrorKind::NetworkUnreachable => Some("ENETUNREACH"),
        io::ErrorKind::TimedOut => Some("ETIMEDOUT"),
        io::ErrorKind::NotFound => Some("ENOENT"),
        io::ErrorKind::PermissionDenied => Some("EACCES"),
        _ if is_lookup(error) => Some("ENOTFOUND"),
        _ => None,
    }
}

/// Whether an error of the network may pass by itself. The others come from files of the application and from TLS.
fn io_passes(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::InvalidData
            | io::ErrorKind::Unsupported
    )
}

/// What an error of the network means while connecting.
fn io_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            "the server closed the connection before it answered; it may be shutting down, or be something else than a \
             database"
                .to_owned()
        }
        io::ErrorKind::ConnectionRefused => {
            format!("{error}; check that the server is running, and the host and the port")
        }
        _ if is_lookup(error) => format!("the host is unknown: {error}"),
        _ => error.to_string(),
    }
}

/// Whether a host was looked up and not found, for which the standard library has only a text.
fn is_lookup(error: &io::Error) -> bool {
    error.to_string().starts_with("failed to lookup address")
}

/// The store's error for a driver's error, by what means the same for every driver.
pub fn driver_error(error: &sqlx::Error) -> StoreError {
    let cause = Cause {
        code: error
            .as_database_error()
            .and_then(DatabaseError::code)
            .map(String::from),
        message: match error {
            sqlx::Error::Database(database) => without_values(database.message()),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                without_values(&error.to_string())
            }
            _ => error.to_string(),
        },
    };
    let (kind, remedy) = match error {
        sqlx::Error::Io(_) => (ErrorKind::Connection, Remedy::Reconnect),
        sqlx::Error::Tls(_) => (ErrorKind::Connection, Remedy::Discard),
        sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            (ErrorKind::Database, Remedy::Reconnect)
        }
        // The column has another type by now, so the table has to be inspected again.
        sqlx::Error::ColumnDecode { .. } => (ErrorKind::Table, Remedy::Retry),
        _ => (ErrorKind::Database, Remedy::None),
    };
    StoreError::new(kind, cause.message.clone())
        .with_remedy(remedy)
        .with_cause(cause)
}
