//! A table in memory that can be made slow, failing or panicking.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use crate::error::{ErrorKind, Remedy, Result, StoreError};
use crate::lock::lock;
use crate::operation::{Effect, Expires, Outcome, PruneProgress, Stored, TableCall, Write};
use crate::table::{READ_BYTES, Rows, SessionTable, Step};
use crate::timestamp::Timestamp;

#[derive(Default)]
pub struct Fake {
    /// Data and expiry by sid.
    pub rows: Mutex<BTreeMap<String, (String, Timestamp)>>,
    /// The trips so far, abbreviated.
    pub log: Mutex<Vec<String>>,
    /// Errors of the next trips; the last comes first.
    pub failures: Mutex<Vec<StoreError>>,
    /// The error of every attempt to connect, if there is one.
    pub away: Mutex<Option<StoreError>>,
    /// Whether attempts to connect fail only for writes.
    pub reads_apart: Mutex<bool>,
    /// Trips wait while the test holds it.
    pub gate: tokio::sync::Mutex<()>,
    /// Statements that were given up do not end while the test holds it.
    pub frozen: tokio::sync::Mutex<()>,
}

impl Fake {
    /// Removes one row a call.
    async fn prune(&self, progress: &PruneProgress, now: Timestamp) -> Result<Step> {
        let cursor = progress.cursor.as_deref();
        self.trip(format!("prune {}", cursor.unwrap_or("from the start")))
            .await?;
        let mut rows = lock(&self.rows);
        let expired = rows.iter().find(|(_, (_, at))| *at <= now);
        let Some(sid) = expired.map(|(sid, _)| sid.clone()) else {
            return Ok(Step::Pruned(0, progress.after(0, None)));
        };
        rows.remove(&sid);
        Ok(Step::Pruned(1, progress.after(1, Some(sid))))
    }

    async fn trip(&self, what: String) -> Result<()> {
        _ = self.gate.lock().await;
        lock(&self.log).push(what);
        match lock(&self.failures).pop() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

impl SessionTable for Fake {
    type Connection = ();
    type Lost = ();

    async fn connect(&self, writes: bool) -> Result<()> {
        let away = lock(&self.away).clone();
        let Some(error) = away.filter(|_| writes || !self.serves_reads_apart()) else {
            return Ok(());
        };
        _ = self.gate.lock().await;
        Err(error)
    }

    fn suits(&self, (): &(), _writes: bool) -> bool {
        true
    }

    fn leave(&self, (): (), _error: &StoreError) {
        lock(&self.log).push("leave".into());
    }

    fn serves_reads_apart(&self) -> bool {
        *lock(&self.reads_apart)
    }

    async fn begin(&self, (): &mut (), _limit: Option<Duration>) -> Result<()> {
        Ok(())
    }

    async fn end(&self, (): &mut (), _commit: bool) -> Result<()> {
        Ok(())
    }

    fn discard(&self, (): ()) {
        lock(&self.log).push("discard".into());
    }

    fn abandon(&self, (): ()) {
        lock(&self.log).push("abandon".into());
    }

    async fn settled(&self, (): &mut ()) -> Result<()> {
        let away = lock(&self.away).clone();
        if let Some(error) = away {
            return Err(error);
        }
        _ = self.frozen.lock().await;
        lock(&self.log).push("settled".into());
        Ok(())
    }

    async fn read(&self, (): &mut (), sids: &[&str]) -> Result<Rows> {
        self.trip(format!("read {}", sids.join(" "))).await?;
        assert!(!sids.contains(&"panic"), "asked to panic");
        let rows = lock(&self.rows);
        let stored = |sid: &&str| {
            rows.get(*sid).map(|(data, expires)| Stored {
                data: Some(data.clone()),
                expires: Expires::At(*expires),
            })
        };
        let mut bytes = 0;
        let mut found = 0;
        let rows = sids.iter().map(|sid| {
            let row = stored(sid).filter(|_| bytes <= READ_BYTES);
            bytes += row.as_ref().map_or(0, Stored::bytes);
            found += usize::from(row.is_some());
            row
        });
        let rows = rows.collect();
        Ok(Rows {
            rows,
            complete: bytes <= READ_BYTES || found == sids.len(),
        })
    }

    async fn write(
        &self,
        (): &mut (),
        writes: &[Write<'_>],
        now: Timestamp,
        late: Timestamp,
    ) -> Result<u64> {
        let sids: Vec<&str> = writes.iter().map(|write| write.sid).collect();
        self.trip(format!("write {}", sids.join(" "))).await?;
        if sids.contains(&"bad") {
            let error = StoreError::new(ErrorKind::Database, "bad row");
            return Err(error.with_remedy(Remedy::Isolate));
        }
        let mut rows = lock(&self.rows);
        for Write { sid, effect } in writes {
            match effect {
                Effect::Save {
                    data,
                    expires,
                    update_until,
                    ..
                } => {
                    if *update_until <= late || rows.contains_key(*sid) {
                        rows.insert((*sid).into(), ((*data).into(), *expires));
                    }
                }
                Effect::Touch { expires, .. } => {
                    if let Some(row) = rows.get_mut(*sid).filter(|(_, at)| *at > now) {
                        row.1 = *expires;
                    }
                }
                Effect::Destroy => _ = rows.remove(*sid),
            }
        }
        Ok(0)
    }

    async fn call(&self, (): &mut (), call: &TableCall, now: Timestamp) -> Result<Step> {
        let outcome = match call {
            TableCall::Length => {
                self.trip("length".into()).await?;
                Outcome::Count(lock(&self.rows).len() as u64)
            }
            TableCall::Clear => {
                self.trip("clear".into()).await?;
                lock(&self.rows).clear();
                Outcome::Done
            }
            TableCall::Prune(progress) => return self.prune(progress, now).await,
            // The queue treats all other calls alike.
            other => {
                self.trip(format!("{other:?}")).await?;
                Outcome::Done
            }
        };
        Ok(Step::Ended(outcome))
    }
}
