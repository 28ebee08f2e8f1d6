//! The boundary to JavaScript: convert, call, return. The only room that names napi.
#![expect(
    clippy::needless_pass_by_value,
    clippy::trivially_copy_pass_by_ref,
    reason = "napi hands over owned values, and its own functions take `&Env`"
)]
#![expect(
    clippy::cast_precision_loss,
    reason = "JavaScript's numbers are exact to 2^53, beyond any count of ours"
)]

mod options;
mod outcome;

use std::sync::Arc;

use napi::bindgen_prelude::{FnArgs, Function};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;

use crate::error::StoreError;
use crate::operation::{
    Call, Operation, PageRequest, PruneProgress, Row, SessionCall, TableCall, Ticket,
};
use crate::store::{self, Store};
use crate::timestamp::Timestamp;
use options::{StoreOptions, TableOptions, extra};
use outcome::Delivery;

/// An error whose `code` JavaScript sees.
type Result<T, E = napi::Error<&'static str>> = std::result::Result<T, E>;

/// The counts of a store. Those that only JavaScript can count are added there.
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

/// A session store. Each call takes a ticket and returns at once; outcomes come back in batches by the function given
/// to the constructor.
#[napi]
pub struct NativeStore {
    store: Store,
}

#[napi]
impl NativeStore {
    /// Opens a store without touching the database. `settle` receives the outcomes of a batch as one flat array of
    /// `ticket, kind, value, expires` groups.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        options: StoreOptions,
        #[napi(ts_arg_type = "(outcomes: any[]) => void")] settle: Function<
            '_,
            FnArgs<(Delivery,)>,
            (),
        >,
    ) -> Result<Self> {
        let settle = settle
            .build_threadsafe_function::<Delivery>()
            // Weak: whether the event loop stays alive is for JavaScript to say, which knows what is pending.
            .weak::<true>()
            .build_callback(|context| Ok(FnArgs::from((context.value,))))
            .map_err(|error| napi::Error::new("ERR_SESSION_INTERNAL", error.reason.clone()))?;
        let deliver = Arc::new(move |outcomes| {
            // Fails only when the JavaScript environment has ended, and its callers with it.
            settle.call(
                Delivery::new(outcomes),
                ThreadsafeFunctionCallMode::NonBlocking,
            );
        });
        let store = Store::open(options.into(), deliver).map_err(thrown)?;
        Ok(Self { store })
    }

    /// The DDL of a table as a store would create it.
    #[napi(catch_unwind)]
    pub fn ddl(dialect: String, table: TableOptions) -> Result<String> {
        store::ddl(&dialect, &table.into()).map_err(thrown)
    }

    #[napi(catch_unwind)]
    pub fn get(&self, ticket: u32, sid: String) -> Result<()> {
        self.on_session(ticket, sid, SessionCall::Get)
    }

    /// `expires` in ms since the epoch. `loaded`: update only. `extra`: the application's own columns, as the JSON text
    /// that `lib/columns.js` writes.
    #[napi(catch_unwind)]
    pub fn set(
        &self,
        ticket: u32,
        sid: String,
        data: String,
        expires: i64,
        loaded: bool,
        extra_columns: Option<String>,
    ) -> Result<()> {
        let row = Row {
            data,
            expires: Timestamp(expires),
            loaded,
            extra: extra(extra_columns.as_deref()).map_err(thrown)?,
        };
        self.on_session(ticket, sid, SessionCall::Set(row))
    }

    /// `expires` in ms since the epoch.
    #[napi(catch_unwind)]
    pub fn touch(&self, ticket: u32, sid: String, expires: i64) -> Result<()> {
        let expires = Timestamp(expires);
        self.on_session(ticket, sid, SessionCall::Touch { expires })
    }

    #[napi(catch_unwind)]
    pub fn destroy(&self, ticket: u32, sid: String) -> Result<()> {
        self.on_session(ticket, sid, SessionCall::Destroy)
    }

    #[napi(catch_unwind)]
    pub fn length(&self, ticket: u32) -> Result<()> {
        self.push(ticket, Call::Table(TableCall::Length))
    }

    /// Live sessions behind `after` in the order of their ids.
    #[napi(catch_unwind)]
    pub fn page(
        &self,
        ticket: u32,
        after: Option<String>,
        limit: u32,
        with_data: bool,
    ) -> Result<()> {
        let request = PageRequest {
            after,
            limit,
            with_data,
        };
        self.push(ticket, Call::Table(TableCall::Page(request)))
    }

    #[napi(catch_unwind)]
    pub fn clear(&self, ticket: u32) -> Result<()> {
        self.push(ticket, Call::Table(TableCall::Clear))
    }

    #[napi(catch_unwind)]
    pub fn prune(&self, ticket: u32) -> Result<()> {
        let call = TableCall::Prune(PruneProgress::default());
        self.push(ticket, Call::Table(call))
    }

    #[napi(catch_unwind)]
    pub fn sync(&self, ticket: u32, force: bool) -> Result<()> {
        self.push(ticket, Call::Table(TableCall::Sync { force }))
    }

    /// Begins what was called before. One call for all of a turn of the event loop: each wakes up other threads.
    #[napi(catch_unwind)]
    pub fn submit(&self) {
        self.store.submit();
    }

    /// Ends what was called before and refuses what comes after.
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

    fn on_session(&self, ticket: Ticket, sid: String, call: SessionCall) -> Result<()> {
        self.push(ticket, Call::Session { sid, call })
    }

    fn push(&self, ticket: Ticket, call: Call) -> Result<()> {
        let pushed = self.store.push(Operation::new(ticket, call));
        pushed.map_err(thrown)
    }
}

impl Drop for NativeStore {
    /// A store that nobody holds any more, or whose worker thread has ended: what it accepted is still written.
    fn drop(&mut self) {
        self.store.close(None);
    }
}

fn thrown(error: StoreError) -> napi::Error<&'static str> {
    napi::Error::new(error.kind.code(), error.message)
}
