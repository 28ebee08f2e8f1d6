//! Reading sessions.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Lane, Limit, Trip};
use crate::error::{Remedy, Result, StoreError};
use crate::operation::{Expires, Outcome, SessionCall, Stored};
use crate::table::{READ_BYTES, Rows, SessionTable};
use crate::timestamp::Timestamp;

impl<T: SessionTable> Lane<T> {
    /// Answers the calls with these indices. Usually in one trip; large sessions in several, each of which is delivered
    /// before the next.
    pub(super) async fn read(
        &mut self,
        calls: &[(&str, &SessionCall)],
        reads: &[usize],
        outcomes: &mut [Outcome],
    ) {
        let wanted = Wanted::of(calls, reads);
        let mut left: Vec<usize> = (0..wanted.sids.len()).collect();
        // One by one after this error, since a sid that the database cannot represent must not fail the others.
        let mut isolated: Option<StoreError> = None;
        while !left.is_empty() {
            self.room().await;
            let count = match &isolated {
                Some(error) if self.is_overdue() => {
                    for (&index, place) in reads.iter().zip(&wanted.places) {
                        if left.contains(place) {
                            outcomes[index] = Outcome::Failed(error.clone());
                        }
                    }
                    return;
                }
                Some(_) => 1,
                None => left.len().min(self.shared.row_size.rows_in(READ_BYTES)),
            };
            let asked: Vec<usize> = left.drain(..count).collect();
            let sids: Vec<&str> = asked.iter().map(|&place| wanted.sids[place]).collect();
            let mut answers: Vec<Option<Outcome>> = wanted.sids.iter().map(|_| None).collect();
            match self.attempt(&Read(&sids)).await {
                Ok(Rows { rows, complete }) => {
                    let found = rows.iter().flatten();
                    let bytes = found.clone().map(Stored::bytes).sum();
                    self.shared.row_size.note(found.count(), bytes);
                    for (place, row) in asked.into_iter().zip(rows) {
                        if row.is_some() || complete {
                            answers[place] = Some(session(row, self.now));
                        } else {
                            left.push(place);
                        }
                    }
                }
                Err(error) if error.remedy == Remedy::Isolate && asked.len() > 1 => {
                    isolated = Some(error);
                    left.extend(asked);
                    continue;
                }
                Err(error) => {
                    let all = if isolated.is_some() {
                        Vec::new()
                    } else {
                        std::mem::take(&mut left)
                    };
                    for place in asked.into_iter().chain(all) {
                        answers[place] = Some(Outcome::Failed(error.clone()));
                    }
                }
            }
            let mut answered = Vec::new();
            for (&index, &place) in reads.iter().zip(&wanted.places) {
                if let Some(outcome) = &answers[place] {
                    outcomes[index] = outcome.clone();
                    answered.push(index);
                }
            }
            if !left.is_empty() {
                self.deliver_early(&answered, outcomes);
            }
        }
    }
}

/// The sessions that some calls read, each once.
struct Wanted<'a> {
    sids: Vec<&'a str>,
    /// For each call, the place of its sid in `sids`.
    places: Vec<usize>,
}

impl<'a> Wanted<'a> {
    fn of(calls: &[(&'a str, &SessionCall)], reads: &[usize]) -> Self {
        let mut sids = Vec::with_capacity(reads.len());
        if let [only] = reads {
            sids.push(calls[*only].0);
            return Self {
                sids,
                places: vec![0],
            };
        }
        let mut known = HashMap::with_capacity(reads.len());
        let places = reads.iter().map(|&index| {
            let sid = calls[index].0;
            *known.entry(sid).or_insert_with(|| {
                sids.push(sid);
                sids.len() - 1
            })
        });
        Self {
            places: places.collect(),
            sids,
        }
    }
}

/// Reads the rows of these sids, in their order.
struct Read<'a>(&'a [&'a str]);

impl Trip for Read<'_> {
    type Answer = Rows;
    const LIMIT: Limit = Limit::Query;

    fn writes(&self) -> bool {
        false
    }

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
        Some(data) => Outcome::Session {
            data: Arc::new(data),
            expires,
        },
        None => Outcome::Unreadable,
    }
}
