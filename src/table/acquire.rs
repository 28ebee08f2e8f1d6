//! Taking a connection from the pool.

use std::io;

use sqlx::pool::PoolConnection;
use sqlx::{ConnectOptions, Connection, Error};
use tokio::time::sleep;

use crate::database::Database;
use crate::error::Result;

use super::sql::SqlTable;

impl<DB: Database> SqlTable<DB> {
    /// Takes a connection. If there is none for half of `acquireTimeout`, tries to open one besides the pool, which tells no
    /// reason when it gives up.
    pub(super) async fn acquire(&self) -> Result<PoolConnection<DB>> {
        let limit = self.pool().options().get_acquire_timeout();
        let attempt = async {
            sleep(limit / 2).await;
            match self.target().options.connect().await {
                Ok(connection) => {
                    _ = connection.close_hard().await;
                    None
                }
                Err(error) => Some(error),
            }
        };
        let acquiring = self.pool().acquire();
        tokio::pin!(acquiring, attempt);
        let acquired = tokio::select! {
            biased;
            acquired = &mut acquiring => {
                // Too early for the attempt, or it has no answer.
                acquired.map_err(|error| (error, Some(no_answer())))
            }
            reason = &mut attempt => acquiring.await.map_err(|error| (error, reason)),
        };
        acquired.map_err(|(error, last)| DB::connection_error(error, last, self.target()))
    }
}

fn no_answer() -> Error {
    Error::Io(io::Error::new(
        io::ErrorKind::TimedOut,
        "the server does not answer",
    ))
}
