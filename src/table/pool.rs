//! The connections of a store.
//!
//! Not a pool of sqlx: that one waits only for servers that refuse connections, tells no reason when it gives up, knows one
//! server, and cannot close all connections together.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use sqlx::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use crate::config::PoolConfig;
use crate::database::{Access, Database, Settings, Target};
use crate::error::Cause;
use crate::lock::lock;

use super::route::Route;

/// An attempt to connect has at least this time, which even a distant server needs rarely.
const LEAST_ATTEMPT: Duration = Duration::from_secs(1);

/// The connections of a store, as a handle.
pub struct Pool<DB: Database>(pub(super) Arc<Inner<DB>>);

impl<DB: Database> Clone for Pool<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

pub struct Inner<DB: Database> {
    pub target: Target<DB>,
    pub settings: Settings,
    pub limits: PoolConfig,
    /// Connections are named, so that others can end their statements.
    pub named: bool,
    /// One for each connection in use.
    pub permits: Arc<Semaphore>,
    idle: Mutex<Vec<Idle<DB>>>,
    route: Mutex<Route>,
    closed: AtomicBool,
}

struct Idle<DB: Database> {
    live: Live<DB>,
    since: Instant,
}

/// An open connection.
pub struct Live<DB: Database> {
    pub raw: DB::Connection,
    /// What the server calls it, if another connection can end it.
    pub backend: Option<String>,
    /// Its server, by the index of the host.
    pub host: usize,
    pub generation: u64,
    pub access: Access,
    pub opened: Instant,
}

impl<DB: Database> Pool<DB> {
    /// Creates the pool without connecting. Needs a Tokio context.
    pub fn new(target: Target<DB>, settings: Settings, limits: &PoolConfig, named: bool) -> Self {
        let max = if target.in_memory { 1 } else { limits.max };
        let pool = Self(Arc::new(Inner {
            permits: Arc::new(Semaphore::new(max as usize)),
            limits: PoolConfig {
                max,
                ..limits.clone()
            },
            target,
            settings,
            named,
            idle: Mutex::default(),
            route: Mutex::default(),
            closed: AtomicBool::new(false),
        }));
        if !pool.0.target.in_memory {
            let period = limits.idle_timeout.min(limits.max_lifetime);
            tokio::spawn(close_old(Arc::downgrade(&pool.0), period));
        }
        pool
    }

    pub(super) fn route(&self) -> MutexGuard<'_, Route> {
        lock(&self.0.route)
    }

    /// Whether reads are served by a server that accepts no writes.
    pub fn serves_reads_apart(&self) -> bool {
        self.route().reads_apart
    }

    /// Whether a connection leads to the server that is used, and that server accepts what it is for.
    pub(super) fn suits(&self, live: &Live<DB>, writes: bool) -> bool {
        let route = self.route();
        let accepted = live.access == Access::All || (!writes && route.reads_apart);
        accepted && live.generation == route.generation
    }

    /// Has the next connection ask what its server accepts.
    pub(super) fn doubt(&self) {
        self.route().doubt = true;
    }

    /// Closes all connections before they are used again, since the server of this one accepts no writes.
    pub(super) fn leave(&self, connection: TableConnection<DB>, refused: Option<Cause>) {
        let live = connection.into_live();
        let mut route = self.route();
        // Others may have found out before.
        if live.generation == route.generation {
            route.leave(refused);
        }
        drop(route);
        close_hard(live);
        self.close_idle();
    }

    pub(super) fn close_idle(&self) {
        for idle in std::mem::take(&mut *lock(&self.0.idle)) {
            close_hard(idle.live);
        }
    }

    /// The last idle connection.
    pub(super) fn pop_idle(&self) -> Option<Live<DB>> {
        let idle = lock(&self.0.idle).pop()?;
        Some(idle.live)
    }

    /// Whether a connection has been open for so long that it is replaced.
    pub(super) fn is_old(&self, live: &Live<DB>) -> bool {
        !self.0.target.in_memory && live.opened.elapsed() > self.0.limits.max_lifetime
    }

    /// How long the first attempt to connect may take, or an answer to a question that costs a server nothing.
    pub(super) fn attempt(&self) -> Duration {
        let limit = self.0.limits.acquire_timeout;
        if DB::RUNS_HERE {
            return limit;
        }
        (limit / 8).max(LEAST_ATTEMPT).min(limit)
    }

    /// Keeps a connection for later, if it is worth it.
    async fn give_back(self, mut live: Live<DB>, permit: Option<OwnedSemaphorePermit>) {
        let closed = self.0.closed.load(Ordering::Acquire);
        let wanted = !closed && !self.is_old(&live) && self.suits(&live, true);
        // Also lets the driver finish what it has left, such as a rollback.
        let kept = wanted && matches!(timeout(self.attempt(), live.raw.ping()).await, Ok(Ok(())));
        if kept {
            let since = Instant::now();
            lock(&self.0.idle).push(Idle { live, since });
        } else {
            // Fails only if the connection is broken already.
            _ = timeout(self.attempt(), live.raw.close()).await;
        }
        drop(permit);
    }

    /// Number of open connections.
    pub fn size(&self) -> u32 {
        let used = self.0.limits.max as usize - self.0.permits.available_permits();
        u32::try_from(used).unwrap_or(u32::MAX) + self.idle()
    }

    /// How many of them are not in use.
    pub fn idle(&self) -> u32 {
        u32::try_from(lock(&self.0.idle).len()).unwrap_or(u32::MAX)
    }

    /// Waits until no connection is in use, and closes them all.
    pub async fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
        // Fails only if it was closed before.
        let all = self.0.permits.acquire_many(self.0.limits.max).await;
        let idle = std::mem::take(&mut *lock(&self.0.idle));
        for idle in idle {
            _ = idle.live.raw.close().await;
        }
        drop(all);
        self.0.permits.close();
    }
}

