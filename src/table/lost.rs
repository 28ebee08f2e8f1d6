//! Connections, and what is left of one that was given up while a statement was under way.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{ColumnIndex, ConnectOptions, Connection, Decode, Executor, IntoArguments, Row, Type};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::database::Database;
use crate::error::{ErrorKind, Remedy, Result, StoreError};

use super::SqlTable;

/// The pause before the server is asked again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LAST_PAUSE: Duration = Duration::from_millis(500);

/// A connection of the pool.
pub struct TableConnection<DB: Database> {
    pub(super) connection: PoolConnection<DB>,
    /// What the server calls it, if another connection can end it.
    backend: Option<String>,
}

impl<DB: Database> Deref for TableConnection<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &Self::Target {
        &self.connection
    }
}

impl<DB: Database> DerefMut for TableConnection<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.connection
    }
}

/// What is left of a connection that was given up.
#[derive(Default)]
pub struct LostConnection {
    /// Ends together with the statement.
    closing: Option<JoinHandle<()>>,
    /// What the server calls it.
    backend: Option<String>,
}

impl<DB: Database> SqlTable<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
    String: Type<DB> + for<'r> Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    /// Asks the server what it calls a connection. Not if there may be a pooler, which has others than the server.
    pub(super) async fn with_backend(
        &self,
        mut connection: PoolConnection<DB>,
    ) -> Result<TableConnection<DB>> {
        let Some(sql) = DB::BACKEND.filter(|_| self.prepared_statements) else {
            return Ok(TableConnection {
                connection,
                backend: None,
            });
        };
        let asked = sqlx::raw_sql(sql).fetch_one(&mut *connection);
        let limit = self.query_timeout.min(self.acquire_timeout);
        let Ok(answer) = timeout(limit, asked).await else {
            Self::close_hard(connection);
            return Err(self.no_answer());
        };
        // Servers that only speak the same protocol may not know, and the statements of a lost connection are then left
        // to themselves.
        let backend = answer.and_then(|row| row.try_get_unchecked(0)).ok();
        Ok(TableConnection {
            connection,
            backend,
        })
    }

    pub(super) fn close_hard(connection: PoolConnection<DB>) {
        tokio::spawn(connection.detach().close_hard());
    }

    /// Closes a connection whose statement may be under way.
    pub(super) fn give_up(lost: TableConnection<DB>) -> LostConnection {
        let TableConnection {
            connection,
            backend,
        } = lost;
        if !DB::RUNS_HERE {
            Self::close_hard(connection);
            return LostConnection {
                closing: None,
                backend,
            };
        }
        let connection = connection.detach();
        let closing = tokio::spawn(async move {
            // Fails only if the thread of the connection has ended already.
            _ = connection.close().await;
        });
        LostConnection {
            closing: Some(closing),
            backend,
        }
    }

    /// Waits until the statement of a lost connection has ended, and has the server end it.
    pub(super) async fn ended(&self, lost: &mut LostConnection) -> Result<()> {
        if let Some(closing) = &mut lost.closing {
            // An error means that it has ended by a panic.
            _ = closing.await;
            lost.closing = None;
        }
        let Some(backend) = &lost.backend else {
            return Ok(());
        };
        // Not from the pool: if this is dropped in between, the connection is closed.
        let mut connection = self.connect_alone().await?;
        let mut pause = FIRST_PAUSE;
        loop {
            let asked = DB::end_backend(&mut connection, backend);
            let Ok(answer) = timeout(self.acquire_timeout, asked).await else {
                return Err(self.no_answer());
            };
            match answer {
                Ok(true) => sleep(pause).await,
                Ok(false) => break,
                Err(error) => {
                    let failed = DB::error(error);
                    if failed.kind == ErrorKind::Connection {
                        return Err(failed.with_remedy(Remedy::Discard));
                    }
                    // The server does not say. All that can be done was done: our end is closed.
                    break;
                }
            }
            pause = (pause * 2).min(LAST_PAUSE);
        }
        tokio::spawn(connection.close());
        lost.backend = None;
        Ok(())
    }

    async fn connect_alone(&self) -> Result<DB::Connection> {
        let deadline = Instant::now() + self.acquire_timeout;
        let mut pause = FIRST_PAUSE;
        loop {
            let connecting = self.target.options.connect();
            let Ok(connected) = timeout_at(deadline, connecting).await else {
                return Err(self.no_answer());
            };
            match connected {
                Ok(connection) => return Ok(connection),
                // As the pool does: the server may be starting.
                Err(sqlx::Error::Io(_)) if Instant::now() + pause < deadline => sleep(pause).await,
                Err(error) => return Err(DB::connection_error(error, None, &self.target)),
            }
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    fn no_answer(&self) -> StoreError {
        DB::connection_error(sqlx::Error::PoolTimedOut, None, &self.target)
    }
}
