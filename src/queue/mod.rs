//! Plain calls in, batches out.
//!
//! A call is put in a line and returns. An idle lane begins with it when the caller submits what it has pushed; a busy
//! lane finds everything that has gathered meanwhile when it comes back. Either makes one statement of each kind from
//! what it finds. Nothing waits for a timer. The outcomes of a batch are delivered together.

mod delivery;
mod fold;
mod lane;
mod order;
mod row_size;
mod shared;
mod stats;
mod task;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::config::{Lanes, QueueConfig};
use crate::error::{ErrorKind, Result, StoreError};
use crate::lock::lock;
use crate::operation::Operation;
use crate::table::SessionTable;

pub use delivery::{Delivery, Mailbox};
use lane::Lane;
use order::Place;
use shared::Shared;
pub use stats::Counts;
use task::Task;

/// Time limits of the queue.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long a connection may take.
    pub acquire: Duration,
    /// How long a trip for single sessions may take.
    pub query: Duration,
}

impl Limits {
    /// How long a call may wait until it is begun, and how long a batch of calls on single sessions may take with all of
    /// its repetitions.
    pub fn total(self) -> Duration {
        self.acquire + self.query
    }
}

/// The entrance of the queue.
pub struct Queue {
    shared: Arc<Shared>,
    bounds: QueueConfig,
    runtime: Handle,
    lanes: Mutex<Vec<JoinHandle<()>>>,
}

impl Queue {
    /// Starts the lanes on `runtime`.
    pub fn start<T: SessionTable>(
        runtime: &Handle,
        table: &Arc<T>,
        lanes: Lanes,
        bounds: QueueConfig,
        limits: Limits,
        delivery: Arc<Delivery>,
    ) -> Self {
        let shared = Arc::new(Shared::new(lanes, limits, delivery));
        runtime.spawn(Arc::clone(&shared).fail_late_calls());
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
            bounds,
            runtime: runtime.clone(),
            lanes: Mutex::new(handles),
        }
    }

    /// Accepts a call, to be begun by [`Queue::submit`]. Its outcome is delivered later, never from within this method.
    ///
    /// # Errors
    /// `ERR_SESSION_CLOSED` after [`Queue::close`], `ERR_SESSION_QUEUE_FULL` when too much is pending.
    pub fn push(&self, operation: Operation) -> Result<()> {
        let bytes = operation.call.bytes();
        let mut state = self.shared.state();
        if self.shared.is_closing() {
            return Err(StoreError::closed());
        }
        let bounds = &self.bounds;
        // A single call of any size is accepted.
        if state.pending >= bounds.max_operations
            || (state.pending > 0 && state.bytes + bytes > bounds.max_bytes)
        {
            let message = format!(
                "the session queue is full: {} operations with {} bytes are pending, \
                 option `queue` allows {} operations and {} bytes",
                state.pending, state.bytes, bounds.max_operations, bounds.max_bytes
            );
            return Err(StoreError::new(ErrorKind::QueueFull, message));
        }
        state.pending += 1;
        state.bytes += bytes;
        self.shared.note_call(&mut state);
        if let Some(placed) = state.order.admit(operation) {
            state.enqueue(placed);
        }
        Ok(())
    }

    /// Makes idle lanes begin what was pushed. A single call is begun on this thread, up to the point where it waits for
    /// the database.
    pub fn submit(&self) {
        let mut state = self.shared.state();
        // When there are several callers, their calls gather while the runtime wakes up.
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

    /// Number of operations that were accepted and have not ended.
    pub fn pending(&self) -> usize {
        self.shared.state().pending
    }

    pub fn counts(&self) -> Counts {
        self.shared.stats.counts()
    }

    /// Refuses calls from now on. The lanes end when everything that was accepted has ended. Returns their handles, the
    /// first time only.
    pub fn close(&self) -> Vec<JoinHandle<()>> {
        self.shared.close();
        std::mem::take(&mut *lock(&self.lanes))
    }
}

#[cfg(test)]
mod tests;
