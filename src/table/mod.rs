//! The session table: the contract, and its one implementation over a sqlx pool.

mod file_locks;
mod nodelay;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::TryStreamExt;
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::query::Query;
use sqlx::{ColumnIndex, Connection, Decode, Either, Executor, IntoArguments, Pool, Row, Type};

use crate::config::{PoolConfig, TableConfig};
use crate::dialect::{
    Batch, Column, DataForm, Dialect, InstantForm, Key, Layout, Statement, Target, clear,
    drop_table, rendered, sample,
};
use crate::error::{Kind, Remedy, Result, StoreError};
use crate::operation::{Page, PageRequest, Stored, Write};
use crate::timestamp::Timestamp;

pub use file_locks::share_files_safely;
use nodelay::disable_nagle;

/// A larger number than this is not meant as seconds: they would reach beyond the year 5138.
const MAX_SECONDS: i64 = 100_000_000_000;

/// Bytes of a packet beside the sessions, by far: a statement and its other values.
const PACKET_REST: usize = 64 * 1024;

/// What a lane may ask of a table of sessions. Nothing here knows which sessions count as live but by `now`.
pub trait SessionTable: Send + Sync + 'static {
    type Connection: Send;

    /// Takes a connection from the pool.
    fn connect(&self) -> impl Future<Output = Result<Self::Connection>> + Send;

    /// Begins what has to stay on one connection of the server, where a pooler is between. Without one, does nothing.
    fn begin(&self, connection: &mut Self::Connection) -> impl Future<Output = Result<()>> + Send;

    /// Ends what [`SessionTable::begin`] began: for good, or as if it had not been.
    fn end(
        &self,
        connection: &mut Self::Connection,
        commit: bool,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Closes a connection that is not to be used again.
    fn discard(&self, connection: Self::Connection);

    /// The rows of `sids`, in their order, expired ones too.
    fn read(
        &self,
        connection: &mut Self::Connection,
        sids: &[&str],
    ) -> impl Future<Output = Result<Vec<Option<Stored>>>> + Send;

    /// Writes all, in one commit unless they differ in their extra columns; each sid stands once at most. Returns how
    /// many rows that were to be updated are gone.
    fn write(
        &self,
        connection: &mut Self::Connection,
        writes: &[Write<'_>],
        now: Timestamp,
    ) -> impl Future<Output = Result<u64>> + Send;

    /// Live sessions behind `after` in the order of their sids: sid and, with `with_data`, data.
    fn page(
        &self,
        connection: &mut Self::Connection,
        request: &PageRequest,
        now: Timestamp,
    ) -> impl Future<Output = Result<Page>> + Send;

    /// How many sessions are live.
    fn length(
        &self,
        connection: &mut Self::Connection,
        now: Timestamp,
    ) -> impl Future<Output = Result<u64>> + Send;

    /// Deletes the expired rows in a bounded part of the table behind `cursor`. Returns how many, and where the next
    /// part begins, if there is one.
    fn prune(
        &self,
        connection: &mut Self::Connection,
        cursor: Option<&str>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Pruned>> + Send;

    /// Deletes every row.
    fn clear(&self, connection: &mut Self::Connection) -> impl Future<Output = Result<()>> + Send;

    /// Creates the table if it is missing; with `force`, drops it first.
    fn sync(
        &self,
        connection: &mut Self::Connection,
        force: bool,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// One chunk of pruning.
pub struct Pruned {
    pub removed: u64,
    pub next: Option<String>,
}

/// The sessions in one table of one database.
pub struct Table<DB: Dialect> {
    config: TableConfig,
    target: Target<DB>,
    pool: Pool<DB>,
    prepared_statements: bool,
    /// What was found when the table was looked at; forgotten when a statement no longer fits.
    layout: Mutex<Option<Arc<Layout>>>,
    /// Held while the table is looked at, so that one lane makes it and the others find it.
    looking: tokio::sync::Mutex<()>,
    /// The table was there once. From then on its absence is an error, and no reason to make an empty one: sessions
    /// that cannot be found are not sessions that do not exist.
    seen: AtomicBool,
}

impl<DB: Dialect> Table<DB> {
    /// Makes the pool, without connecting. Needs a Tokio context.
    pub fn new(
        config: TableConfig,
        target: Target<DB>,
        pool: &PoolConfig,
        prepared_statements: bool,
    ) -> Self {
        let mut options = PoolOptions::new()
            .max_connections(pool.max)
            .acquire_timeout(pool.acquire_timeout)
            // A lane keeps its connection, so this is rare; and after a restart of the server it finds the dead ones.
            .test_before_acquire(!target.in_memory);
        options = if target.in_memory {
            options
                .max_connections(1)
                .min_connections(1)
                .idle_timeout(None)
                .max_lifetime(None)
        } else {
            options
                .idle_timeout(pool.idle_timeout)
                .max_lifetime(pool.max_lifetime)
        };
        Self {
            config,
            pool: DB::prepared(options).connect_lazy_with(target.options.clone()),
            target,
            prepared_statements,
            layout: Mutex::default(),
            looking: tokio::sync::Mutex::default(),
            seen: AtomicBool::new(false),
        }
    }

    pub fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    fn known(&self) -> Option<Arc<Layout>> {
        let layout = self.layout.lock().unwrap_or_else(PoisonError::into_inner);
        layout.clone()
    }

    fn set_known(&self, known: Option<Arc<Layout>>) {
        *self.layout.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// Our error for the driver's. One that says that the table is not as it was makes the next call look again.
    fn failed(&self, error: sqlx::Error) -> StoreError {
        let error = DB::error(error);
        if error.kind == Kind::Table {
            self.set_known(None);
        }
        error
    }
}

impl<DB: Dialect> Table<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
    String: Type<DB> + for<'r> Decode<'r, DB>,
    i64: Type<DB> + for<'r> Decode<'r, DB>,
    bool: Type<DB> + for<'r> Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    /// The statements for the table as it is: looked at, and made if it is missing and may be made, at the first use.
    async fn layout(&self, connection: &mut DB::Connection) -> Result<Arc<Layout>> {
        if let Some(layout) = self.known() {
            return Ok(layout);
        }
        let _looking = self.looking.lock().await;
        if let Some(layout) = self.known() {
            return Ok(layout);
        }
        let mut columns = self.look(connection).await?;
        if columns.is_empty() && self.config.create && !self.seen.load(Ordering::Relaxed) {
            self.create(connection).await?;
            columns = self.look(connection).await?;
        }
        if columns.is_empty() {
            return Err(StoreError::table(format!(
                "table `{}` does not exist; create it with: {}",
                self.config.full_name(),
                DB::create_table(&self.config)
            )));
        }
        self.seen.store(true, Ordering::Relaxed);
        let mut layout = Layout::new::<DB>(&self.config, columns)?;
        self.tell(connection, &mut layout).await?;
        let layout = Arc::new(layout);
        self.set_known(Some(Arc::clone(&layout)));
        Ok(layout)
    }

    fn query(&self, statement: Statement<DB>) -> Query<'static, DB, DB::Arguments> {
        query(statement, self.prepared_statements)
    }

    /// Without prepared statements, sqlx prepares and runs a statement in two messages. A pooler in transaction mode may
    /// send them to two connections, unless they are in one transaction.
    async fn pin(&self, connection: &mut DB::Connection, sql: &'static str) -> Result<()> {
        if self.prepared_statements {
            return Ok(());
        }
        let ran = sqlx::raw_sql(sql).execute(connection).await;
        ran.map(drop).map_err(|error| self.failed(error))
    }

    async fn look(&self, connection: &mut DB::Connection) -> Result<Vec<Column>> {
        let rows = self
            .query(DB::look(&self.config))
            .fetch_all(connection)
            .await
            .map_err(|error| self.failed(error))?;
        let columns = rows.iter().map(DB::column).collect::<sqlx::Result<_>>();
        columns.map_err(|error| self.failed(error))
    }

    async fn create(&self, connection: &mut DB::Connection) -> Result<()> {
        let created = sqlx::raw_sql(rendered(DB::create_table(&self.config)))
            .execute(&mut *connection)
            .await;
        created.map_err(|error| self.failed(error))?;
        // Other lanes learn of the table before this trip ends, and have to find it.
        self.pin(connection, "COMMIT").await?;
        self.pin(connection, "BEGIN").await
    }

    /// Refuses columns that the table does not have. It is looked at again first: they may have been added since.
    async fn check_columns(
        &self,
        connection: &mut DB::Connection,
        mut layout: Arc<Layout>,
        batch: &Batch<'_>,
    ) -> Result<Arc<Layout>> {
        let missing = |layout: &Layout| {
            let mut columns = batch.extra.iter();
            columns
                .find(|column| layout.column(column).is_none())
                .copied()
        };
        if missing(&layout).is_some() {
            self.set_known(None);
            layout = self.layout(connection).await?;
        }
        let Some(column) = missing(&layout) else {
            return Ok(layout);
        };
        let message = format!(
            "table `{}` has no column `{column}`, which `extendDefaultFields` returned; it has {}",
            self.config.full_name(),
            layout.column_names()
        );
        Err(StoreError::table(message).with_remedy(Remedy::Isolate))
    }

    /// Runs one commit. Returns how many rows that were to be updated are gone.
    async fn commit(
        &self,
        connection: &mut DB::Connection,
        batch: &Batch<'_>,
        now: Timestamp,
    ) -> Result<u64> {
        let layout = self.layout(connection).await?;
        let layout = self.check_columns(connection, layout, batch).await?;
        check_size(&layout, batch)?;
        let statements = DB::write(&layout, batch, now);
        match affected::<DB>(connection, statements, self.prepared_statements).await {
            Ok(affected) => Ok(DB::gone(batch, &affected)),
            Err(error) => {
                if let Some(rollback) = DB::ROLLBACK {
                    // Fails when no transaction was begun, which is as well.
                    _ = sqlx::raw_sql(rollback).execute(connection).await;
                }
                Err(self.failed(error))
            }
        }
    }

    /// Deletes the expired sessions of one window.
    async fn prune_window(
        &self,
        connection: &mut DB::Connection,
        layout: &Layout,
        now: Timestamp,
        cursor: Option<&str>,
    ) -> sqlx::Result<(u64, Option<String>)> {
        let rows = self
            .query(DB::expired(layout, now, cursor))
            .fetch_all(&mut *connection)
            .await?;
        let mut next = None;
        let mut sids: Vec<String> = Vec::new();
        for row in &rows {
            next = row.try_get_unchecked(0)?;
            sids.extend(row.try_get_unchecked::<Option<String>, _>(1)?);
        }
        if sids.is_empty() {
            return Ok((0, next));
        }
        sids.sort_unstable();
        let sids: Vec<&str> = sids.iter().map(String::as_str).collect();
        let deleted = self
            .query(DB::delete_expired(layout, now, &sids))
            .execute(connection)
            .await?;
        Ok((DB::rows_affected(&deleted), next))
    }

    /// The same while no other process prunes; nothing if another one does.
    async fn prune_alone(
        &self,
        connection: &mut DB::Connection,
        layout: &Layout,
        now: Timestamp,
        cursor: Option<&str>,
        lock: Statement<DB>,
    ) -> sqlx::Result<(u64, Option<String>)> {
        let mut transaction = connection.begin().await?;
        match self.query(lock).fetch_one(&mut *transaction).await {
            Ok(row) if !row.try_get::<bool, _>(0)? => return Ok((0, None)),
            Ok(_) => {}
            // Then others may prune too, which is a waste and no harm.
            Err(error) if DB::refuses_locks(&error) => {
                drop(transaction);
                return self.prune_window(connection, layout, now, cursor).await;
            }
            Err(error) => return Err(error),
        }
        let pruned = self
            .prune_window(&mut transaction, layout, now, cursor)
            .await;
        if let Some(unlock) = DB::prune_unlock(layout) {
            self.query(unlock).execute(&mut *transaction).await?;
        }
        let pruned = pruned?;
        transaction.commit().await?;
        Ok(pruned)
    }

    /// Finds out what the types of the columns leave open, by what is in them.
    async fn tell(&self, connection: &mut DB::Connection, layout: &mut Layout) -> Result<()> {
        if let Some(packet) = DB::PACKET {
            let row = sqlx::query(packet)
                .persistent(self.prepared_statements)
                .fetch_one(&mut *connection)
                .await
                .map_err(|error| self.failed(error))?;
            let bytes: i64 = row
                .try_get_unchecked(0)
                .map_err(|error| self.failed(error))?;
            layout.packet = usize::try_from(bytes).ok();
        }
        if !layout.expires.form.is_integer() && layout.data_form != DataForm::Json {
            return Ok(());
        }
        let row = sqlx::query(sample::<DB>(layout))
            .persistent(self.prepared_statements)
            .fetch_one(connection)
            .await
            .map_err(|error| self.failed(error))?;
        let expires: Option<i64> = row.try_get(0).map_err(|error| self.failed(error))?;
        if let Some(expires) = expires {
            layout.expires.form = if expires > MAX_SECONDS {
                InstantForm::Milliseconds
            } else {
                InstantForm::Seconds
            };
        }
        let beginning: Option<String> = row
            .try_get_unchecked(1)
            .map_err(|error| self.failed(error))?;
        match beginning.as_deref() {
            Some("\"{") => layout.data_quoted = true,
            Some(object) if object.starts_with('{') => layout.data_quoted = false,
            // A string of the application's own serializer, or nothing.
            _ => {}
        }
        Ok(())
    }
}

impl<DB: Dialect> SessionTable for Table<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
    String: Type<DB> + for<'r> Decode<'r, DB>,
    i64: Type<DB> + for<'r> Decode<'r, DB>,
    bool: Type<DB> + for<'r> Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    type Connection = PoolConnection<DB>;

    async fn connect(&self) -> Result<Self::Connection> {
        let connection = self.pool.acquire().await;
        if let (Ok(_), Some(port)) = (&connection, self.target.tcp_port) {
            disable_nagle(port);
        }
        connection.map_err(|error| DB::connection_error(error, &self.target))
    }

    async fn begin(&self, connection: &mut Self::Connection) -> Result<()> {
        self.pin(connection, "BEGIN").await
    }

    async fn end(&self, connection: &mut Self::Connection, commit: bool) -> Result<()> {
        let sql = if commit { "COMMIT" } else { "ROLLBACK" };
        self.pin(connection, sql).await
    }

    fn discard(&self, connection: Self::Connection) {
        let connection = connection.detach();
        tokio::spawn(connection.close_hard());
    }

    async fn read(
        &self,
        connection: &mut Self::Connection,
        sids: &[&str],
    ) -> Result<Vec<Option<Stored>>> {
        let layout = self.layout(connection).await?;
        let mut rows: Vec<Option<Stored>> = sids.iter().map(|_| None).collect();
        let found = self
            .query(DB::read(&layout, sids))
            .fetch_all(&mut **connection)
            .await
            .map_err(|error| self.failed(error))?;
        let mut by_sid = HashMap::new();
        for row in &found {
            let (key, mut stored) = DB::stored(row).map_err(|error| self.failed(error))?;
            stored.data = stored.data.map(|data| layout.session_text(data));
            match key {
                Key::Index(index) => {
                    if let Some(place) = rows.get_mut(index) {
                        *place = Some(stored);
                    }
                }
                Key::Sid(sid) => _ = by_sid.insert(sid, stored),
            }
        }
        if !by_sid.is_empty() {
            rows = sids.iter().map(|sid| by_sid.get(*sid).cloned()).collect();
        }
        Ok(rows)
    }

    async fn write(
        &self,
        connection: &mut Self::Connection,
        writes: &[Write<'_>],
        now: Timestamp,
    ) -> Result<u64> {
        let mut gone = 0;
        for batch in Batch::split(writes) {
            gone += self.commit(connection, &batch, now).await?;
        }
        Ok(gone)
    }

    async fn page(
        &self,
        connection: &mut Self::Connection,
        request: &PageRequest,
        now: Timestamp,
    ) -> Result<Page> {
        let layout = self.layout(connection).await?;
        let PageRequest {
            after,
            limit,
            with_data,
        } = request;
        let statement = DB::page(&layout, now, after.as_deref(), *limit, *with_data);
        let rows = self
            .query(statement)
            .fetch_all(&mut **connection)
            .await
            .map_err(|error| self.failed(error))?;
        // A sid that is no text cannot be asked for either, so it is left out.
        let sessions = rows.iter().filter_map(|row| {
            let sid = row.try_get_unchecked(0).ok()?;
            let data: Option<String> = row.try_get_unchecked(1).ok().flatten();
            Some((sid, data.map(|data| layout.session_text(data))))
        });
        Ok(Page {
            sessions: sessions.collect(),
            full: rows.len() >= *limit as usize,
        })
    }

    async fn length(&self, connection: &mut Self::Connection, now: Timestamp) -> Result<u64> {
        let layout = self.layout(connection).await?;
        let row = self
            .query(DB::length(&layout, now))
            .fetch_one(&mut **connection)
            .await
            .map_err(|error| self.failed(error))?;
        let count: i64 = row.try_get(0).map_err(|error| self.failed(error))?;
        Ok(count.unsigned_abs())
    }

    async fn prune(
        &self,
        connection: &mut Self::Connection,
        cursor: Option<&str>,
        now: Timestamp,
    ) -> Result<Pruned> {
        let layout = self.layout(connection).await?;
        let pruned = match DB::prune_lock(&layout) {
            Some(lock) => {
                self.prune_alone(connection, &layout, now, cursor, lock)
                    .await
            }
            None => self.prune_window(connection, &layout, now, cursor).await,
        };
        let (removed, next) = pruned.map_err(|error| self.failed(error))?;
        Ok(Pruned { removed, next })
    }

    async fn clear(&self, connection: &mut Self::Connection) -> Result<()> {
        let layout = self.layout(connection).await?;
        let sql = layout.text("clear", || clear(&layout));
        sqlx::query(sql)
            .persistent(self.prepared_statements)
            .execute(&mut **connection)
            .await
            .map(drop)
            .map_err(|error| self.failed(error))
    }

    async fn sync(&self, connection: &mut Self::Connection, force: bool) -> Result<()> {
        self.set_known(None);
        if force {
            sqlx::raw_sql(rendered(drop_table::<DB>(&self.config)))
                .execute(&mut **connection)
                .await
                .map_err(|error| self.failed(error))?;
        }
        if self.look(connection).await?.is_empty() {
            self.create(connection).await?;
        }
        self.layout(connection).await.map(drop)
    }
}

/// Refuses what is larger than the server takes at a time: it would break the connection without a word.
fn check_size(layout: &Layout, batch: &Batch<'_>) -> Result<()> {
    let bytes = batch.bytes();
    // Several rows may be filled up with others to the size of a statement that is known already.
    let several = batch.upserts.len() + batch.updates.len() > 1;
    let sent = if several { 2 * bytes } else { bytes } + PACKET_REST;
    let Some(packet) = layout.packet.filter(|packet| sent > *packet) else {
        return Ok(());
    };
    let message = format!(
        "the session has {bytes} bytes, and the server takes {packet} at a time (max_allowed_packet)"
    );
    Err(StoreError::new(Kind::Database, message).with_remedy(Remedy::Isolate))
}

fn query<DB: Dialect>(
    statement: Statement<DB>,
    persistent: bool,
) -> Query<'static, DB, DB::Arguments>
where
    DB::Arguments: IntoArguments<DB>,
{
    sqlx::query_with(statement.sql, statement.arguments).persistent(persistent)
}

/// Runs the statements of one commit. Returns how many rows each of them changed.
async fn affected<DB: Dialect>(
    connection: &mut DB::Connection,
    statements: Vec<Statement<DB>>,
    persistent: bool,
) -> sqlx::Result<Vec<u64>>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
{
    let mut affected = Vec::new();
    if statements.len() == 1 {
        for statement in statements {
            run(connection, statement, persistent, &mut affected).await?;
        }
        return Ok(affected);
    }
    let mut transaction = connection.begin().await?;
    for statement in statements {
        run(&mut transaction, statement, persistent, &mut affected).await?;
    }
    transaction.commit().await?;
    Ok(affected)
}

/// Runs a text, which on SQLite may hold several statements.
async fn run<DB: Dialect>(
    connection: &mut DB::Connection,
    statement: Statement<DB>,
    persistent: bool,
    affected: &mut Vec<u64>,
) -> sqlx::Result<()>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
{
    let mut results = connection.fetch_many(query(statement, persistent));
    while let Some(step) = results.try_next().await? {
        if let Either::Left(result) = step {
            affected.push(DB::rows_affected(&result));
        }
    }
    Ok(())
}
