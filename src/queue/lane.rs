//! A lane takes batches from its line, runs them on a connection of its own, and hands the outcomes back.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep, timeout};

use crate::error::{ErrorKind, Remedy, Result, StoreError};
use crate::operation::{
    Call, Expires, Operation, Outcome, PageRequest, PruneProgress, Stored, TableCall, Write,
};
use crate::table::SessionTable;
use crate::timestamp::Timestamp;

use super::Shared;
use super::fold::{self, Round};
use super::order::Placed;
use super::task::Task;

/// A lane that has been idle for so long gives its connection back to the pool, whose own timeouts then apply.
const IDLE: Duration = Duration::from_secs(5);

/// A busy lane gives its connection back after so long, so that the pool can replace an old one.
const HOLD: Duration = Duration::from_mins(1);

/// How many times as long as a chunk of pruning took the next one waits while there are other calls: pruning then takes a
/// fifth of a processor at most. Without other calls it waits as long as the chunk took.
const PRUNE_PAUSE: u32 = 4;

/// How often a batch is tried again after a lock, a deadlock or a lost connection.
const RETRIES: u32 = 6;

/// The pause before the first new try; each further one is twice as long.
const RETRY_PAUSE: Duration = Duration::from_millis(10);

pub struct Lane<T: SessionTable> {
    shared: Arc<Shared>,
    table: Arc<T>,
    task: Arc<Task>,
    connection: Option<(T::Connection, Instant)>,
    /// The last call of the batch under way.
    newest: Option<std::time::Instant>,
}

