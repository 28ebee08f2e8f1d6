//! What the entrance of the queue and its lanes share.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use crate::config::Lanes;
use crate::error::{ErrorKind, StoreError};
use crate::lock::lock;
use crate::operation::{Call, Operation, Outcome, TableCall};

use super::order::{Key, Order, Place, Placed};
use super::row_size::RowSize;
use super::stats::Stats;
use super::task::Task;
use super::{Delivery, Limits};

/// Maximum number of operations in a batch.
const BATCH_OPERATIONS: usize = 256;

/// A batch of more bytes takes no further operation. MySQL servers accept packets of 4 MiB, if not of 16.
const BATCH_BYTES: usize = 1024 * 1024;

pub struct Shared {
    state: Mutex<State>,
    pub limits: Limits,
    closed: watch::Sender<bool>,
    /// Closed, and everything that was accepted has ended.
    drained: watch::Sender<bool>,
    /// Rung when a call comes in after a time without calls.
    called: Notify,
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
    /// A call came in since the last look for late ones.
    pub active: bool,
    /// Nobody looks for late calls until [`Shared::called`] is rung.
    pub resting: bool,
    /// When the last attempt to connect failed, and how. `None` after one that succeeded.
    unreachable: Option<(Instant, StoreError)>,
    /// The same, if only writes need what was not found.
    refusing_writes: Option<(Instant, StoreError)>,
}