/// Closes, again and again, the idle connections whose time is over.
async fn close_old<DB: Database>(pool: Weak<Inner<DB>>, period: Duration) {
    loop {
        sleep(period).await;
        let Some(pool) = pool.upgrade().map(Pool) else {
            return;
        };
        if pool.0.closed.load(Ordering::Acquire) {
            return;
        }
        let limit = pool.0.limits.idle_timeout;
        let is_over = |idle: &mut Idle<DB>| idle.since.elapsed() > limit || pool.is_old(&idle.live);
        let over: Vec<_> = lock(&pool.0.idle).extract_if(.., is_over).collect();
        for idle in over {
            _ = timeout(pool.attempt(), idle.live.raw.close()).await;
        }
    }
}

pub fn close_hard<DB: Database>(live: Live<DB>) {
    tokio::spawn(live.raw.close_hard());
}

/// A connection in use. Goes back to the pool when it is dropped.
pub struct TableConnection<DB: Database> {
    /// `None` after it was taken out.
    live: Option<Live<DB>>,
    permit: Option<OwnedSemaphorePermit>,
    pool: Pool<DB>,
}

impl<DB: Database> TableConnection<DB> {
    pub(super) fn new(live: Live<DB>, permit: OwnedSemaphorePermit, pool: &Pool<DB>) -> Self {
        Self {
            live: Some(live),
            permit: Some(permit),
            pool: pool.clone(),
        }
    }

    pub(super) fn live(&self) -> &Live<DB> {
        match &self.live {
            Some(live) => live,
            None => unreachable!("taken out only when it is consumed"),
        }
    }

    /// Takes the connection out of the pool, which may open another one instead.
    pub(super) fn into_live(mut self) -> Live<DB> {
        match self.live.take() {
            Some(live) => live,
            None => unreachable!("taken out only when it is consumed"),
        }
    }
}

impl<DB: Database> Deref for TableConnection<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &Self::Target {
        &self.live().raw
    }
}

impl<DB: Database> DerefMut for TableConnection<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match &mut self.live {
            Some(live) => &mut live.raw,
            None => unreachable!("taken out only when it is consumed"),
        }
    }
}

impl<DB: Database> Drop for TableConnection<DB> {
    fn drop(&mut self) {
        if let Some(live) = self.live.take() {
            let pool = self.pool.clone();
            tokio::spawn(pool.give_back(live, self.permit.take()));
        }
    }
}
