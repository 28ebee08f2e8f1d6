//! The boundary to JavaScript: convert, call, return. The only module that names napi.
#![expect(
    clippy::needless_pass_by_value,
    clippy::trivially_copy_pass_by_ref,
    reason = "napi hands over owned values, and its own functions take `&Env`"
)]
#![expect(
    clippy::too_many_arguments,
    reason = "an object would cost the calls of JavaScript more than its parts"
)]
#![expect(
    clippy::cast_precision_loss,
    reason = "JavaScript's numbers are exact to 2^53, beyond any count of ours"
)]

mod bell;
mod extra;
mod options;
mod outcome;

use std::sync::Arc;

use napi::bindgen_prelude::{Buffer, Function};
use napi_derive::napi;

use crate::error::{ErrorKind, StoreError};
use crate::operation::{
    Call, Operation, PageRequest, PruneProgress, Row, SessionCall, TableCall, Ticket,
};
use crate::queue::Delivery;
use crate::store::{self, Store};
use crate::timestamp::Timestamp;
use bell::Bell;
use extra::extra;
use options::{StoreOptions, TableOptions};
use outcome::{MAX_STRING, NativeOutcomes};

/// An error with the `code` that JavaScript sees.
type Result<T, E = napi::Error<&'static str>> = std::result::Result<T, E>;

/// Statistics of a store, without those that JavaScript counts.
#[napi(object, object_from_js = false)]
pub struct NativeStats {
    pub batches: f64,
    pub operations: f64,
    pub retries: f64,
    pub pruned: f64,
    pub gone: f64,
    pub pending: u32,
    pub pool_size: u32,
    pub pool_idle: u32,
}

/// A session store. Each call takes a ticket and the time, and returns at once. All times are in ms since the epoch. The
/// outcomes come into the mailbox given to the constructor.
#[napi]
pub struct NativeStore {
    store: Store,
    bell: Arc<Bell>,
}

#[napi]
impl NativeStore {
    /// Opens a store without connecting.
    #[napi(constructor, catch_unwind)]
    pub fn new(options: StoreOptions, outcomes: &NativeOutcomes) -> Result<Self> {
        let bell = Arc::<Bell>::default();
        let rung = Arc::clone(&bell);
        let delivery = Arc::new(Delivery::new(outcomes.mailbox(), move || rung.ring()));
        let store = Store::open(options.into(), delivery).map_err(thrown)?;
        Ok(Self { store, bell })
    }

    /// Calls `arrived` when outcomes are there, and not again before `take` has found none. To be called before the first
    /// `submit`.
    #[napi(catch_unwind)]
    pub fn listen(
        &self,
        #[napi(ts_arg_type = "() => void")] arrived: Function<'_, (), ()>,
    ) -> Result<()> {
        self.bell
            .hang(arrived)
            .map_err(|error| napi::Error::new(ErrorKind::Internal.code(), error.reason.clone()))
    }

    /// Ends what `listen` began. To be called after the outcome of `close`, which is the last one.
    #[napi(catch_unwind)]
    pub fn release(&self) {
        self.bell.take_down();
    }

    /// The DDL with which a store would create this table.
    #[napi(catch_unwind)]
    pub fn ddl(dialect: String, table: TableOptions) -> Result<String> {
        store::ddl(&dialect, &table.into()).map_err(thrown)
    }

    #[napi(catch_unwind)]
    pub fn get(&self, ticket: u32, now: i64, sid: String) -> Result<()> {
        self.call_session(ticket, now, sid, SessionCall::Get)
    }

    /// `updateUntil`: for a loaded session, until when only an existing row is replaced. `keepLater`: a later expiry of that
    /// row stays. `extraColumns`: the application's own columns, as the text that `lib/columns.js` writes.
    #[napi(catch_unwind)]
    pub fn set(
        &self,
        ticket: u32,
        now: i64,
        sid: String,
        data: String,
        expires: i64,
        update_until: Option<i64>,
        keep_later: bool,
        extra_columns: Option<String>,
    ) -> Result<()> {
        if data.len() > MAX_STRING {
            let message = format!(
                "expected a session of at most {MAX_STRING} bytes, which is what JavaScript can read again, got {}",
                data.len()
            );
            return Err(thrown(StoreError::new(ErrorKind::Data, message)));
        }
        let row = Row {
            data,
            expires: Timestamp(expires),
            keep_later,
            update_until: update_until.map_or(Timestamp::MIN, Timestamp),
            extra: extra(extra_columns.as_deref()).map_err(thrown)?,
        };
        self.call_session(ticket, now, sid, SessionCall::Set(row))
    }

