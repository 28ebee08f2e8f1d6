//! Errors of SQLite, by its result codes: <https://www.sqlite.org/rescode.html>.

use std::str::FromStr;

use sqlx::Sqlite;

use crate::database::Errors;
use crate::database::error::{driver_error, hide_message};
use crate::error::{ErrorKind, Remedy, StoreError};

/// What SQLite finds in an encrypted file, too.
const NOT_A_DATABASE: i32 = 26;

impl Errors for Sqlite {
    fn error(error: sqlx::Error) -> StoreError {
        let mut failed = driver_error(&error);
        let code = failed.cause.as_ref().and_then(|cause| cause.code.as_ref());
        let Some(code) = code.and_then(|code| i32::from_str(code).ok()) else {
            return failed;
        };
        // RAISE in a trigger: SQLITE_CONSTRAINT_TRIGGER.
        if code == 1811 {
            hide_message(&mut failed);
        }
        let (kind, remedy) = match code & 0xff {
            // BUSY and LOCKED.
            5 | 6 => (ErrorKind::Timeout, Remedy::Retry),
            // SQLite has no code for a missing table or column, only the text.
            1 if ["no such table", "no such column", "has no column"]
                .iter()
                .any(|sign| failed.message.contains(sign)) =>
            {
                (ErrorKind::Table, Remedy::None)
            }
            // ERROR, TOOBIG, CONSTRAINT, MISMATCH.
            1 | 18 | 19 | 20 => (ErrorKind::Database, Remedy::Isolate),
            // READONLY, IOERR, CORRUPT, CANTOPEN, NOTADB: the file may have been replaced since it was opened.
            8 | 10 | 11 | 14 | NOT_A_DATABASE => (ErrorKind::Database, Remedy::Discard),
            _ => (ErrorKind::Database, Remedy::None),
        };
        let message = match code & 0xff {
            NOT_A_DATABASE => "the file is not an SQLite database, or is encrypted".to_owned(),
            _ => failed.message,
        };
        StoreError {
            kind,
            remedy,
            message,
            ..failed
        }
    }
}
