//! A store: the table in the database that its URL names, and the queue in front of it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use once_cell::sync::OnceCell;
use tokio::runtime::{Builder, Runtime};

use crate::config::{Config, TableConfig};
use crate::database::Database;
use crate::error::{ErrorKind, Result, StoreError};
use crate::operation::{Operation, Outcome, Ticket};
use crate::queue::{Counts, Delivery, Limits, Queue};
use crate::table::{Note, Pool, SessionTable, SqlTable};

/// The supported databases.
static DATABASES: &[Entry] = &[
    Entry::of::<sqlx::Sqlite>(),
    Entry::of::<sqlx::Postgres>(),
    Entry::of::<sqlx::MySql>(),
];

/// Threads for all stores of the process. One is enough, since the databases do the work. Every call would also wake a
/// second thread that has nothing to do, and a single `get` would take twice as long.
const THREADS: usize = 1;

/// Time limit for closing the connections.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// A database in the list of those that are supported.
struct Entry {
    schemes: &'static [&'static str],
    open: fn(Config, Arc<Delivery>) -> Result<Store>,
    create_table: fn(&TableConfig) -> Result<String>,
}

impl Entry {
    const fn of<DB: Database>() -> Self
    where
        SqlTable<DB>: SessionTable,
    {
        Self {
            schemes: DB::SCHEMES,
            open: Store::open_on::<DB>,
            create_table: |table| DB::check_names(table).map(|()| DB::create_table(table)),
        }
    }

    fn find(scheme: &str) -> Option<&'static Self> {
        let mut entries = DATABASES.iter();
        entries.find(|entry| entry.schemes.contains(&scheme))
    }

    /// All schemes, for messages.
    fn all_schemes() -> String {
        let schemes = DATABASES.iter().flat_map(|entry| entry.schemes);
        schemes.copied().collect::<Vec<_>>().join(", ")
    }
}

/// One session store. Calls go in by [`Store::push`]; their outcomes go to the [`Delivery`] given to [`Store::open`].
pub struct Store {
    queue: Queue,
    pool: Box<dyn AnyPool>,
    note: Arc<Note>,
    delivery: Arc<Delivery>,
    runtime: &'static Runtime,
}

/// The connections of a store at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolSize {
    pub size: u32,
    pub idle: u32,
}

/// A pool of any database.
trait AnyPool: Send + Sync {
    fn size(&self) -> PoolSize;
    fn close(&self) -> BoxFuture<'static, ()>;
}

impl<DB: Database> AnyPool for Pool<DB> {
    fn size(&self) -> PoolSize {
        PoolSize {
            size: Pool::size(self),
            idle: Pool::idle(self),
        }
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        let pool = self.clone();
        async move { pool.close().await }.boxed()
    }
}

impl Store {
    /// Opens a store. It connects to the database at the first call.
    ///
    /// # Errors
    /// `ERR_SESSION_OPTIONS` if the URL or a name cannot be used.
    pub fn open(config: Config, delivery: Arc<Delivery>) -> Result<Self> {
        let url = &config.connection.url;
        let (scheme, rest) = url.split_once(':').unwrap_or_default();
        if let Some(entry) = Entry::find(scheme) {
            return (entry.open)(config, delivery);
        }
        // The rest of the URL may hold a password, and without `//` so may what looks like a scheme.
        let got = if rest.starts_with("//") {
            format!("the scheme `{scheme}`")
        } else {
            "another scheme".to_owned()
        };
        Err(StoreError::options(format!(
            "expected option `db` to be a database URL with one of the schemes {}, got {got}",
            Entry::all_schemes()
        )))
    }

    fn open_on<DB: Database>(mut config: Config, delivery: Arc<Delivery>) -> Result<Self>
    where
        SqlTable<DB>: SessionTable,
    {
        let runtime = runtime()?;
        let _context = runtime.enter();
        DB::apply_parameters(&mut config)?;
        let target = DB::target(&config.connection, config.pool.max)?;
        DB::check_names(&config.table)?;
        let lanes = target.lanes;
        let table = Arc::new(SqlTable::<DB>::new(
            config.table,
            target,
            &config.pool,
            &config.connection,
        ));
        let queue = Queue::start(
            runtime.handle(),
            &table,
            lanes,
            config.queue,
            Limits {
                acquire: config.pool.acquire_timeout,
                query: config.pool.query_timeout,
            },
            Arc::clone(&delivery),
        );
        Ok(Self {
            queue,
            pool: Box::new(table.pool().clone()),
            note: Arc::clone(table.note()),
            delivery,
            runtime,
        })
    }

    /// Accepts a call, which begins with the next [`Store::submit`]. Its outcome is delivered later.
    ///
    /// # Errors
    /// `ERR_SESSION_CLOSED` after [`Store::close`], `ERR_SESSION_QUEUE_FULL` if too much is pending.
    pub fn push(&self, operation: Operation) -> Result<()> {
        self.queue.push(operation)
    }

    /// Begins the calls that were pushed.
    pub fn submit(&self) {
        self.queue.submit();
    }

    /// Rejects new calls, completes the accepted ones, and closes the connections. With a ticket, delivers
    /// [`Outcome::Done`] afterwards.
    pub fn close(&self, ticket: Option<Ticket>) {
        let lanes = self.queue.close();
        let pool = self.pool.close();
        let delivery = Arc::clone(&self.delivery);
        self.runtime.spawn(async move {
            for lane in lanes {
                // An error means that the lane panicked, so it has ended too.
                _ = lane.await;
            }
            // A server that does not answer must not keep the application from ending.
            _ = tokio::time::timeout(CLOSE_TIMEOUT, pool).await;
            if let Some(ticket) = ticket {
                delivery.deliver(vec![(ticket, Outcome::Done)]);
            }
        });
    }

    pub fn counts(&self) -> Counts {
        self.queue.counts()
    }

    pub fn pending(&self) -> usize {
        self.queue.pending()
    }

    /// What was decided about the table since this was asked, for the debug log.
    pub fn take_note(&self) -> Option<String> {
        self.note.take()
    }

    pub fn pool_size(&self) -> PoolSize {
        self.pool.size()
    }
}

/// The DDL of a table as a store would create it.
///
/// # Errors
/// `ERR_SESSION_OPTIONS` if the dialect is unknown, or a name cannot be used.
pub fn ddl(dialect: &str, table: &TableConfig) -> Result<String> {
    match Entry::find(dialect) {
        Some(entry) => (entry.create_table)(table),
        None => Err(StoreError::options(format!(
            "expected the dialect to be one of {}, got `{dialect}`",
            Entry::all_schemes()
        ))),
    }
}

/// The runtime of the process. It is never shut down: stores in several worker threads and module registries share it, and
/// none of them knows when the last one closes.
fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceCell<Runtime> = OnceCell::new();
    RUNTIME.get_or_try_init(|| {
        Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("rust-sequelize-store")
            .enable_all()
            .build()
            .map_err(|error| {
                let message = format!("cannot start the threads of the session store: {error}");
                StoreError::new(ErrorKind::Internal, message)
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_belongs_to_one_database() {
        for entry in DATABASES {
            for scheme in entry.schemes {
                let found = Entry::find(scheme).unwrap();
                assert!(std::ptr::eq(found, entry), "{scheme}");
            }
        }
        assert!(Entry::find("oracle").is_none());
    }
}
