//! A lane takes batches from its line, runs them on a connection of its own, and ends them with their outcomes.

mod attempt;
mod read;
mod table;
mod write;

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, timeout};

use crate::error::{ErrorKind, StoreError};
use crate::operation::{Call, Outcome, SessionCall, Ticket};
use crate::table::SessionTable;
use crate::timestamp::Timestamp;

use super::fold;
use super::order::{Key, Place, Placed};
use super::shared::Shared;
use super::task::Task;
use attempt::{Limit, RETRIES, RETRIES_ALONE, Trip};

/// After this time without work, a lane returns its connection to the pool, whose own timeouts then apply.
const IDLE: Duration = Duration::from_secs(5);

/// After this time, a busy lane returns its connection, so that the pool can replace an old one.
const HOLD: Duration = Duration::from_mins(1);

/// The pause before the server is asked again after it could not be reached.
const SETTLE_PAUSE: Duration = Duration::from_millis(200);

/// A worker of the queue.
pub struct Lane<T: SessionTable> {
    shared: Arc<Shared>,
    table: Arc<T>,
    task: Arc<Task>,
    /// With the time at which it was taken from the pool.
    connection: Option<(T::Connection, Instant)>,
    /// A connection that was given up while a statement was under way, which may still take effect. Until that has ended,
    /// the lane begins nothing else: neither would it be overtaken, nor do such statements pile up on the server.
    lost: Option<T::Lost>,
    /// What stays under way for as long.
    unsettled: Vec<Key>,
    /// When the last call of the current batch was made.
    newest: Option<std::time::Instant>,
    /// The same by the clock of JavaScript.
    now: Timestamp,
    /// When the current batch has to end, with all of its repetitions.
    deadline: Instant,
    /// The tickets of the current batch, and of those among them the ones whose callers have their outcomes.
    tickets: Vec<Ticket>,
    delivered: HashSet<Ticket>,
    /// How many times a trip is repeated at the moment.
    retries: u32,
}

impl<T: SessionTable> Lane<T> {
    pub fn new(shared: Arc<Shared>, table: Arc<T>, task: Arc<Task>) -> Self {
        Self {
            shared,
            table,
            task,
            connection: None,
            lost: None,
            unsettled: Vec::new(),
            newest: None,
            now: Timestamp(0),
            deadline: Instant::now(),
            tickets: Vec::new(),
            delivered: HashSet::new(),
            retries: RETRIES,
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
            self.tickets.clear();
            let tickets = batch.iter().map(|placed| placed.operation.ticket);
            self.tickets.extend(tickets);
            self.delivered.clear();
            self.retries = RETRIES;
            self.shared.stats.batch(batch.len());
            let before = self.shared.stats.counts().operations;
            let began = Instant::now();
            self.deadline = began + self.shared.limits.total();
            let ran = AssertUnwindSafe(self.execute(&mut batch)).catch_unwind();
            match ran.await {
                Ok(Some(outcomes)) => self.end(&batch, outcomes),
                Ok(None) => {
                    let alone = self.shared.stats.counts().operations == before;
                    self.resume_later(batch, began.elapsed(), alone);
                }
                Err(_) => {
                    self.discard_connection();
                    let message =
                        "the session store panicked; this is a bug in rust-sequelize-store";
                    let error = StoreError::new(ErrorKind::Internal, message);
                    let outcomes = self.tickets.iter().map(|ticket| {
                        if self.delivered.contains(ticket) {
                            Outcome::Delivered
                        } else {
                            Outcome::Failed(error.clone())
                        }
                    });
                    let outcomes = outcomes.collect();
                    self.end(&batch, outcomes);
                }
            }
            self.return_old_connection();
        }
    }

    /// Ends a batch. Its sessions stay under way while a write that was given up may still take effect.
    fn end(&mut self, batch: &[Placed], outcomes: Vec<Outcome>) {
        if self.lost.is_none() || self.task.place == Place::Reads {
            return self.shared.end(batch, outcomes);
        }
        self.unsettled.extend(batch.iter().map(|placed| placed.key));
        self.shared.answer(batch, outcomes);
    }

    /// Waits until the statement that was given up has ended. Meanwhile, calls wait in line, for as long as they may.
    async fn settle(&mut self) {
        let shared = Arc::clone(&self.shared);
        let table = Arc::clone(&self.table);
        while let Some(lost) = &mut self.lost {
            let settled = tokio::select! {
                settled = table.settled(lost) => settled,
                // Nobody calls any more.
                () = shared.drained() => Ok(()),
            };
            match settled {
                Ok(()) => self.lost = None,
                Err(error) => {
                    shared.set_unreachable(error);
                    shared.fail_line(self.task.place);
                    _ = timeout(SETTLE_PAUSE, shared.drained()).await;
                }
            }
        }
        let unsettled = std::mem::take(&mut self.unsettled);
        if !unsettled.is_empty() {
            shared.release(&unsettled);
        }
    }

    async fn next(&mut self) -> Option<Vec<Placed>> {
        let shared = Arc::clone(&self.shared);
        loop {
            self.settle().await;
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

    /// Delivers the outcomes of these operations before those of the rest of the batch.
    fn deliver_early(&mut self, indices: &[usize], outcomes: &mut [Outcome]) {
        let mut delivered = Vec::with_capacity(indices.len());
        for &index in indices {
            let ticket = self.tickets[index];
            self.delivered.insert(ticket);
            let outcome = std::mem::replace(&mut outcomes[index], Outcome::Delivered);
            delivered.push((ticket, outcome));
        }
        self.shared.delivery.deliver(delivered);
    }

    /// Waits until there is room for more outcomes. The time that callers take for theirs is not that of the batch.
    async fn room(&mut self) {
        let began = Instant::now();
        self.shared.delivery.room().await;
        self.deadline += began.elapsed();
    }

    /// Whether the current batch has to end.
    fn is_overdue(&self) -> bool {
        Instant::now() >= self.deadline
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
