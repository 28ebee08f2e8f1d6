//! What is left of a connection that was given up while a statement was under way.

use std::time::Duration;

use sqlx::{ColumnIndex, Connection, Decode, Executor, IntoArguments, Type};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::database::Database;
use crate::error::{ErrorKind, Remedy, Result, StoreError};
use crate::pause::Pauses;

use super::SqlTable;
use super::pool::{Live, TableConnection, close_hard};

/// The pause before the server is asked again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LAST_PAUSE: Duration = Duration::from_millis(500);

/// What is left of a connection that was given up.
#[derive(Default)]
pub struct LostConnection {
    /// Ends together with the statement.
    closing: Option<JoinHandle<()>>,
    /// What the server calls it.
    backend: Option<String>,
    /// The server, by the index of the host.
    host: usize,
}

impl<DB: Database> SqlTable<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
    String: Type<DB> + for<'r> Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    /// Closes a connection whose statement may be under way.
    pub(super) fn give_up(lost: TableConnection<DB>) -> LostConnection {
        let mut live = lost.into_live();
        let backend = live.backend.take();
        let host = live.host;
        if !DB::RUNS_HERE {
            close_hard(live);
            return LostConnection {
                closing: None,
                backend,
                host,
            };
        }
        let closing = tokio::spawn(async move {
            // Fails only if the thread of the connection has ended already.
            _ = live.raw.close().await;
        });
        LostConnection {
            closing: Some(closing),
            backend,
            host,
        }
    }

    /// Waits until the statement of a lost connection has ended, and has the server end it. A server that has gone takes the
    /// statement with it, and another one does not know it.
    pub(super) async fn ended(&self, lost: &mut LostConnection) -> Result<()> {
        if let Some(closing) = &mut lost.closing {
            // An error means that it has ended by a panic.
            _ = closing.await;
            lost.closing = None;
        }
        let Some(backend) = &lost.backend else {
            return Ok(());
        };
        let end = Instant::now() + self.acquire_timeout;
        let mut pauses = Pauses::new(FIRST_PAUSE, LAST_PAUSE);
        loop {
            let live = self.pool().open_beside(lost.host).await?;
            match self.end_backend(live, backend).await {
                Ok(()) => break,
                Err(error) if Instant::now() > end => return Err(error),
                // The server may be shutting down.
                Err(_) => sleep(pauses.pause()).await,
            }
        }
        lost.backend = None;
        Ok(())
    }

    /// Has the server end a connection by its name, and waits until it has. If this is dropped in between, the connection
    /// that asks is closed.
    async fn end_backend(&self, asking: Live<DB>, backend: &str) -> Result<()> {
        let mut raw = asking.raw;
        let mut pauses = Pauses::new(FIRST_PAUSE, LAST_PAUSE);
        loop {
            let asked = DB::end_backend(&mut raw, backend);
            let Ok(answer) = timeout(self.acquire_timeout, asked).await else {
                let message = "the server does not answer when it is asked to end a statement";
                let error = StoreError::new(ErrorKind::Connection, message);
                return Err(error.with_remedy(Remedy::Discard));
            };
            match answer {
                Ok(true) => sleep(pauses.pause()).await,
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
        }
        tokio::spawn(raw.close());
        Ok(())
    }
}