/// One trip to the database.
enum Job<'a> {
    Read(&'a [&'a str]),
    Write(&'a [Write<'a>]),
    Length,
    Page(&'a PageRequest),
    Clear,
    Prune(Option<&'a str>),
    Sync { force: bool },
}

/// What comes back from a trip.
enum Answer {
    Rows(Vec<Option<Stored>>),
    Written {
        gone: u64,
    },
    Pruned {
        removed: u64,
        cursor: Option<String>,
    },
    Outcome(Outcome),
}

/// What becomes of a batch.
enum Ended {
    Done(Vec<Outcome>),
    /// The pruning run has another chunk to do.
    Unfinished(PruneProgress),
}

impl<T: SessionTable> Lane<T> {
    pub fn new(shared: Arc<Shared>, table: Arc<T>, task: Arc<Task>) -> Self {
        Self {
            shared,
            table,
            task,
            connection: None,
            newest: None,
        }
    }

    /// Works until the queue is closed and empty. A panic fails the batch in which it happens, and nothing else.
    pub async fn run(mut self) {
        while let Some(mut batch) = self.next().await {
            if self.connection.is_none() {
                batch = self.shared.without_late(batch);
                if batch.is_empty() {
                    continue;
                }
            }
            self.newest = batch.iter().map(|placed| placed.operation.since).max();
            self.shared.stats.batch(batch.len());
            let began = Instant::now();
            let others = self.shared.stats.counts().operations;
            let ran = AssertUnwindSafe(self.execute(&batch)).catch_unwind().await;
            let outcomes = ran.unwrap_or_else(|_| {
                self.discard_connection();
                let message = "the session store panicked; this is a bug in rust-sequelize-store";
                let error = StoreError::new(ErrorKind::Internal, message);
                Ended::Done(failed(batch.len(), &error))
            });
            let alone = self.shared.stats.counts().operations == others;
            let pause = if alone { 1 } else { PRUNE_PAUSE };
            self.end(batch, outcomes, began.elapsed() * pause);
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

    fn end(&self, mut batch: Vec<Placed>, outcomes: Ended, pause: Duration) {
        let progress = match outcomes {
            Ended::Done(outcomes) => {
                self.shared.end(&batch, outcomes);
                return;
            }
            Ended::Unfinished(progress) => progress,
        };
        if let Some(mut placed) = batch.pop() {
            placed.operation.call = Call::Table(TableCall::Prune(progress));
            let shared = Arc::clone(&self.shared);
            tokio::spawn(async move {
                // A store that is closing waits for nothing.
                _ = timeout(pause, shared.closed()).await;
                shared.put_back(placed);
            });
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

    /// The outcome of each operation, in their order.
    async fn execute(&mut self, batch: &[Placed]) -> Ended {
        let operations: Vec<&Operation> = batch.iter().map(|placed| &placed.operation).collect();
        if let [operation] = operations[..]
            && let Call::Table(call) = &operation.call
        {
            return self.whole_table(call).await;
        }
        Ended::Done(self.sessions(&operations).await)
    }

    async fn whole_table(&mut self, call: &TableCall) -> Ended {
        let job = match call {
            TableCall::Length => Job::Length,
            TableCall::Page(request) => Job::Page(request),
            TableCall::Clear => Job::Clear,
            TableCall::Sync { force } => Job::Sync { force: *force },
            TableCall::Prune(prune) => Job::Prune(prune.cursor.as_deref()),
        };
        let outcome = match (self.attempt(&job).await, call) {
            (Ok(Answer::Pruned { removed, cursor }), TableCall::Prune(before)) => {
                self.shared.stats.pruned(removed);
                let removed = before.removed + removed;
                if cursor.is_some() && !self.shared.is_closing() {
                    return Ended::Unfinished(PruneProgress { removed, cursor });
                }
                Outcome::Count(removed)
            }
            (Ok(Answer::Outcome(outcome)), _) => outcome,
            (Ok(_), _) => Outcome::Done,
            (Err(error), _) => Outcome::Failed(error),
        };
        Ended::Done(vec![outcome])
    }

    async fn sessions(&mut self, operations: &[&Operation]) -> Vec<Outcome> {
        let mut outcomes: Vec<Outcome> = operations.iter().map(|_| Outcome::Done).collect();
        for round in fold::rounds(operations, Timestamp::now()) {
            self.read(operations, &round, &mut outcomes).await;
            self.write(operations, &round, &mut outcomes).await;
        }
        outcomes
    }

    async fn read(
        &mut self,
        operations: &[&Operation],
        round: &Round<'_>,
        outcomes: &mut [Outcome],
    ) {
        if round.reads.is_empty() {
            return;
        }
        let sids: Vec<&str> = round
            .reads
            .iter()
            .filter_map(|&index| Some(operations[index].call.session()?.0))
            .collect();
        match self.attempt(&Job::Read(&sids)).await {
            Ok(Answer::Rows(rows)) => {
                let now = Timestamp::now();
                for (&index, row) in round.reads.iter().zip(rows) {
                    outcomes[index] = session(row, now);
                }
            }
            Ok(_) => {}
            // A sid that the database cannot represent is nobody else's trouble.
            Err(error) if error.remedy == Remedy::Isolate && sids.len() > 1 => {
                for (&index, sid) in round.reads.iter().zip(&sids) {
                    outcomes[index] = match self.attempt(&Job::Read(&[*sid])).await {
                        Ok(Answer::Rows(mut rows)) => {
                            session(rows.pop().flatten(), Timestamp::now())
                        }
                        Ok(_) => Outcome::Done,
                        Err(error) => Outcome::Failed(error),
                    };
                }
            }
            Err(error) => fail(&round.reads, &error, outcomes),
        }
    }

    async fn write(
        &mut self,
        operations: &[&Operation],
        round: &Round<'_>,
        outcomes: &mut [Outcome],
    ) {
        if round.writes.is_empty() {
            return;
        }
        let writes: Vec<Write<'_>> = round.writes.iter().map(|folded| folded.write).collect();
        let Err(error) = self.attempt(&Job::Write(&writes)).await else {
            let gone = round.writes.iter().map(|folded| folded.gone).sum();
            self.shared.stats.gone(gone);
            return;
        };
        let members = || round.writes.iter().flat_map(|folded| &folded.members);
        // A statement that breaks one connection after the other may be too large for the server.
        let isolate = matches!(error.remedy, Remedy::Isolate | Remedy::Reconnect);
        if !isolate || members().count() == 1 {
            for folded in &round.writes {
                fail(&folded.members, &error, outcomes);
            }
            return;
        }
        // One of them spoils the batch: alone, each gets what is its own.
        for folded in &round.writes {
            for &index in &folded.members {
                let effect = fold::effect(&operations[index].call);
                let sid = folded.write.sid;
                let write = effect.map(|effect| Write { sid, effect });
                if let Err(error) = self.attempt(&Job::Write(write.as_slice())).await {
                    outcomes[index] = Outcome::Failed(error);
                }
            }
        }
    }

    /// Runs a job, and again after an error that may pass. Every job may be repeated: all our statements are
    /// idempotent.
    async fn attempt(&mut self, job: &Job<'_>) -> Result<Answer> {
        let mut tries = 0;
        loop {
            let error = match self.once_in_time(job).await {
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

    /// A trip for single sessions is bounded in time: requests wait for it. What concerns the whole table may take as
    /// long as the table is large.
    async fn once_in_time(&mut self, job: &Job<'_>) -> Result<Answer> {
        if !matches!(job, Job::Read(_) | Job::Write(_)) {
            let shared = Arc::clone(&self.shared);
            return tokio::select! {
                answer = self.once(job) => answer,
                () = shared.overdue() => {
                    let message = "the store was closed, and the database did not answer";
                    Err(StoreError::new(ErrorKind::Timeout, message).with_remedy(Remedy::Discard))
                }
            };
        }
        // Bounded by the pool's own timeout.
        self.connect().await?;
        let limit = self.shared.query_timeout;
        timeout(limit, self.once(job)).await.unwrap_or_else(|_| {
            let message = format!(
                "the database did not answer within {} ms; whether a write has taken effect is unknown",
                limit.as_millis()
            );
            Err(StoreError::new(ErrorKind::Timeout, message).with_remedy(Remedy::Discard))
        })
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
            }
            Err(error) => {
                if error.remedy != Remedy::Retry {
                    self.shared.set_unreachable(Some(error.clone()));
                }
                return Err(error);
            }
        }
        Ok(())
    }

    async fn once(&mut self, job: &Job<'_>) -> Result<Answer> {
        self.connect().await?;
        let table = &*self.table;
        let Some((connection, _)) = &mut self.connection else {
            unreachable!("the connection was made above")
        };
        table.begin(connection).await?;
        let ran = run(table, connection, job).await;
        let ended = table.end(connection, ran.is_ok()).await;
        let answer = ran?;
        ended?;
        if let Answer::Written { gone } = answer {
            self.shared.stats.gone(gone);
        }
        Ok(answer)
    }
}

async fn run<T: SessionTable>(
    table: &T,
    connection: &mut T::Connection,
    job: &Job<'_>,
) -> Result<Answer> {
    let now = Timestamp::now();
    let outcome = match job {
        Job::Read(sids) => return table.read(connection, sids).await.map(Answer::Rows),
        Job::Prune(cursor) => {
            let pruned = table.prune(connection, *cursor, now).await?;
            return Ok(Answer::Pruned {
                removed: pruned.removed,
                cursor: pruned.next,
            });
        }
        Job::Write(writes) => {
            let gone = table.write(connection, writes, now).await?;
            return Ok(Answer::Written { gone });
        }
        Job::Length => Outcome::Count(table.length(connection, now).await?),
        Job::Page(request) => Outcome::Page(table.page(connection, request, now).await?),
        Job::Clear => {
            table.clear(connection).await?;
            Outcome::Done
        }
        Job::Sync { force } => {
            table.sync(connection, *force).await?;
            Outcome::Done
        }
    };
    Ok(Answer::Outcome(outcome))
}

/// What a caller of `get` is told of a row. An expired session is absent, even before it is deleted.
fn session(row: Option<Stored>, now: Timestamp) -> Outcome {
    let Some(Stored { data, expires }) = row else {
        return Outcome::Missing;
    };
    let expires = match expires {
        Expires::At(at) if at <= now => return Outcome::Missing,
        Expires::At(at) => Some(at),
        Expires::Never => None,
        Expires::Unreadable => return Outcome::Unreadable,
    };
    match data {
        Some(data) => Outcome::Session { data, expires },
        None => Outcome::Unreadable,
    }
}

fn fail(members: &[usize], error: &StoreError, outcomes: &mut [Outcome]) {
    for &index in members {
        outcomes[index] = Outcome::Failed(error.clone());
    }
}

fn failed(count: usize, error: &StoreError) -> Vec<Outcome> {
    (0..count).map(|_| Outcome::Failed(error.clone())).collect()
}
