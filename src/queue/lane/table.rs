//! Calls on the whole table.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::super::order::Placed;
use super::{Lane, Limit, Trip};
use crate::error::Result;
use crate::operation::{Outcome, PageRequest, TableCall};
use crate::table::{PAGE_BYTES, SessionTable, Step};
use crate::timestamp::Timestamp;

/// Pause of a pruning run while other calls come in, as a multiple of the time that its last chunk took. Limits pruning
/// to a fifth of a processor. Without other calls the pause is as long as the chunk.
const PRUNE_PAUSE: u32 = 4;

impl<T: SessionTable> Lane<T> {
    /// Runs a call. `None` if it has more to do: then it was changed into what is left.
    pub(super) async fn call_on_table(&mut self, call: &mut TableCall) -> Option<Outcome> {
        if let TableCall::Page(request) = call {
            self.bound(request).await;
        }
        let trip = TableTrip {
            call,
            now: self.now,
        };
        let (removed, progress) = match self.attempt(&trip).await {
            Ok(Step::Ended(Outcome::Page(page))) => {
                let with_data = matches!(call, TableCall::Page(request) if request.with_data);
                if with_data {
                    self.shared.row_size.note(page.sessions.len(), page.bytes());
                }
                return Some(Outcome::Page(page));
            }
            Ok(Step::Ended(outcome)) => return Some(outcome),
            Ok(Step::Pruned(removed, progress)) => (removed, progress),
            Err(error) => return Some(Outcome::Failed(error)),
        };
        self.shared.stats.pruned(removed);
        if progress.cursor.is_none() || self.shared.is_closing() {
            return Some(Outcome::Count(progress.removed));
        }
        *call = TableCall::Prune(progress);
        None
    }

    /// Waits until there is room for a page, and asks for no more sessions than it is likely to hold.
    async fn bound(&mut self, request: &mut PageRequest) {
        self.room().await;
        if request.with_data {
            let rows = self.shared.row_size.rows_in(PAGE_BYTES);
            request.limit = request.limit.min(u32::try_from(rows).unwrap_or(u32::MAX));
        }
    }

    /// Puts off the rest of a pruning run, for a pause in which others can use the database. Fences do not wait for it.
    pub(super) fn resume_later(&self, batch: Vec<Placed>, took: Duration, alone: bool) {
        let pause = if alone { took } else { took * PRUNE_PAUSE };
        let shared = Arc::clone(&self.shared);
        let operations: Vec<_> = batch
            .into_iter()
            .map(|placed| shared.put_off(placed))
            .collect();
        tokio::spawn(async move {
            // A store that is closing does not wait.
            _ = timeout(pause, shared.closed()).await;
            for operation in operations {
                shared.resume(operation);
            }
        });
    }
}

/// A call with the time at which it was made, by the clock of JavaScript.
struct TableTrip<'a> {
    call: &'a TableCall,
    now: Timestamp,
}

impl Trip for TableTrip<'_> {
    type Answer = Step;
    const LIMIT: Limit = Limit::Closing;

    fn writes(&self) -> bool {
        self.call.writes()
    }

    async fn run<T: SessionTable>(
        &self,
        table: &T,
        connection: &mut T::Connection,
    ) -> Result<Step> {
        table.call(connection, self.call, self.now).await
    }
}
