//! The session table: what the queue can do with it.

mod acquire;
mod calls;
mod inspect;
mod keys;
mod lost;
mod note;
mod pool;
mod prune;
mod route;
mod sql;

use std::time::Duration;

use crate::error::{Result, StoreError};
use crate::operation::{Outcome, PruneProgress, Stored, TableCall, Write};
use crate::timestamp::Timestamp;

pub use note::Note;
pub use pool::Pool;
pub use sql::SqlTable;

/// A trip that reads sessions stops after more bytes than these.
pub const READ_BYTES: usize = 4 * 1024 * 1024;

/// A page ends after more bytes than these.
pub const PAGE_BYTES: usize = 1024 * 1024;

/// Operations on the session table. A session is live if it expires after `now`; implementations use no other clock.
pub trait SessionTable: Send + Sync + 'static {
    type Connection: Send;

    /// What is left of a connection that was given up while a statement was under way.
    type Lost: Send;

    /// Takes a connection from the pool, for reads only or also for writes.
    fn connect(&self, writes: bool) -> impl Future<Output = Result<Self::Connection>> + Send;

    /// Whether a connection still leads to the server that the store uses, and that server accepts what it is for.
    fn suits(&self, connection: &Self::Connection, writes: bool) -> bool;

    /// Leaves the server of a connection, which accepts no writes: none of the connections to it suits any more.
    fn leave(&self, connection: Self::Connection, error: &StoreError);

    /// Whether reads are served though no server accepts writes.
    fn serves_reads_apart(&self) -> bool;

    /// Opens a transaction if statements would otherwise be split among connections to the server, by a pooler in
    /// transaction mode. Otherwise does nothing. The server is asked to end statements that take longer than `limit`.
    fn begin(
        &self,
        connection: &mut Self::Connection,
        limit: Option<Duration>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Commits or rolls back the transaction opened by [`SessionTable::begin`].
    fn end(
        &self,
        connection: &mut Self::Connection,
        commit: bool,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Closes a connection instead of returning it to the pool.
    fn discard(&self, connection: Self::Connection);

    /// Closes a connection whose statement may still be under way.
    fn abandon(&self, connection: Self::Connection) -> Self::Lost;

    /// Waits until that statement has ended, and makes it end if that is possible. It takes no effect afterwards. May be
    /// dropped and called again.
    ///
    /// # Errors
    /// If the database cannot be reached.
    fn settled(&self, lost: &mut Self::Lost) -> impl Future<Output = Result<()>> + Send;

    /// The rows of `sids`, of which each may occur once, in the same order, expired ones too. Stops after [`READ_BYTES`].
    fn read(
        &self,
        connection: &mut Self::Connection,
        sids: &[&str],
    ) -> impl Future<Output = Result<Rows>> + Send;

    /// Applies all writes, in one commit unless they have different extra columns. Each sid may occur once. `late` is `now`
    /// and the time that the writes have waited: by it is decided which saves only replace rows. Returns the number of rows
    /// that these did not find.
    fn write(
        &self,
        connection: &mut Self::Connection,
        writes: &[Write<'_>],
        now: Timestamp,
        late: Timestamp,
    ) -> impl Future<Output = Result<u64>> + Send;

    /// Makes one step of a call on the whole table.
    fn call(
        &self,
        connection: &mut Self::Connection,
        call: &TableCall,
        now: Timestamp,
    ) -> impl Future<Output = Result<Step>> + Send;
}

/// The rows of some sids.
#[derive(Debug, Default, PartialEq)]
pub struct Rows {
    pub rows: Vec<Option<Stored>>,
    /// If not, sids without a row may have one, and at least one row was read.
    pub complete: bool,
}

/// What a call on the whole table comes to in one trip.
#[derive(Debug)]
pub enum Step {
    Ended(Outcome),
    /// Number of rows deleted in this step, and the state of the run after it.
    Pruned(u64, PruneProgress),
}
