//! Plain calls in, batches out.
//!
//! A call is put in a line and returns. A lane that has nothing to do begins with it when the caller submits what it has
//! pushed; a lane that is busy finds all that has gathered meanwhile when it comes back. Either turns what it finds into
//! one statement per kind. Nothing waits for a timer. The outcomes of a batch go back together.

mod fold;
mod lane;
mod order;
mod stats;
mod task;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::{Lanes, QueueConfig};
use crate::error::{ErrorKind, Result, StoreError};
use crate::operation::{Operation, Outcome, Ticket};
use crate::table::SessionTable;

use lane::Lane;
use order::{Order, Place, Placed};
pub use stats::{Counts, Stats};
use task::Task;

/// How outcomes go back to the callers: all of a batch in one call.
pub type Deliver = Arc<dyn Fn(Vec<(Ticket, Outcome)>) + Send + Sync>;

/// Operations of one batch at most.
const BATCH_OPERATIONS: usize = 256;

/// Bytes after which a batch takes no more operations. MySQL's servers take packets of 4 MiB, if not of 16.
const BATCH_BYTES: usize = 1024 * 1024;

/// The front of the queue: where calls come in.
pub struct Queue {
    shared: Arc<Shared>,
    runtime: Handle,
    lanes: Mutex<Vec<JoinHandle<()>>>,
}

/// What the front and the lanes have in common.
struct Shared {
    state: Mutex<State>,
    bounds: QueueConfig,
    query_timeout: Duration,
    closed: watch::Sender<bool>,
    stats: Stats,
    deliver: Deliver,
}

struct State {
    order: Order,
    reads: VecDeque<Placed>,
    writes: Vec<VecDeque<Placed>>,
    table: VecDeque<Placed>,
    /// Lanes that have nothing to do.
    idle: Vec<Arc<Task>>,
    /// How many operations ended together the last time.
    last_batch: usize,
    /// Accepted and not yet ended, in operations and bytes.
    pending: usize,
    bytes: usize,
    /// When no connection could be had the last time, and why. None once there is one.
    unreachable: Option<(Instant, StoreError)>,
}

impl Queue {
    /// Starts the lanes on `runtime`.
    pub fn start<T: SessionTable>(
        runtime: &Handle,
        table: &Arc<T>,
        lanes: Lanes,
        bounds: QueueConfig,
        query_timeout: Duration,
        deliver: Deliver,
    ) -> Self {
        let shared = Arc::new(Shared {
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
            bounds,
            query_timeout,
            closed: watch::Sender::new(false),
            stats: Stats::default(),
            deliver,
        });
        let places = (0..lanes.readers)
            .map(|_| Place::Reads)
            .chain((0..lanes.writers).map(Place::Writes))
            .chain(lanes.table.then_some(Place::Table));
        let handles = places
            .map(|place| {
                let task = Arc::new(Task::new(place));
                let lane = Lane::new(Arc::clone(&shared), Arc::clone(table), Arc::clone(&task));
                task.start(runtime, lane.run().boxed())
            })
            .collect();
        Self {
            shared,
            runtime: runtime.clone(),
            lanes: Mutex::new(handles),
        }
    }

    /// Takes a call in, to be begun by [`Queue::submit`]. Its outcome is delivered later, never from within a call.
    ///
    /// # Errors
    /// `ERR_SESSION_CLOSED` after [`Queue::close`], `ERR_SESSION_QUEUE_FULL` when too much is pending.
    pub fn push(&self, operation: Operation) -> Result<()> {
        let bytes = operation.call.bytes();
        let mut state = self.shared.state();
        if self.shared.is_closing() {
            return Err(StoreError::closed());
        }
        let bounds = &self.shared.bounds;
        if state.pending >= bounds.max_operations
            || (state.pending > 0 && state.bytes + bytes > bounds.max_bytes)
        {
            let message = format!(
                "the session queue is full: {} operations and {} bytes are pending, \
                 `queue` allows {} operations and {} bytes",
                state.pending, state.bytes, bounds.max_operations, bounds.max_bytes
            );
            return Err(StoreError::new(ErrorKind::QueueFull, message));
        }
        state.pending += 1;
        state.bytes += bytes;
        if let Some(placed) = state.order.admit(operation) {
            state.enqueue(placed);
        }
        Ok(())
    }

