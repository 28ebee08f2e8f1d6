//! The session table in a database, over sqlx.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::query::Query;
use sqlx::{ColumnIndex, Connection, Decode, Either, Executor, IntoArguments, SqlSafeStr, Type};

use crate::config::{ConnectionConfig, PoolConfig, TableConfig};
use crate::database::{
    Batch, Database, InspectedTable, Key, Settings, Statement, Target, rows_updated,
};
use crate::error::{ErrorKind, Remedy, Result, StoreError};
use crate::operation::{Expires, Stored, TableCall, Write};
use crate::timestamp::Timestamp;

use super::lost::LostConnection;
use super::pool::{Pool, TableConnection, close_hard};
use super::{Note, READ_BYTES, Rows, SessionTable, Step};

/// More than enough bytes for what a packet holds beside the sessions: a statement and its other values.
const PACKET_REST: usize = 64 * 1024;

/// The sessions in one table of one database.
pub struct SqlTable<DB: Database> {
    pub(super) config: TableConfig,
    pool: Pool<DB>,
    pub(super) acquire_timeout: Duration,
    pub(super) prepared_statements: bool,
    /// The table as it was found; forgotten when a statement no longer fits.
    pub(super) inspected: Mutex<Option<Arc<InspectedTable>>>,
    /// Held during an inspection, so that one lane creates the table and the others find it.
    pub(super) inspecting: tokio::sync::Mutex<()>,
    /// The table was found once. If it is missing after that, the store reports an error instead of creating an empty
    /// table, which would turn an outage into logouts.
    pub(super) found: AtomicBool,
    pub(super) note: Arc<Note>,
}

impl<DB: Database> SqlTable<DB> {
    /// Creates the pool without connecting. Needs a Tokio context.
    pub fn new(
        config: TableConfig,
        target: Target<DB>,
        pool: &PoolConfig,
        connection: &ConnectionConfig,
    ) -> Self {
        let settings = Settings {
            query_timeout: pool.query_timeout,
            causal_reads: connection.causal_reads,
        };
        // Through a pooler, a connection has other names than on the server.
        let prepared_statements = connection.prepared_statements;
        Self {
            config,
            pool: Pool::new(target, settings, pool, prepared_statements),
            acquire_timeout: pool.acquire_timeout,
            prepared_statements,
            inspected: Mutex::default(),
            inspecting: tokio::sync::Mutex::default(),
            found: AtomicBool::new(false),
            note: Arc::default(),
        }
    }

    /// What the store has decided about the table.
    pub fn note(&self) -> &Arc<Note> {
        &self.note
    }

    pub fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    /// The store's error for a driver's error. If the table is no longer as it was found, the next call inspects it
    /// again.
    pub(super) fn failed(&self, error: sqlx::Error) -> StoreError {
        let error = DB::error(error);
        if error.kind == ErrorKind::Table {
            self.set_cached(None);
        }
        error
    }
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
    pub(super) fn query(&self, statement: Statement<DB>) -> Query<'static, DB, DB::Arguments> {
        sqlx::query_with(statement.sql, statement.arguments).persistent(self.prepared_statements)
    }

    /// Hands over the rows of a statement, until `more` does not want any more of them. The driver skips the rest when the
    /// connection is used again.
    pub(super) async fn fetch(
        &self,
        connection: &mut DB::Connection,
        statement: Statement<DB>,
        mut more: impl FnMut(&DB::Row) -> sqlx::Result<bool> + Send,
    ) -> sqlx::Result<()> {
        let mut rows = connection.fetch(self.query(statement));
        while let Some(row) = rows.try_next().await? {
            if !more(&row)? {
                break;
            }
        }
        Ok(())
    }

    /// Runs `BEGIN`, `COMMIT` or `ROLLBACK` if there are no prepared statements. sqlx then prepares and runs a statement
    /// in two messages, which a pooler in transaction mode may send to two connections unless they are in one
    /// transaction.
    pub(super) async fn control_transaction(
        &self,
        connection: &mut DB::Connection,
        sql: impl SqlSafeStr + Send,
    ) -> Result<()> {
        if self.prepared_statements {
            return Ok(());
        }
        let ran = sqlx::raw_sql(sql).execute(connection).await;
        ran.map(drop).map_err(|error| self.failed(error))
    }

    /// Runs one commit. Returns the number of updates that did not find their row.
    async fn commit(
        &self,
        connection: &mut DB::Connection,
        batch: &Batch<'_>,
        now: Timestamp,
    ) -> Result<u64> {
        let table = self.inspected(connection).await?;
        let table = self.with_extra_columns(connection, table, batch).await?;
        check_size(&table, batch)?;
        let statements = DB::write(&table, batch, now);
        match self.run_all(&mut *connection, statements).await {
            Ok(updated) => Ok(batch.missing(updated)),
            Err(error) => {
                if let Some(rollback) = DB::ROLLBACK {
                    // Fails if there is no open transaction, which is fine.
                    _ = sqlx::raw_sql(rollback).execute(&mut *connection).await;
                }
                if DB::meets_another_row(&error) {
                    return Err(self.met_another_row(connection, &table, error).await);
                }
                Err(self.failed_on(connection, &table, error).await)
            }
        }
    }

    /// Runs the statements of one commit, in a transaction if there are several. Returns the number of updates that found
    /// their row.
    async fn run_all(
        &self,
        connection: &mut DB::Connection,
        statements: Vec<Statement<DB>>,
    ) -> sqlx::Result<u64> {
        let mut updated = 0;
        // Without prepared statements, there is a transaction already.
        if statements.len() == 1 || !self.prepared_statements {
            for statement in statements {
                updated += self.run(connection, statement).await?;
            }
            return Ok(updated);
        }
        let mut transaction = connection.begin().await?;
        for statement in statements {
            updated += self.run(&mut transaction, statement).await?;
        }
        transaction.commit().await?;
        Ok(updated)
    }

    async fn run(
        &self,
        connection: &mut DB::Connection,
        statement: Statement<DB>,
    ) -> sqlx::Result<u64> {
        let counts_updates = statement.counts_updates;
        let mut affected = Vec::new();
        let mut results = connection.fetch_many(self.query(statement));
        while let Some(step) = results.try_next().await? {
            if let Either::Left(result) = step {
                affected.push(DB::rows_affected(&result));
            }
        }
        Ok(rows_updated(counts_updates, &affected))
    }
}

