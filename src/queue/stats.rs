//! Counts of the queue's work.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters that only grow.
#[derive(Debug, Default)]
pub struct Stats {
    batches: AtomicU64,
    operations: AtomicU64,
    retries: AtomicU64,
    pruned: AtomicU64,
    gone: AtomicU64,
}

/// The values of the counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Batches handed to a lane.
    pub batches: u64,
    /// Operations in those batches.
    pub operations: u64,
    /// Trips to the database that were repeated.
    pub retries: u64,
    /// Expired sessions removed.
    pub pruned: u64,
    /// Saves of loaded sessions that had been destroyed in the meantime.
    pub gone: u64,
}

impl Stats {
    pub fn batch(&self, operations: usize) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.operations
            .fetch_add(operations as u64, Ordering::Relaxed);
    }

    pub fn retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub fn pruned(&self, sessions: u64) {
        self.pruned.fetch_add(sessions, Ordering::Relaxed);
    }

    pub fn gone(&self, sessions: u64) {
        self.gone.fetch_add(sessions, Ordering::Relaxed);
    }

    pub fn counts(&self) -> Counts {
        Counts {
            batches: self.batches.load(Ordering::Relaxed),
            operations: self.operations.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            pruned: self.pruned.load(Ordering::Relaxed),
            gone: self.gone.load(Ordering::Relaxed),
        }
    }
}
