//! A lane takes batches from its line, runs them on a connection of its own, and ends them with their outcomes.

mod read;
mod table;
mod write;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep, timeout};

use crate::error::{ErrorKind, Remedy, Result, StoreError};
use crate::operation::{Call, Outcome, SessionCall};
use crate::table::SessionTable;
use crate::timestamp::Timestamp;

use super::fold;
use super::order::Placed;
use super::shared::Shared;
use super::task::Task;

/// After this time without work, a lane returns its connection to the pool, whose own timeouts then apply.
const IDLE: Duration = Duration::from_secs(5);

/// After this time, a busy lane returns its connection, so that the pool can replace an old one.
const HOLD: Duration = Duration::from_mins(1);

/// How many times a trip is repeated after a lock, a deadlock or a lost connection.
const RETRIES: u32 = 6;

/// The pause before the first repetition; each further one is twice as long.
const RETRY_PAUSE: Duration = Duration::from_millis(10);

/// A worker of the queue.
pub struct Lane<T: SessionTable> {
    shared: Arc<Shared>,
    table: Arc<T>,
    task: Arc<Task>,
    /// With the time at which it was taken from the pool.
    connection: Option<(T::Connection, Instant)>,
    /// When the last call of the current batch was made.
    newest: Option<std::time::Instant>,
    /// The same by the clock of JavaScript.
    now: Timestamp,
}

/// One trip to the database. May be repeated: all our statements are idempotent.
trait Trip: Sync {
    type Answer: Send;
    const LIMIT: Limit;

    fn run<T: SessionTable>(
        &self,
        table: &T,
        connection: &mut T::Connection,
    ) -> impl Future<Output = Result<Self::Answer>> + Send;
}

/// How long a trip may take.
enum Limit {
    /// The query timeout, since requests wait for calls on single sessions.
    Query,
    /// As long as the size of the table demands, or until the store has been closed for the query timeout.
    Closing,
}

impl<T: SessionTable> Lane<T> {
    pub fn new(shared: Arc<Shared>, table: Arc<T>, task: Arc<Task>) -> Self {
        Self {
            shared,
            table,
            task,
            connection: None,
            newest: None,
            now: Timestamp(0),
        }
    }

    /// Works until the queue is closed and empty. A panic fails only the batch in which it happens.
    pub async fn run(mut self) {
        while let Some(mut batch) = self.next().await {
            if self.connection.is_none() {
                batch = self.shared.without_late(batch);
                if batch.is_empty() {
                    continue;
                }
            }
            let newest = batch.iter().map(|placed| &placed.operation);
            if let Some(newest) = newest.max_by_key(|operation| operation.since) {
                self.newest = Some(newest.since);
                self.now = newest.now;
            }
            self.shared.stats.batch(batch.len());
            let before = self.shared.stats.counts().operations;
            let began = Instant::now();
            let ran = AssertUnwindSafe(self.execute(&mut batch)).catch_unwind();
            match ran.await {
                Ok(Some(outcomes)) => self.shared.end(&batch, outcomes),
                Ok(None) => {
                    let alone = self.shared.stats.counts().operations == before;
                    self.resume_later(batch, began.elapsed(), alone);
                }
                Err(_) => {
                    self.discard_connection();
                    let message =
                        "the session store panicked; this is a bug in rust-sequelize-store";
                    let error = StoreError::new(ErrorKind::Internal, message);
                    let outcomes = batch.iter().map(|_| Outcome::Failed(error.clone()));
                    self.shared.end(&batch, outcomes.collect());
                }
            }
            self.return_old_connection();
        }
    }

    async fn next(&mut self) -> Option<Vec<Placed>> {
        let shared = Arc::clone(&self.shared);
        loop {
            let batch = shared.take(&self.task)?;
            if !batch.is_empty() {
                return Some(batch);
            }
            let rung = self.task.rung();
            if self.connection.is_none() {
                rung.await;
            } else if timeout(IDLE, rung).await.is_err() {
                self.connection = None;
            }
        }
    }

