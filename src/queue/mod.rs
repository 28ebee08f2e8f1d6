//! Plain calls in, batches out.
//!
//! A call is put in a line and returns. A lane that has nothing to do takes it at once; a lane that is busy finds all
//! that has gathered meanwhile when it comes back, and turns it into one statement per kind. Nothing waits for a timer.
//! The outcomes of a batch go back together.

mod fold;
mod lane;
mod order;
mod stats;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::config::{Lanes, QueueConfig};
use crate::error::{Kind, Result, StoreError};
use crate::operation::{Operation, Outcome, Ticket};
use crate::table::SessionTable;

use lane::Lane;
use order::{Order, Place, Placed};
pub use stats::{Counts, Stats};

/// How outcomes go back to the callers: all of a batch in one call.
pub type Deliver = Arc<dyn Fn(Vec<(Ticket, Outcome)>) + Send + Sync>;

/// Operations of one batch at most.
const BATCH_OPERATIONS: usize = 256;

/// Bytes after which a batch takes no more operations. MySQL's servers take packets of 4 MiB, if not of 16.
const BATCH_BYTES: usize = 1024 * 1024;

/// The front of the queue: where calls come in.
pub struct Queue {
    shared: Arc<Shared>,
    lanes: Mutex<Vec<JoinHandle<()>>>,
}

/// What the front and the lanes have in common.
struct Shared {
    state: Mutex<State>,
    reads_waiting: Notify,
    writes_waiting: Vec<Notify>,
    table_waiting: Notify,
    bounds: QueueConfig,
    query_timeout: Duration,
    stats: Stats,
    deliver: Deliver,
}

struct State {
    order: Order,
    reads: VecDeque<Placed>,
    writes: Vec<VecDeque<Placed>>,
    table: VecDeque<Placed>,
    /// Accepted and not yet ended, in operations and bytes.
    pending: usize,
    bytes: usize,
    closing: bool,
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
                pending: 0,
                bytes: 0,
                closing: false,
            }),
            reads_waiting: Notify::new(),
            writes_waiting: (0..lanes.writers).map(|_| Notify::new()).collect(),
            table_waiting: Notify::new(),
            bounds,
            query_timeout,
            stats: Stats::default(),
            deliver,
        });
        let places = (0..lanes.readers)
            .map(|_| Place::Reads)
            .chain((0..lanes.writers).map(Place::Writes))
            .chain(lanes.table.then_some(Place::Table));
        let handles = places
            .map(|place| {
                let lane = Lane::new(Arc::clone(&shared), Arc::clone(table), place);
                runtime.spawn(lane.run())
            })
            .collect();
        Self {
            shared,
            lanes: Mutex::new(handles),
        }
    }

    /// Takes a call in. Its outcome is delivered later, never from within this call.
    ///
    /// # Errors
    /// `ERR_SESSION_CLOSED` after [`Queue::close`], `ERR_SESSION_QUEUE_FULL` when too much is pending.
    pub fn push(&self, operation: Operation) -> Result<()> {
        let bytes = operation.call.bytes();
        let mut state = self.shared.state();
        if state.closing {
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
            return Err(StoreError::new(Kind::QueueFull, message));
        }
        state.pending += 1;
        state.bytes += bytes;
        let placed = state.order.admit(operation);
        if let Some(placed) = placed {
            let place = state.enqueue(placed);
            drop(state);
            self.shared.wake(place);
        }
        Ok(())
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
        self.shared.state().closing = true;
        self.shared.wake_all();
        std::mem::take(&mut *lock(&self.lanes))
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn waiting(&self, place: Place) -> &Notify {
        match place {
            Place::Reads => &self.reads_waiting,
            Place::Writes(lane) => &self.writes_waiting[lane],
            Place::Table => &self.table_waiting,
        }
    }

    fn wake(&self, place: Place) {
        self.waiting(place).notify_one();
    }

    fn wake_all(&self) {
        self.reads_waiting.notify_waiters();
        self.table_waiting.notify_waiters();
        for lane in &self.writes_waiting {
            lane.notify_waiters();
        }
    }

    /// Everything a lane of `place` can do together: calls on single sessions up to the bounds of a batch, or one call
    /// on the whole table. Empty if nothing waits; `None` when the queue is closed and nothing is left to do.
    fn take(&self, place: Place) -> Option<Vec<Placed>> {
        let mut state = self.state();
        if state.closing && state.pending == 0 {
            return None;
        }
        let line = state.line(place);
        let mut batch = Vec::with_capacity(line.len().min(BATCH_OPERATIONS));
        let mut bytes = 0;
        while let Some(next) = line.front() {
            let alone = next.operation.call.sid().is_none();
            if batch.len() == BATCH_OPERATIONS
                || (!batch.is_empty() && (alone || bytes > BATCH_BYTES))
            {
                break;
            }
            bytes += next.operation.call.bytes();
            batch.extend(line.pop_front());
            if alone {
                break;
            }
        }
        Some(batch)
    }

    /// Puts an operation that has more to do at the end of its line.
    fn put_back(&self, placed: Placed) {
        let place = self.state().enqueue(placed);
        self.wake(place);
    }

    fn is_closing(&self) -> bool {
        self.state().closing
    }

    /// Ends a batch: what waited for it may go, and its callers get their outcomes.
    fn end(&self, batch: &[Placed], outcomes: Vec<Outcome>) {
        let mut ready = Vec::new();
        let mut woken = Vec::new();
        let mut state = self.state();
        for placed in batch {
            state.pending -= 1;
            state.bytes -= placed.operation.call.bytes();
            state.order.end(placed.end_key(), &mut ready);
        }
        for placed in ready {
            woken.push(state.enqueue(placed));
        }
        let ended = state.closing && state.pending == 0;
        drop(state);
        for place in woken {
            self.wake(place);
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