impl Shared {
    pub fn new(lanes: Lanes, limits: Limits, delivery: Arc<Delivery>) -> Self {
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
                active: false,
                resting: false,
                unreachable: None,
                refusing_writes: None,
            }),
            limits,
            closed: watch::Sender::new(false),
            drained: watch::Sender::new(false),
            called: Notify::new(),
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
        let mut state = self.state();
        state.last_batch = batch.len();
        let mut ready = Vec::new();
        for placed in batch {
            state.order.end(placed.key, &mut ready);
        }
        self.settle(
            state,
            batch.iter().map(|placed| &placed.operation),
            outcomes,
            ready,
        );
    }

    /// Delivers the outcomes of a batch whose sessions stay under way, until [`Shared::release`].
    pub fn answer(&self, batch: &[Placed], outcomes: Vec<Outcome>) {
        let operations = batch.iter().map(|placed| &placed.operation);
        self.settle(self.state(), operations, outcomes, Vec::new());
    }

    /// Releases the operations that waited for others with these keys.
    pub fn release(&self, keys: &[Key]) {
        let mut state = self.state();
        let mut ready = Vec::new();
        for &key in keys {
            state.order.end(key, &mut ready);
        }
        self.settle(state, std::iter::empty(), Vec::new(), ready);
    }

    /// Removes operations from the count of those pending, makes lanes begin the ones that are ready, and delivers.
    fn settle<'a>(
        &self,
        mut state: MutexGuard<'_, State>,
        ended: impl Iterator<Item = &'a Operation>,
        outcomes: Vec<Outcome>,
        ready: Vec<Placed>,
    ) {
        let mut answers = Vec::with_capacity(outcomes.len());
        for (operation, outcome) in ended.zip(outcomes) {
            state.pending -= 1;
            state.bytes -= operation.call.bytes();
            answers.push((operation.ticket, outcome));
        }
        let mut woken = Vec::new();
        for placed in ready {
            let place = state.enqueue(placed);
            woken.extend(state.idle_lane(place));
        }
        let drained = self.is_closing() && state.pending == 0;
        drop(state);
        for lane in woken {
            lane.ring();
        }
        if drained {
            self.drained.send_replace(true);
            self.wake_all();
        }
        self.delivery.deliver(answers);
    }

    /// Puts off the rest of an operation that has more to do: until [`Shared::resume`], nothing waits for it.
    pub fn put_off(&self, placed: Placed) -> Operation {
        self.release(&[placed.key]);
        placed.operation
    }

    /// Puts an operation that was put off in its line again.
    pub fn resume(&self, mut operation: Operation) {
        operation.since = Instant::now();
        let mut state = self.state();
        let ready = state.order.admit(operation).into_iter().collect();
        self.settle(state, std::iter::empty(), Vec::new(), ready);
    }

    /// Fails the calls that have waited for longer than they may, again and again until everything has ended.
    pub async fn fail_late_calls(self: Arc<Self>) {
        let limit = self.limits.total();
        let interval = (limit / 8).clamp(Duration::from_millis(20), Duration::from_secs(1));
        let watch = async {
            loop {
                sleep(interval).await;
                if self.rests() {
                    self.called.notified().await;
                }
                self.fail_called_before(limit);
            }
        };
        tokio::select! {
            () = watch => {}
            () = self.drained() => {}
        }
    }

    /// Whether there was nothing to do since the last time that this was asked.
    fn rests(&self) -> bool {
        let mut state = self.state();
        let active = std::mem::take(&mut state.active);
        state.resting = !active && state.pending == 0;
        state.resting
    }

    fn fail_called_before(&self, limit: Duration) {
        let late = |operation: &Operation| {
            // A pruning run that has begun is put off again and again.
            let begun = matches!(&operation.call, Call::Table(TableCall::Prune(progress)) if progress.cursor.is_some());
            !begun && operation.since.elapsed() >= limit
        };
        // Others may have become ready that are late as well; the next look finds them.
        let message = format!(
            "the operation was not started within {} ms (`pool.acquireTimeout` and `pool.queryTimeout` together), \
             since operations called before it have not ended",
            limit.as_millis()
        );
        let state = self.state();
        let places = state.places();
        self.fail_waiting(
            state,
            places,
            late,
            &StoreError::new(ErrorKind::Timeout, message),
        );
    }

    /// Fails the operations in a line, and those that wait for others, that were called before the last failed attempt to
    /// connect: as long as the server cannot be reached, it is not known when what they wait for ends.
    pub fn fail_line(&self, place: Place) {
        let state = self.state();
        if let Some((failed, error)) = state.unreachable.clone() {
            self.fail_waiting(
                state,
                std::iter::once(place),
                |operation| operation.since <= failed,
                &error,
            );
        }
    }

    /// Fails the late operations in these lines, and those that wait for others.
    fn fail_waiting(
        &self,
        mut state: MutexGuard<'_, State>,
        places: impl Iterator<Item = Place>,
        late: impl Fn(&Operation) -> bool,
        error: &StoreError,
    ) {
        let mut ready = Vec::new();
        let mut removed = state.order.remove_late(&late, &mut ready);
        for place in places {
            for placed in state.remove_from(place, &late) {
                state.order.end(placed.key, &mut ready);
                removed.push(placed.operation);
            }
        }
        let outcomes = removed.iter().map(|_| Outcome::Failed(error.clone()));
        self.settle(state, removed.iter(), outcomes.collect(), ready);
    }

    /// Fails operations queued before the last failed connection attempt, so that they don't wait through a second
    /// timeout. Returns the others.
    pub fn without_late(&self, batch: Vec<Placed>) -> Vec<Placed> {
        let error = |placed: &Placed| {
            let operation = &placed.operation;
            self.unreachable(operation.since, operation.call.writes())
        };
        let Some(first) = batch.iter().find_map(error) else {
            return batch;
        };
        let (late, batch): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .partition(|placed| error(placed).is_some());
        let outcomes = late.iter().map(|_| Outcome::Failed(first.clone()));
        self.end(&late, outcomes.collect());
        batch
    }

    /// The error of the last connection attempt, if it failed after a call of this time was made.
    pub fn unreachable(&self, since: Instant, writes: bool) -> Option<StoreError> {
        let state = self.state();
        let both = [&state.unreachable, &state.refusing_writes];
        let mut failures = both.into_iter().take(if writes { 2 } else { 1 }).flatten();
        let (_, error) = failures.find(|(failed, _)| since <= *failed)?;
        Some(error.clone())
    }

    /// Notes a failed attempt to connect.
    pub fn set_unreachable(&self, error: StoreError) {
        self.state().unreachable = Some((Instant::now(), error));
    }

    /// Notes an attempt that failed only for writes.
    pub fn set_refusing_writes(&self, error: StoreError) {
        self.state().refusing_writes = Some((Instant::now(), error));
    }

    /// Notes an attempt to connect that succeeded.
    pub fn set_reached(&self, writes: bool) {
        let mut state = self.state();
        state.unreachable = None;
        if writes {
            state.refusing_writes = None;
        }
    }

    /// Records that a call came in.
    pub fn note_call(&self, state: &mut State) {
        state.active = true;
        if std::mem::take(&mut state.resting) {
            self.called.notify_one();
        }
    }

    /// Refuses calls from now on, and wakes the lanes so that they can end.
    pub fn close(&self) {
        // Together with the number of pending calls, so that the last of them finds the store closing, or is seen here.
        let state = self.state();
        self.closed.send_replace(true);
        let drained = state.pending == 0;
        drop(state);
        if drained {
            self.drained.send_replace(true);
        }
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
        sleep(self.limits.query).await;
    }

    /// Waits until the store is closed and everything that it accepted has ended.
    pub async fn drained(&self) {
        // Fails only after the sender was dropped, and `self` owns it.
        _ = self.drained.subscribe().wait_for(|drained| *drained).await;
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

    /// All lines.
    fn places(&self) -> impl Iterator<Item = Place> + use<> {
        let writes = (0..self.writes.len()).map(Place::Writes);
        [Place::Reads, Place::Table].into_iter().chain(writes)
    }

    /// An idle lane for each line in which something waits. They no longer count as idle.
    pub fn called_lanes(&mut self) -> Vec<Arc<Task>> {
        let mut called = Vec::new();
        for place in self.places() {
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

    fn remove_from(&mut self, place: Place, which: impl Fn(&Operation) -> bool) -> Vec<Placed> {
        let line = self.line(place);
        if !line.iter().any(|placed| which(&placed.operation)) {
            return Vec::new();
        }
        let (removed, kept) = line.drain(..).partition(|placed| which(&placed.operation));
        *line = kept;
        let removed: VecDeque<Placed> = removed;
        removed.into()
    }

    fn line(&mut self, place: Place) -> &mut VecDeque<Placed> {
        match place {
            Place::Reads => &mut self.reads,
            Place::Writes(lane) => &mut self.writes[lane],
            Place::Table => &mut self.table,
        }
    }
}
