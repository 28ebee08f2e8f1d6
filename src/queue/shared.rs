//! What the entrance of the queue and its lanes share.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::config::Lanes;
use crate::error::StoreError;
use crate::operation::Outcome;

use super::order::{Order, Place, Placed};
use super::row_size::RowSize;
use super::stats::Stats;
use super::task::Task;
use super::{Delivery, lock};

/// Maximum number of operations in a batch.
const BATCH_OPERATIONS: usize = 256;

/// A batch of more bytes takes no further operation. MySQL servers accept packets of 4 MiB, if not of 16.
const BATCH_BYTES: usize = 1024 * 1024;

pub struct Shared {
    state: Mutex<State>,
    /// How long a trip for single sessions may take.
    pub query_timeout: Duration,
    closed: watch::Sender<bool>,
    pub stats: Stats,
    pub row_size: RowSize,
    pub delivery: Arc<Delivery>,
}

pub struct State {
    pub order: Order,
    pub reads: VecDeque<Placed>,
    writes: Vec<VecDeque<Placed>>,
    table: VecDeque<Placed>,
    /// Tasks of lanes without work.
    pub idle: Vec<Arc<Task>>,
    /// How many operations the last batch had.
    pub last_batch: usize,
    /// Operations that were accepted and have not ended, and their bytes.
    pub pending: usize,
    pub bytes: usize,
    /// When the last attempt to connect failed, and how. `None` after one that succeeded.
    unreachable: Option<(Instant, StoreError)>,
}

impl Shared {
    pub fn new(lanes: Lanes, query_timeout: Duration, delivery: Arc<Delivery>) -> Self {
        Self {
            state: Mutex::new(State {
                order: Order::new(lanes),
                reads: VecDeque::new(),
                writes: (0..lanes.writers).map(|_| VecDeque::new()).collect(),
                table: VecDeque::new(),
                idle: Vec::new(),
                last_batch: 0,
                pending: 0,
                bytes: 0,
                unreachable: None,
            }),
            query_timeout,
            closed: watch::Sender::new(false),
            stats: Stats::default(),
            row_size: RowSize::new(),
            delivery,
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Takes everything from a lane's line that it can do together: calls on single sessions up to the bounds of a batch,
    /// or one call on the whole table. Empty if nothing waits; the lane then counts as idle. `None` when the queue is
    /// closed and everything has ended.
    pub fn take(&self, lane: &Arc<Task>) -> Option<Vec<Placed>> {
        let mut state = self.state();
        if self.is_closing() && state.pending == 0 {
            return None;
        }
        state.idle.retain(|idle| !Arc::ptr_eq(idle, lane));
        let waiting = state.line(lane.place);
        if waiting.is_empty() {
            state.idle.push(Arc::clone(lane));
            return Some(Vec::new());
        }
        let mut batch = Vec::with_capacity(waiting.len().min(BATCH_OPERATIONS));
        let mut bytes = 0;
        while let Some(next) = waiting.front() {
            let alone = next.operation.call.session().is_none();
            if batch.len() == BATCH_OPERATIONS
                || (!batch.is_empty() && (alone || bytes > BATCH_BYTES))
            {
                break;
            }
            bytes += next.operation.call.bytes();
            batch.extend(waiting.pop_front());
            if alone {
                break;
            }
        }
        Some(batch)
    }

    /// Ends a batch: releases the operations that waited for it, and delivers its outcomes.
    pub fn end(&self, batch: &[Placed], outcomes: Vec<Outcome>) {
        let mut ready = Vec::new();
        let mut woken = Vec::new();
        let mut state = self.state();
        state.last_batch = batch.len();
        for placed in batch {
            state.pending -= 1;
            state.bytes -= placed.operation.call.bytes();
            state.order.end(placed.key, &mut ready);
        }
        for placed in ready {
            let place = state.enqueue(placed);
            woken.extend(state.idle_lane(place));
        }
        let ended = self.is_closing() && state.pending == 0;
        drop(state);
        for lane in woken {
            lane.ring();
        }
        if ended {
            self.wake_all();
        }
        let tickets = batch.iter().map(|placed| placed.operation.ticket);
        self.delivery.deliver(tickets.zip(outcomes).collect());
    }

    /// Puts an operation that has more to do at the end of its line.
    pub fn put_back(&self, mut placed: Placed) {
        placed.operation.since = Instant::now();
        let mut state = self.state();
        let place = state.enqueue(placed);
        let idle = state.idle_lane(place);
        drop(state);
        if let Some(lane) = idle {
            lane.ring();
        }
    }

    /// Fails operations queued before the last failed connection attempt, so that they don't wait through a second
    /// timeout. Returns the others.
    pub fn without_late(&self, batch: Vec<Placed>) -> Vec<Placed> {
        let Some(oldest) = batch.iter().map(|placed| placed.operation.since).min() else {
            return batch;
        };
        let Some(error) = self.unreachable(oldest) else {
            return batch;
        };
        let late = |placed: &Placed| self.unreachable(placed.operation.since).is_some();
        let (late, batch): (Vec<_>, Vec<_>) = batch.into_iter().partition(late);
        let outcomes = late.iter().map(|_| Outcome::Failed(error.clone()));
        self.end(&late, outcomes.collect());
        batch
    }

    /// The error of the last connection attempt, if it failed after a call of this time was made.
    pub fn unreachable(&self, since: Instant) -> Option<StoreError> {
        let state = self.state();
        let (failed, error) = state.unreachable.as_ref()?;
        (since <= *failed).then(|| error.clone())
    }

    pub fn set_unreachable(&self, error: Option<StoreError>) {
        self.state().unreachable = error.map(|error| (Instant::now(), error));
    }

    /// Refuses calls from now on, and wakes the lanes so that they can end.
    pub fn close(&self) {
        self.closed.send_replace(true);
        self.wake_all();
    }

    pub fn is_closing(&self) -> bool {
        *self.closed.borrow()
    }

    /// Waits until the store is closed.
    pub async fn closed(&self) {
        // Fails only after the sender was dropped, and `self` owns it.
        _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }

    /// Waits until the store has been closed for longer than a trip to the database may take.
    pub async fn overdue(&self) {
        self.closed().await;
        tokio::time::sleep(self.query_timeout).await;
    }

    fn wake_all(&self) {
        let idle = std::mem::take(&mut self.state().idle);
        for lane in idle {
            lane.ring();
        }
    }
}

impl State {
    /// Adds an operation to its line, and returns which one.
    pub fn enqueue(&mut self, placed: Placed) -> Place {
        let place = placed.place;
        self.line(place).push_back(placed);
        place
    }

    /// An idle lane for each line in which something waits. They no longer count as idle.
    pub fn called_lanes(&mut self) -> Vec<Arc<Task>> {
        let writes = (0..self.writes.len()).map(Place::Writes);
        let mut called = Vec::new();
        for place in [Place::Reads, Place::Table].into_iter().chain(writes) {
            if !self.line(place).is_empty() {
                called.extend(self.idle_lane(place));
            }
        }
        called
    }

    /// An idle lane for this line. It no longer counts as idle.
    fn idle_lane(&mut self, place: Place) -> Option<Arc<Task>> {
        let index = self.idle.iter().rposition(|lane| lane.place == place)?;
        Some(self.idle.swap_remove(index))
    }

    fn line(&mut self, place: Place) -> &mut VecDeque<Placed> {
        match place {
            Place::Reads => &mut self.reads,
            Place::Writes(lane) => &mut self.writes[lane],
            Place::Table => &mut self.table,
        }
    }
}
