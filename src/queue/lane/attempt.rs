//! Trips to the database: each on a connection that suits it, in time, and again after an error that may pass.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::super::Limits;
use super::Lane;
use crate::error::{ErrorKind, Remedy, Result, StoreError};
use crate::pause::Pauses;
use crate::table::SessionTable;

/// How many times a trip is repeated after a lock, a deadlock or a lost connection of which the server said nothing.
pub const RETRIES: u32 = 6;

/// The same for one of the operations of a batch that has broken as many connections.
pub const RETRIES_ALONE: u32 = 1;

/// The pause before the first repetition, and the longest; each further one is twice as long.
const RETRY_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// One trip to the database. May be repeated: all our statements are idempotent.
pub trait Trip: Sync {
    type Answer: Send;
    const LIMIT: Limit;

    fn writes(&self) -> bool;

    fn run<T: SessionTable>(
        &self,
        table: &T,
        connection: &mut T::Connection,
    ) -> impl Future<Output = Result<Self::Answer>> + Send;
}

/// How long a trip may take.
pub enum Limit {
    /// The query timeout, since requests wait for calls on single sessions.
    Query,
    /// As long as the size of the table demands, or until the store has been closed for the query timeout.
    Closing,
}

impl<T: SessionTable> Lane<T> {
    /// Makes a trip, and repeats it after an error that may pass.
    pub(super) async fn attempt<A: Trip>(&mut self, trip: &A) -> Result<A::Answer> {
        let began = Instant::now();
        let mut pauses = Pauses::new(RETRY_PAUSE, LONGEST_PAUSE);
        let mut tries = 0;
        let mut writes = trip.writes();
        loop {
            let this_began = Instant::now();
            let error = match self.once_in_time(trip, writes).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match error.remedy {
                Remedy::Abandon => self.abandon_connection(),
                // If the server has not said so, it may still be running the statement.
                Remedy::Reconnect if trip.writes() && error.server_code().is_none() => {
                    self.abandon_connection();
                }
                Remedy::Reconnect | Remedy::Discard => self.discard_connection(),
                Remedy::Leave => {
                    self.leave_server(&error);
                    // A read that was refused has to create the table.
                    writes = true;
                }
                Remedy::None | Remedy::Retry | Remedy::Isolate => {}
            }
            let pause = pauses.pause();
            // A repetition may take as long as this try.
            let end = Instant::now() + pause;
            let in_time = match (A::LIMIT, error.remedy) {
                (Limit::Closing, Remedy::Retry) => true,
                (Limit::Closing, _) => end < began + self.shared.limits.total(),
                (Limit::Query, Remedy::Retry) => {
                    end + this_began.elapsed() <= began + self.shared.limits.query
                        && end < self.deadline
                }
                (Limit::Query, _) => end < self.deadline,
            };
            let repeat = match error.remedy {
                // The server has said that it cannot serve at the moment, so the statement is not at fault.
                Remedy::Reconnect if error.server_code().is_some() => true,
                Remedy::Leave => true,
                Remedy::Retry | Remedy::Reconnect => tries < self.retries,
                Remedy::None | Remedy::Discard | Remedy::Abandon | Remedy::Isolate => false,
            };
            if !repeat || !in_time {
                return Err(error);
            }
            self.shared.stats.retry();
            sleep(pause).await;
            tries += 1;
        }
    }

    async fn once_in_time<A: Trip>(&mut self, trip: &A, writes: bool) -> Result<A::Answer> {
        match A::LIMIT {
            Limit::Query if self.is_overdue() => {
                let message =
                    "the operation was not started, since others of its batch took too long";
                Err(StoreError::new(ErrorKind::Timeout, message))
            }
            Limit::Query => {
                let Limits { acquire, query } = self.shared.limits;
                let deadline = self.deadline;
                // Bounded by the pool's own timeout, too.
                let Ok(connected) = timeout_at(deadline, self.connect(writes)).await else {
                    let limit = (acquire + query).as_millis();
                    let message = format!(
                        "no connection within {limit} ms (`pool.acquireTimeout` and `pool.queryTimeout` together); check \
                         that the server is running and reachable"
                    );
                    return Err(StoreError::new(ErrorKind::Timeout, message));
                };
                connected?;
                let end = deadline.min(Instant::now() + query);
                timeout_at(end, self.once(trip, writes, Some(query)))
                    .await
                    .unwrap_or_else(|_| {
                        let message = format!(
                            "the database did not answer within {} ms; a write may or may not have taken effect",
                            query.as_millis()
                        );
                        let error = StoreError::new(ErrorKind::Timeout, message);
                        Err(error.with_remedy(Remedy::Abandon))
                    })
            }
            Limit::Closing => {
                let shared = Arc::clone(&self.shared);
                tokio::select! {
                    answer = self.once(trip, writes, None) => answer,
                    () = shared.overdue() => {
                        let message = "the store was closed before the database answered";
                        let error = StoreError::new(ErrorKind::Timeout, message);
                        Err(error.with_remedy(Remedy::Discard))
                    }
                }
            }
        }
    }

    async fn once<A: Trip>(
        &mut self,
        trip: &A,
        writes: bool,
        limit: Option<Duration>,
    ) -> Result<A::Answer> {
        self.connect(writes).await?;
        let table = &*self.table;
        let Some((connection, _)) = &mut self.connection else {
            unreachable!("the connection was made above")
        };
        table.begin(connection, limit).await?;
        let answer = trip.run(table, connection).await;
        let ended = table.end(connection, answer.is_ok()).await;
        let answer = answer?;
        ended?;
        Ok(answer)
    }

    async fn connect(&mut self, writes: bool) -> Result<()> {
        if let Some((connection, _)) = &self.connection {
            if self.table.suits(connection, writes) {
                return Ok(());
            }
            self.connection = None;
        }
        if let Some(error) = self
            .newest
            .and_then(|newest| self.shared.unreachable(newest, writes))
        {
            return Err(error);
        }
        let connected = match &mut self.lost {
            Some(lost) => self.table.settled(lost).await,
            None => Ok(()),
        };
        if connected.is_ok() {
            self.lost = None;
        }
        let connected = match connected {
            Ok(()) => self.table.connect(writes).await,
            Err(error) => Err(error),
        };
        match connected {
            Ok(connection) => {
                self.connection = Some((connection, Instant::now()));
                self.shared.set_reached(writes);
                Ok(())
            }
            Err(error) => {
                let for_writes_only = writes && self.table.serves_reads_apart();
                match error.remedy {
                    Remedy::Retry => {}
                    _ if for_writes_only => self.shared.set_refusing_writes(error.clone()),
                    _ => self.shared.set_unreachable(error.clone()),
                }
                Err(error)
            }
        }
    }

    fn abandon_connection(&mut self) {
        if let Some((connection, _)) = self.connection.take() {
            self.lost = Some(self.table.abandon(connection));
        }
    }

    fn leave_server(&mut self, error: &StoreError) {
        if let Some((connection, _)) = self.connection.take() {
            self.table.leave(connection, error);
        }
    }
}
