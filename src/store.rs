//! A store: the right table for its URL, and the queue in front of it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use once_cell::sync::OnceCell;
use sqlx::{MySql, Pool, Postgres, Sqlite};
use tokio::runtime::{Builder, Runtime};

use crate::config::{Config, TableConfig};
use crate::dialect::Dialect;
use crate::error::{Kind, Result, StoreError};
use crate::operation::{Operation, Outcome, Ticket};
use crate::queue::{Counts, Deliver, Queue};
use crate::table::{SessionTable, Table, share_files_safely};

/// Threads for all stores of the process. One is enough, since the databases do the work; a second one is woken in vain
/// by every call, which makes a lonely `get` take twice as long.
const THREADS: usize = 1;

/// How long closing the connections may take.
const GOODBYE: Duration = Duration::from_secs(3);

/// One session store. Calls go in by [`Store::push`]; their outcomes come by the `deliver` given at the opening.
pub struct Store {
    queue: Queue,
    pool: Box<dyn AnyPool>,
    deliver: Deliver,
    runtime: &'static Runtime,
}

/// The connections of a store at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolSize {
    pub size: u32,
    pub idle: u32,
}

/// A pool, whatever its database.
trait AnyPool: Send + Sync {
    fn size(&self) -> PoolSize;
    fn close(&self) -> BoxFuture<'static, ()>;
}

impl<DB: Dialect> AnyPool for Pool<DB> {
    fn size(&self) -> PoolSize {
        PoolSize {
            size: Pool::size(self),
            idle: u32::try_from(self.num_idle()).unwrap_or(u32::MAX),
        }
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        let pool = self.clone();
        async move { pool.close().await }.boxed()
    }
}

impl Store {
    /// Opens a store. The database is not touched before the first call.
    ///
    /// # Errors
    /// `ERR_SESSION_OPTIONS` if the URL cannot be used.
    pub fn open(config: Config, deliver: Deliver) -> Result<Self> {
        let scheme = config.connection.url.split(':').next();
        match scheme.unwrap_or_default() {
            "sqlite" => {
                // Where it cannot be done, a file that nobody else opens in this process is as safe as before.
                if !share_files_safely() && config.connection.shared_file {
                    return Err(StoreError::options(
                        "the Sequelize instance has its SQLite file open with another copy of SQLite, and on this system two \
                         copies in one process would damage it; give the sessions a file of their own, such as \
                         `db: 'sqlite:./sessions.sqlite'`",
                    ));
                }
                Self::open_on::<Sqlite>(config, deliver)
            }
            "postgres" | "postgresql" => Self::open_on::<Postgres>(config, deliver),
            "mysql" | "mariadb" => Self::open_on::<MySql>(config, deliver),
            // The rest of the URL may hold a password.
            other => Err(StoreError::options(format!(
                "expected option `db` to be a database URL that begins with sqlite:, postgres:, mysql: or mariadb:, \
                 got the scheme {other}:"
            ))),
        }
    }

    fn open_on<DB: Dialect>(config: Config, deliver: Deliver) -> Result<Self>
    where
        Table<DB>: SessionTable,
    {
        let runtime = runtime()?;
        let _context = runtime.enter();
        let target = DB::target(&config.connection, config.pool.max)?;
        if let Some(reason) = DB::refuse_name(&config.table.name) {
            let message = format!(
                "the table cannot be called `{}`: {reason}",
                config.table.name
            );
            return Err(StoreError::options(message));
        }
        let lanes = target.lanes;
        let table = Arc::new(Table::<DB>::new(
            config.table,
            target,
            &config.pool,
            config.connection.prepared_statements,
        ));
        let queue = Queue::start(
            runtime.handle(),
            &table,
            lanes,
            config.queue,
            config.pool.query_timeout,
            Arc::clone(&deliver),
        );
        Ok(Self {
            queue,
            pool: Box::new(table.pool().clone()),
            deliver,
            runtime,
        })
    }

    /// Takes a call in, to be begun by [`Store::submit`]; its outcome is delivered later.
    ///
    /// # Errors
    /// `ERR_SESSION_CLOSED` after [`Store::close`], `ERR_SESSION_QUEUE_FULL` when too much is pending.
    pub fn push(&self, operation: Operation) -> Result<()> {
        self.queue.push(operation)
    }

    /// Begins what was pushed.
    pub fn submit(&self) {
        self.queue.submit();
    }

    /// Ends what was called before, refuses what is called from now on, and closes the connections. With a ticket,
    /// delivers [`Outcome::Done`] when that is over.
    pub fn close(&self, ticket: Option<Ticket>) {
        let lanes = self.queue.close();
        let pool = self.pool.close();
        let deliver = Arc::clone(&self.deliver);
        self.runtime.spawn(async move {
            for lane in lanes {
                // A lane that panicked has ended too.
                _ = lane.await;
            }
            // Saying goodbye to a server that does not answer must not keep the application from ending.
            _ = tokio::time::timeout(GOODBYE, pool).await;
            if let Some(ticket) = ticket {
                deliver(vec![(ticket, Outcome::Done)]);
            }
        });
    }

    pub fn counts(&self) -> Counts {
        self.queue.counts()
    }

    pub fn pending(&self) -> usize {
        self.queue.pending()
    }

    pub fn pool_size(&self) -> PoolSize {
        self.pool.size()
    }
}

/// The DDL of a table as a store would create it.
///
/// # Errors
/// `ERR_SESSION_OPTIONS` if there is no such dialect.
pub fn ddl(dialect: &str, table: &TableConfig) -> Result<String> {
    match dialect {
        "sqlite" => Ok(Sqlite::create_table(table)),
        "postgres" | "postgresql" => Ok(Postgres::create_table(table)),
        "mysql" | "mariadb" => Ok(MySql::create_table(table)),
        _ => Err(StoreError::options(
            "expected the dialect to be sqlite, postgres, mysql or mariadb",
        )),
    }
}

/// The runtime of the process. It is never shut down: stores of several worker threads and module registries share it,
/// and none of them knows when the last one ends.
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
                StoreError::new(Kind::Internal, message)
            })
    })
}
