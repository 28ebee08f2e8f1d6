//! What errors mean: the parts that are the same for every driver.

use crate::error::{Cause, ErrorKind, Remedy, StoreError};

use super::Target;

/// Errors of one driver.
pub trait Errors: sqlx::Database {
    /// The store's error for a driver's error.
    fn error(error: sqlx::Error) -> StoreError;

    /// Whether an upsert failed because it met the row of another session, which the database's message does not say.
    fn meets_another_row(_error: &sqlx::Error) -> bool {
        false
    }

    /// The same for an error while connecting.
    fn connection_error(error: sqlx::Error, target: &Target<Self>) -> StoreError {
        let failed = Self::error(error);
        if failed.remedy == Remedy::Retry {
            return failed;
        }
        let reason = (target.explain)(target).unwrap_or_else(|| failed.message.clone());
        let message = format!("cannot open {}: {reason}", target.name);
        StoreError {
            kind: ErrorKind::Connection,
            message,
            // The pool has tried for as long as it may.
            remedy: Remedy::Discard,
            ..failed
        }
    }
}

/// The store's error for a driver's error, by what means the same for every driver.
pub fn driver_error(error: &sqlx::Error) -> StoreError {
    let cause = Cause {
        code: error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .map(String::from),
        message: match error.as_database_error() {
            Some(database) => database.message().to_owned(),
            None => error.to_string(),
        },
    };
    let (kind, remedy) = match error {
        // The pool hides the reason. Usually the server refuses connections, or does not answer.
        sqlx::Error::PoolTimedOut => {
            let message = "no connection within `pool.acquireTimeout`; check that the server is running and reachable";
            return StoreError::new(ErrorKind::Timeout, message).with_cause(cause);
        }
        sqlx::Error::PoolClosed => (ErrorKind::Closed, Remedy::None),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) => (ErrorKind::Connection, Remedy::Reconnect),
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