    /// Has the lanes that have nothing to do begin what was pushed. A call that is alone is begun on this thread, as far
    /// as the database.
    pub fn submit(&self) {
        let mut state = self.shared.state();
        // Calls that come in numbers gather while the runtime wakes up.
        let alone = state.pending == 1 && state.last_batch <= 1;
        let called = state.called_lanes();
        drop(state);
        let _context = alone.then(|| self.runtime.enter());
        for lane in called {
            if alone {
                lane.ring_here();
            } else {
                lane.ring();
            }
        }
    }

    /// Operations accepted and not yet ended.
    pub fn pending(&self) -> usize {
        self.shared.state().pending
    }

    pub fn counts(&self) -> Counts {
        self.shared.stats.counts()
    }

    /// Refuses calls from now on. The lanes end when all that was accepted has ended; their handles are given once.
    pub fn close(&self) -> Vec<JoinHandle<()>> {
        self.shared.closed.send_replace(true);
        self.shared.wake_all();
        std::mem::take(&mut *lock(&self.lanes))
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn wake_all(&self) {
        let idle = std::mem::take(&mut self.state().idle);
        for lane in idle {
            lane.ring();
        }
    }

    /// Everything a lane of `place` can do together: calls on single sessions up to the bounds of a batch, or one call
    /// on the whole table. Empty if nothing waits; then the lane will be rung for when something does. `None` when the
    /// queue is closed and nothing is left to do.
    fn take(&self, lane: &Arc<Task>) -> Option<Vec<Placed>> {
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

    /// Fails those of a batch that were called while a connection was waited for in vain: they shall not wait for another
    /// one. The others are given back.
    fn without_late(&self, batch: Vec<Placed>) -> Vec<Placed> {
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

    /// Why no connection could be had, if that was known only after a call of this time.
    fn unreachable(&self, since: Instant) -> Option<StoreError> {
        let state = self.state();
        let (failed, error) = state.unreachable.as_ref()?;
        (since <= *failed).then(|| error.clone())
    }

    fn set_unreachable(&self, error: Option<StoreError>) {
        self.state().unreachable = error.map(|error| (Instant::now(), error));
    }

    /// Waits until the store is closed.
    async fn closed(&self) {
        // Fails only when the sender is gone, and that is here.
        _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }

    /// Waits until the store has been closed for longer than a trip to the database may take.
    async fn overdue(&self) {
        self.closed().await;
        tokio::time::sleep(self.query_timeout).await;
    }

    /// Puts an operation that has more to do at the end of its line.
    fn put_back(&self, mut placed: Placed) {
        placed.operation.since = Instant::now();
        let mut state = self.state();
        let place = state.enqueue(placed);
        let idle = state.idle_lane(place);
        drop(state);
        if let Some(lane) = idle {
            lane.ring();
        }
    }

    fn is_closing(&self) -> bool {
        *self.closed.borrow()
    }

    /// Ends a batch: what waited for it may go, and its callers get their outcomes.
    fn end(&self, batch: &[Placed], outcomes: Vec<Outcome>) {
        let mut ready = Vec::new();
        let mut woken = Vec::new();
        let mut state = self.state();
        state.last_batch = batch.len();
        for placed in batch {
            state.pending -= 1;
            state.bytes -= placed.operation.call.bytes();
            state.order.end(placed.end_key(), &mut ready);
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
        (self.deliver)(tickets.zip(outcomes).collect());
    }
}

impl State {
    fn line(&mut self, place: Place) -> &mut VecDeque<Placed> {
        match place {
            Place::Reads => &mut self.reads,
            Place::Writes(lane) => &mut self.writes[lane],
            Place::Table => &mut self.table,
        }
    }

    /// An idle lane for this place, which is idle no more.
    fn idle_lane(&mut self, place: Place) -> Option<Arc<Task>> {
        let index = self.idle.iter().rposition(|lane| lane.place == place)?;
        Some(self.idle.swap_remove(index))
    }

    /// An idle lane for each line in which something waits. They are idle no more.
    fn called_lanes(&mut self) -> Vec<Arc<Task>> {
        let writes = (0..self.writes.len()).map(Place::Writes);
        let mut called = Vec::new();
        for place in [Place::Reads, Place::Table].into_iter().chain(writes) {
            if !self.line(place).is_empty() {
                called.extend(self.idle_lane(place));
            }
        }
        called
    }

    fn enqueue(&mut self, placed: Placed) -> Place {
        let place = placed.place;
        self.line(place).push_back(placed);
        place
    }
}

/// A panic while the lock was held leaves plain data behind that is still consistent enough to go on with.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