    /// The outcome of each operation, in their order; `None` if the only one has more to do.
    async fn execute(&mut self, batch: &mut [Placed]) -> Option<Vec<Outcome>> {
        if let [only] = batch
            && let Call::Table(call) = &mut only.operation.call
        {
            return Some(vec![self.call_on_table(call).await?]);
        }
        let operations = batch.iter().map(|placed| &placed.operation);
        let calls: Vec<_> = operations
            .filter_map(|operation| operation.call.session())
            .collect();
        Some(self.calls_on_sessions(&calls).await)
    }

    async fn calls_on_sessions(&mut self, calls: &[(&str, &SessionCall)]) -> Vec<Outcome> {
        let mut outcomes: Vec<Outcome> = calls.iter().map(|_| Outcome::Done).collect();
        for round in fold::rounds(calls, self.now) {
            self.read(calls, &round.reads, &mut outcomes).await;
            self.write(calls, &round.writes, &mut outcomes).await;
        }
        outcomes
    }

    /// Makes a trip, and repeats it after an error that may pass.
    async fn attempt<A: Trip>(&mut self, trip: &A) -> Result<A::Answer> {
        let mut tries = 0;
        loop {
            let error = match self.once_in_time(trip).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if matches!(error.remedy, Remedy::Reconnect | Remedy::Discard) {
                self.discard_connection();
            }
            if tries == RETRIES || !matches!(error.remedy, Remedy::Retry | Remedy::Reconnect) {
                return Err(error);
            }
            self.shared.stats.retry();
            sleep(RETRY_PAUSE * 2_u32.pow(tries)).await;
            tries += 1;
        }
    }

    async fn once_in_time<A: Trip>(&mut self, trip: &A) -> Result<A::Answer> {
        let late = |message: String| {
            let error = StoreError::new(ErrorKind::Timeout, message);
            Err(error.with_remedy(Remedy::Discard))
        };
        match A::LIMIT {
            Limit::Query => {
                // Bounded by the pool's own timeout.
                self.connect().await?;
                let limit = self.shared.query_timeout;
                timeout(limit, self.once(trip)).await.unwrap_or_else(|_| {
                    late(format!(
                        "the database did not answer within {} ms; a write may or may not have taken effect",
                        limit.as_millis()
                    ))
                })
            }
            Limit::Closing => {
                let shared = Arc::clone(&self.shared);
                tokio::select! {
                    answer = self.once(trip) => answer,
                    () = shared.overdue() => {
                        late("the store was closed before the database answered".to_owned())
                    }
                }
            }
        }
    }

    async fn once<A: Trip>(&mut self, trip: &A) -> Result<A::Answer> {
        self.connect().await?;
        let table = &*self.table;
        let Some((connection, _)) = &mut self.connection else {
            unreachable!("the connection was made above")
        };
        table.begin(connection).await?;
        let answer = trip.run(table, connection).await;
        let ended = table.end(connection, answer.is_ok()).await;
        let answer = answer?;
        ended?;
        Ok(answer)
    }

    async fn connect(&mut self) -> Result<()> {
        if self.connection.is_some() {
            return Ok(());
        }
        if let Some(error) = self
            .newest
            .and_then(|newest| self.shared.unreachable(newest))
        {
            return Err(error);
        }
        match self.table.connect().await {
            Ok(connection) => {
                self.connection = Some((connection, Instant::now()));
                self.shared.set_unreachable(None);
                Ok(())
            }
            Err(error) => {
                if error.remedy != Remedy::Retry {
                    self.shared.set_unreachable(Some(error.clone()));
                }
                Err(error)
            }
        }
    }

    fn return_old_connection(&mut self) {
        let old = |(_, since): &(T::Connection, Instant)| since.elapsed() > HOLD;
        if self.connection.as_ref().is_some_and(old) {
            self.connection = None;
        }
    }

    fn discard_connection(&mut self) {
        if let Some((connection, _)) = self.connection.take() {
            self.table.discard(connection);
        }
    }
}

fn fail(members: &[usize], error: &StoreError, outcomes: &mut [Outcome]) {
    for &index in members {
        outcomes[index] = Outcome::Failed(error.clone());
    }
}
