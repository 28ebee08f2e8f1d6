//! The size of the rows that were read lately.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Assumed before anything was read, in bytes.
const ASSUMED: usize = 16 * 1024;

/// An estimate, so that a statement asks for about as much as can be kept in memory.
pub struct RowSize(AtomicUsize);

impl RowSize {
    pub fn new() -> Self {
        Self(AtomicUsize::new(ASSUMED))
    }

    /// How many rows to ask for at a time: about so many bytes, but at least one row.
    pub fn rows_in(&self, bytes: usize) -> usize {
        (bytes / self.0.load(Ordering::Relaxed)).max(1)
    }

    /// Records what was read. The estimate grows at once, and shrinks in steps: a statement that asks for too little costs
    /// less than one that asks for too much.
    pub fn note(&self, rows: usize, bytes: usize) {
        if rows == 0 {
            return;
        }
        let mean = (bytes / rows).max(1);
        let before = self.0.load(Ordering::Relaxed);
        self.0.store(mean.max(before / 4), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_grows_at_once_and_shrinks_in_steps() {
        let size = RowSize::new();
        assert_eq!(size.rows_in(4 * 1024 * 1024), 256);
        size.note(2, 4_000_000);
        assert_eq!(size.rows_in(4_000_000), 2);
        assert_eq!(size.rows_in(1000), 1);
        size.note(0, 0);
        assert_eq!(size.rows_in(4_000_000), 2);
        size.note(10, 6000);
        assert_eq!(size.rows_in(4_000_000), 8);
        for _ in 0..10 {
            size.note(10, 6000);
        }
        assert_eq!(size.rows_in(4_000_000), 6666);
    }
}