impl<DB: Database> SessionTable for SqlTable<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
    String: Type<DB> + for<'r> Decode<'r, DB>,
    i64: Type<DB> + for<'r> Decode<'r, DB>,
    bool: Type<DB> + for<'r> Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    type Connection = TableConnection<DB>;
    type Lost = LostConnection;

    async fn connect(&self, writes: bool) -> Result<Self::Connection> {
        self.pool.acquire(writes).await
    }

    fn suits(&self, connection: &Self::Connection, writes: bool) -> bool {
        self.pool.suits(connection.live(), writes)
    }

    fn leave(&self, connection: Self::Connection, error: &StoreError) {
        self.pool.leave(connection, error.cause.clone());
    }

    fn serves_reads_apart(&self) -> bool {
        self.pool.serves_reads_apart()
    }

    async fn begin(
        &self,
        connection: &mut Self::Connection,
        limit: Option<Duration>,
    ) -> Result<()> {
        if self.prepared_statements {
            return Ok(());
        }
        self.control_transaction(connection, DB::begin(limit)).await
    }

    async fn end(&self, connection: &mut Self::Connection, commit: bool) -> Result<()> {
        let sql = if commit { "COMMIT" } else { "ROLLBACK" };
        self.control_transaction(connection, sql).await
    }

    fn discard(&self, connection: Self::Connection) {
        self.pool.doubt();
        close_hard(connection.into_live());
    }

    fn abandon(&self, connection: Self::Connection) -> Self::Lost {
        self.pool.doubt();
        Self::give_up(connection)
    }

    async fn settled(&self, lost: &mut Self::Lost) -> Result<()> {
        self.ended(lost).await
    }

    async fn read(&self, connection: &mut Self::Connection, sids: &[&str]) -> Result<Rows> {
        let table = self.inspected(connection).await?;
        let mut rows: Vec<Option<Stored>> = sids.iter().map(|_| None).collect();
        let mut places: Option<HashMap<&str, usize>> = None;
        let mut found = 0;
        let mut bytes = 0;
        let mut unreadable = false;
        let answer = self.fetch(connection, DB::read(&table, sids), |row| {
            let (key, mut stored) = DB::stored(&table, row)?;
            let place = match key {
                Key::Index(index) => Some(index),
                Key::Sid(sid) => places
                    .get_or_insert_with(|| sids.iter().copied().zip(0..).collect())
                    .get(sid.as_str())
                    .copied(),
            };
            // Others may be equal to a requested one for the database, and are not what was asked for.
            if let Some(place) = place.and_then(|place| rows.get_mut(place)) {
                unreadable |= stored.expires == Expires::Unreadable || stored.data.is_none();
                stored.data = stored.data.map(|data| table.session_text(data));
                found += usize::from(place.is_none());
                bytes += stored.bytes();
                *place = Some(stored);
            }
            Ok(bytes <= READ_BYTES)
        });
        if let Err(error) = answer.await {
            return Err(self.failed_on(connection, &table, error).await);
        }
        if unreadable && self.altered(connection, &table).await {
            let message = format!("table `{}` was altered", self.config.full_name());
            return Err(StoreError::table(message).with_remedy(Remedy::Retry));
        }
        Ok(Rows {
            rows,
            complete: bytes <= READ_BYTES || found >= sids.len(),
        })
    }

    async fn write(
        &self,
        connection: &mut Self::Connection,
        writes: &[Write<'_>],
        now: Timestamp,
        late: Timestamp,
    ) -> Result<u64> {
        let mut missing = 0;
        for batch in Batch::split(writes, late) {
            missing += self.commit(connection, &batch, now).await?;
        }
        Ok(missing)
    }

    async fn call(
        &self,
        connection: &mut Self::Connection,
        call: &TableCall,
        now: Timestamp,
    ) -> Result<Step> {
        self.call_on_table(connection, call, now).await
    }
}

/// Rejects a batch that is larger than the packets that the server accepts: it would close the connection without an
/// error.
fn check_size(table: &InspectedTable, batch: &Batch<'_>) -> Result<()> {
    let bytes = batch.bytes();
    // Several rows may be padded with repeated ones, up to the next size of a statement.
    let several = batch.upserts.len() + batch.updates.len() > 1;
    let sent = if several { 2 * bytes } else { bytes } + PACKET_REST;
    let Some(max) = table.max_packet.filter(|max| sent > *max) else {
        return Ok(());
    };
    let message = format!(
        "expected a session that fits in a packet of {max} bytes, got {bytes} bytes; \
         store less in the session, or raise `max_allowed_packet` on the server"
    );
    Err(StoreError::new(ErrorKind::Database, message).with_remedy(Remedy::Isolate))
}
