//! Calls on the whole table.

use sqlx::{ColumnIndex, Decode, Executor, IntoArguments, Row, Type};

use crate::database::Database;
use crate::error::Result;
use crate::operation::{Listed, Outcome, Page, PageRequest, TableCall};
use crate::timestamp::Timestamp;

use super::prune::Pruned;
use super::{PAGE_BYTES, SqlTable, Step};

impl<DB: Database> SqlTable<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
    String: Type<DB> + for<'r> Decode<'r, DB>,
    i64: Type<DB> + for<'r> Decode<'r, DB>,
    bool: Type<DB> + for<'r> Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    pub(super) async fn call_on_table(
        &self,
        connection: &mut DB::Connection,
        call: &TableCall,
        now: Timestamp,
    ) -> Result<Step> {
        let outcome = match call {
            TableCall::Length => Outcome::Count(self.length(connection, now).await?),
            TableCall::Page(request) => Outcome::Page(self.page(connection, request, now).await?),
            TableCall::Clear => {
                self.clear(connection).await?;
                Outcome::Done
            }
            TableCall::Sync { force } => {
                self.sync(connection, *force).await?;
                Outcome::Done
            }
            TableCall::Prune(progress) => {
                let cursor = progress.cursor.as_deref();
                let Pruned { removed, next } = self.prune(connection, cursor, now).await?;
                return Ok(Step::Pruned(removed, progress.after(removed, next)));
            }
        };
        Ok(Step::Ended(outcome))
    }

    /// Live sessions in the order of their sids. Stops after [`PAGE_BYTES`].
    async fn page(
        &self,
        connection: &mut DB::Connection,
        request: &PageRequest,
        now: Timestamp,
    ) -> Result<Page> {
        let table = self.inspected(connection).await?;
        let mut sessions: Vec<Listed> = Vec::new();
        let mut odd = None;
        let mut read = 0;
        let mut bytes = 0;
        let answer = self.fetch(connection, DB::page(&table, request, now), |row| {
            read += 1;
            let listed = DB::listed(&table, row).or_else(|_| {
                row.try_get_unchecked(0).map(|sid| Listed {
                    sid,
                    data: None,
                    expires: None,
                })
            });
            odd = None;
            match listed {
                Ok(mut listed) => {
                    listed.data = listed.data.map(|data| table.session_text(data));
                    bytes += listed.bytes();
                    sessions.push(listed);
                }
                // A sid that is not text cannot be requested either, so it is left out.
                Err(_) => odd = DB::sid_bytes(row),
            }
            Ok(bytes <= PAGE_BYTES)
        });
        if let Err(error) = answer.await {
            return Err(self.failed_on(connection, &table, error).await);
        }
        let last = || odd.or_else(|| Some(sessions.last()?.sid.clone().into_bytes()));
        let full = bytes > PAGE_BYTES || read >= request.limit as usize;
        let next = if full { last() } else { None };
        Ok(Page { sessions, next })
    }

    /// Number of live sessions.
    async fn length(&self, connection: &mut DB::Connection, now: Timestamp) -> Result<u64> {
        let table = self.inspected(connection).await?;
        let row = self
            .query(DB::length(&table, now))
            .fetch_one(&mut *connection)
            .await;
        let row = match row {
            Ok(row) => row,
            Err(error) => return Err(self.failed_on(connection, &table, error).await),
        };
        let count: i64 = row.try_get(0).map_err(|error| self.failed(error))?;
        Ok(count.unsigned_abs())
    }

    /// Deletes the expired rows in one bounded part of the table, which begins at `cursor` or at the start.
    async fn prune(
        &self,
        connection: &mut DB::Connection,
        cursor: Option<&str>,
        now: Timestamp,
    ) -> Result<Pruned> {
        let table = self.inspected(connection).await?;
        let pruned = match DB::prune_lock(&table) {
            Some(lock) => {
                self.prune_alone(connection, &table, cursor, now, lock)
                    .await
            }
            None => self.prune_window(connection, &table, cursor, now).await,
        };
        match pruned {
            Ok(pruned) => Ok(pruned),
            Err(error) => Err(self.failed_on(connection, &table, error).await),
        }
    }

    /// Deletes every row.
    async fn clear(&self, connection: &mut DB::Connection) -> Result<()> {
        let table = self.inspected(connection).await?;
        self.query(DB::clear(&table))
            .execute(&mut *connection)
            .await
            .map(drop)
            .map_err(|error| self.failed(error))
    }

    /// Creates the table if it is missing; with `force`, drops it first.
    async fn sync(&self, connection: &mut DB::Connection, force: bool) -> Result<()> {
        self.set_cached(None);
        if force {
            sqlx::raw_sql(DB::drop_table(&self.config))
                .execute(&mut *connection)
                .await
                .map_err(|error| self.failed(error))?;
        }
        if self.columns(connection).await?.is_empty() {
            self.create(connection).await?;
        }
        self.inspected(connection).await.map(drop)
    }
}
