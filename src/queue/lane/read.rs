//! Reading sessions.

use super::{Lane, Limit, Trip, fail};
use crate::error::{Remedy, Result};
use crate::operation::{Expires, Outcome, SessionCall, Stored};
use crate::table::SessionTable;
use crate::timestamp::Timestamp;

impl<T: SessionTable> Lane<T> {
    /// Answers the calls with these indices.
    pub(super) async fn read(
        &mut self,
        calls: &[(&str, &SessionCall)],
        reads: &[usize],
        outcomes: &mut [Outcome],
    ) {
        if reads.is_empty() {
            return;
        }
        let sids: Vec<&str> = reads.iter().map(|&index| calls[index].0).collect();
        match self.attempt(&Read(&sids)).await {
            Ok(rows) => {
                let now = self.now;
                for (&index, row) in reads.iter().zip(rows) {
                    outcomes[index] = session(row, now);
                }
            }
            // One by one, since a sid that the database cannot represent must not fail the others.
            Err(error) if error.remedy == Remedy::Isolate && sids.len() > 1 => {
                for (&index, sid) in reads.iter().zip(&sids) {
                    if self.is_overdue() {
                        outcomes[index] = Outcome::Failed(error.clone());
                        continue;
                    }
                    outcomes[index] = match self.attempt(&Read(&[*sid])).await {
                        Ok(mut rows) => session(rows.pop().flatten(), self.now),
                        Err(error) => Outcome::Failed(error),
                    };
                }
            }
            Err(error) => fail(reads, &error, outcomes),
        }
    }
}

/// Reads the rows of these sids, in their order.
struct Read<'a>(&'a [&'a str]);

impl Trip for Read<'_> {
    type Answer = Vec<Option<Stored>>;
    const LIMIT: Limit = Limit::Query;
    const WRITES: bool = false;

    async fn run<T: SessionTable>(
        &self,
        table: &T,
        connection: &mut T::Connection,
    ) -> Result<Self::Answer> {
        table.read(connection, self.0).await
    }
}

/// The outcome of reading a row. An expired session is missing, even before it is deleted.
fn session(row: Option<Stored>, now: Timestamp) -> Outcome {
    let Some(Stored { data, expires }) = row else {
        return Outcome::Missing;
    };
    let expires = match expires {
        Expires::At(at) if at <= now => return Outcome::Missing,
        Expires::At(at) => Some(at),
        Expires::Never => None,
        Expires::Unreadable => return Outcome::Unreadable,
    };
    match data {
        Some(data) => Outcome::Session { data, expires },
        None => Outcome::Unreadable,
    }
}
