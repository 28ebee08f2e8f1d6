//! Taking locks.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a lock, even after a panic in another holder: what it left behind is plain data, and consistent enough to go
/// on with.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
