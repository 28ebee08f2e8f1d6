//! Writing sessions.

use std::time::Instant;

use super::super::fold::{self, Folded};
use super::{Lane, Limit, RETRIES, RETRIES_ALONE, Trip, fail};
use crate::error::{Remedy, Result};
use crate::operation::{Outcome, SessionCall, Write};
use crate::table::SessionTable;
use crate::timestamp::Timestamp;

impl<T: SessionTable> Lane<T> {
    /// Makes the writes of a round; the outcomes are [`Outcome::Done`] already and change on failure only.
    pub(super) async fn write(
        &mut self,
        calls: &[(&str, &SessionCall)],
        folded: &[Folded<'_>],
        outcomes: &mut [Outcome],
    ) {
        if folded.is_empty() {
            return;
        }
        let writes: Vec<Write<'_>> = folded.iter().map(|folded| folded.write).collect();
        let Err(error) = self.commit(&writes).await else {
            let gone = folded.iter().map(|folded| folded.gone).sum();
            self.shared.stats.gone(gone);
            return;
        };
        let members = || folded.iter().flat_map(|folded| &folded.members);
        // A statement that breaks every connection may be too large for the server.
        let breaks = error.remedy == Remedy::Reconnect && error.server_code().is_none();
        let isolate = breaks || error.remedy == Remedy::Isolate;
        if !isolate || members().count() == 1 {
            for folded in folded {
                fail(&folded.members, &error, outcomes);
            }
            return;
        }
        // One by one, so that only the operation at fault fails.
        if breaks {
            self.retries = RETRIES_ALONE;
        }
        for &index in members() {
            if self.is_overdue() {
                outcomes[index] = Outcome::Failed(error.clone());
                continue;
            }
            let (sid, call) = calls[index];
            let write = fold::effect(call).map(|effect| Write { sid, effect });
            if let Err(error) = self.commit(write.as_slice()).await {
                outcomes[index] = Outcome::Failed(error);
            }
        }
        self.retries = RETRIES;
    }

    async fn commit(&mut self, writes: &[Write<'_>]) -> Result<()> {
        let commit = Commit {
            writes,
            now: self.now,
            since: self.newest.unwrap_or_else(Instant::now),
        };
        let gone = self.attempt(&commit).await?;
        self.shared.stats.gone(gone);
        Ok(())
    }
}

/// Makes these writes. Answers how many rows that were to be replaced only are gone.
struct Commit<'a> {
    writes: &'a [Write<'a>],
    /// When the newest of them was called, by the clock of JavaScript and by that of the queue.
    now: Timestamp,
    since: Instant,
}

impl Trip for Commit<'_> {
    type Answer = u64;
    const LIMIT: Limit = Limit::Query;

    fn writes(&self) -> bool {
        true
    }

    async fn run<T: SessionTable>(&self, table: &T, connection: &mut T::Connection) -> Result<u64> {
        let late = self.now.after(self.since.elapsed());
        table.write(connection, self.writes, self.now, late).await
    }
}