    /// `unlessAfter`: the row is left alone if it expires after this time, but not after `expires`.
    #[napi(catch_unwind)]
    pub fn touch(
        &self,
        ticket: u32,
        now: i64,
        sid: String,
        expires: i64,
        unless_after: Option<i64>,
    ) -> Result<()> {
        let touch = SessionCall::Touch {
            expires: Timestamp(expires),
            unless_after: unless_after.map(Timestamp),
        };
        self.call_session(ticket, now, sid, touch)
    }

    #[napi(catch_unwind)]
    pub fn destroy(&self, ticket: u32, now: i64, sid: String) -> Result<()> {
        self.call_session(ticket, now, sid, SessionCall::Destroy)
    }

    #[napi(catch_unwind)]
    pub fn length(&self, ticket: u32, now: i64) -> Result<()> {
        self.call_table(ticket, now, TableCall::Length)
    }

    /// Live sessions in the order of their ids. `after`: where the page before said that this one begins.
    #[napi(catch_unwind)]
    pub fn page(
        &self,
        ticket: u32,
        now: i64,
        after: Option<Buffer>,
        limit: u32,
        with_data: bool,
    ) -> Result<()> {
        let request = PageRequest {
            after: after.map(Vec::from),
            limit,
            with_data,
        };
        self.call_table(ticket, now, TableCall::Page(request))
    }

    #[napi(catch_unwind)]
    pub fn clear(&self, ticket: u32, now: i64) -> Result<()> {
        self.call_table(ticket, now, TableCall::Clear)
    }

    #[napi(catch_unwind)]
    pub fn prune(&self, ticket: u32, now: i64) -> Result<()> {
        let prune = TableCall::Prune(PruneProgress::default());
        self.call_table(ticket, now, prune)
    }

    #[napi(catch_unwind)]
    pub fn sync(&self, ticket: u32, now: i64, force: bool) -> Result<()> {
        self.call_table(ticket, now, TableCall::Sync { force })
    }

    /// Begins what was called before. To be called once in a turn of the event loop, since it wakes other threads.
    #[napi(catch_unwind)]
    pub fn submit(&self) {
        self.store.submit();
    }

    /// Refuses calls from now on, and closes the connections after those made before have ended.
    #[napi(catch_unwind)]
    pub fn close(&self, ticket: u32) {
        self.store.close(Some(ticket));
    }

    #[napi(catch_unwind)]
    pub fn stats(&self) -> NativeStats {
        let counts = self.store.counts();
        let pool = self.store.pool_size();
        NativeStats {
            batches: counts.batches as f64,
            operations: counts.operations as f64,
            retries: counts.retries as f64,
            pruned: counts.pruned as f64,
            gone: counts.gone as f64,
            pending: u32::try_from(self.store.pending()).unwrap_or(u32::MAX),
            pool_size: pool.size,
            pool_idle: pool.idle,
        }
    }

    /// What was decided about the table since this was asked, for the debug log.
    #[napi(catch_unwind)]
    pub fn take_note(&self) -> Option<String> {
        self.store.take_note()
    }

    fn call_session(&self, ticket: Ticket, now: i64, sid: String, call: SessionCall) -> Result<()> {
        self.push(ticket, now, Call::Session { sid, call })
    }

    fn call_table(&self, ticket: Ticket, now: i64, call: TableCall) -> Result<()> {
        self.push(ticket, now, Call::Table(call))
    }

    fn push(&self, ticket: Ticket, now: i64, call: Call) -> Result<()> {
        let operation = Operation::new(ticket, call, Timestamp(now));
        self.store.push(operation).map_err(thrown)
    }
}

impl Drop for NativeStore {
    /// Runs when the store was garbage-collected or its worker thread has ended. What it accepted is still written.
    fn drop(&mut self) {
        self.store.close(None);
    }
}

fn thrown(error: StoreError) -> napi::Error<&'static str> {
    napi::Error::new(error.kind.code(), error.message)
}
