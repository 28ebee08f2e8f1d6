//! Deleting expired sessions, one window of the table at a time.

use sqlx::{ColumnIndex, Connection, Decode, Executor, IntoArguments, Row, Type};

use crate::database::{Database, InspectedTable, Statement};
use crate::timestamp::Timestamp;

use super::SqlTable;

/// What one step of pruning did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pruned {
    /// Number of rows deleted.
    pub removed: u64,
    /// The cursor of the next part of the table; `None` at its end.
    pub next: Option<String>,
}

impl<DB: Database> SqlTable<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
    String: Type<DB> + for<'r> Decode<'r, DB>,
    i64: Type<DB> + for<'r> Decode<'r, DB>,
    bool: Type<DB> + for<'r> Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    /// Deletes the expired sessions of one window: finds them without locks, and deletes them by sid.
    pub(super) async fn prune_window(
        &self,
        connection: &mut DB::Connection,
        table: &InspectedTable,
        cursor: Option<&str>,
        now: Timestamp,
    ) -> sqlx::Result<Pruned> {
        let rows = self
            .query(DB::expired(table, cursor, now))
            .fetch_all(&mut *connection)
            .await?;
        let mut next = None;
        let mut sids: Vec<String> = Vec::new();
        for row in &rows {
            // A sid that is not text belongs to no session of ours, and sorts after those that are.
            next = row.try_get_unchecked(0).ok().flatten();
            sids.extend(row.try_get_unchecked::<Option<String>, _>(1).ok().flatten());
        }
        if sids.is_empty() {
            return Ok(Pruned { removed: 0, next });
        }
        sids.sort_unstable();
        let sids: Vec<&str> = sids.iter().map(String::as_str).collect();
        let deleted = self
            .query(DB::delete_expired(table, &sids, now))
            .execute(connection)
            .await?;
        let removed = DB::rows_affected(&deleted);
        Ok(Pruned { removed, next })
    }

    /// The same if no other process is pruning; otherwise does nothing.
    pub(super) async fn prune_alone(
        &self,
        connection: &mut DB::Connection,
        table: &InspectedTable,
        cursor: Option<&str>,
        now: Timestamp,
        lock: Statement<DB>,
    ) -> sqlx::Result<Pruned> {
        let mut transaction = connection.begin().await?;
        match self.query(lock).fetch_one(&mut *transaction).await {
            Ok(row) if !row.try_get::<bool, _>(0)? => return Ok(Pruned::default()),
            Ok(_) => {}
            // Other processes may prune too then, which is redundant but harmless.
            Err(error) if DB::lacks_locks(&error) => {
                drop(transaction);
                return self.prune_window(connection, table, cursor, now).await;
            }
            Err(error) => return Err(error),
        }
        let pruned = self
            .prune_window(&mut transaction, table, cursor, now)
            .await;
        if let Some(unlock) = DB::prune_unlock(table) {
            self.query(unlock).execute(&mut *transaction).await?;
        }
        let pruned = pruned?;
        transaction.commit().await?;
        Ok(pruned)
    }
}
