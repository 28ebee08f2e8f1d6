//! Outcomes as JavaScript receives them.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Array, Buffer, Null, Object, ToNapiValue, Unknown};
use napi_derive::napi;

use crate::error::{ErrorKind, StoreError};
use crate::operation::{Listed, Outcome, Page};
use crate::queue::Mailbox;

/// The type of an outcome.
#[napi]
pub enum OutcomeType {
    /// The call has taken effect. No value.
    Done,
    /// There is no such live session. No value.
    Missing,
    /// The row cannot be read as a session. No value.
    Unreadable,
    /// Value: the session's data. Detail: when it expires in ms since the epoch, `undefined` for never.
    Session,
    /// Value: the number.
    Count,
    /// Value: `PAGE_STRIDE` values for each session. Detail: where the next page begins; `undefined` at the end.
    Page,
    /// Value: `code`, `message` and `cause` of a `SessionStoreError`.
    Failed,
}

/// Values per outcome in the array that is delivered: ticket, `OutcomeType`, value, detail.
#[napi]
pub const OUTCOME_STRIDE: u32 = 4;

/// Values per session of a page: id, data or `null`, and when it expires in ms since the epoch, `undefined` for never.
#[napi]
pub const PAGE_STRIDE: u32 = 3;

/// The longest string of V8, which makes none of more bytes of UTF-8 than these, whatever their number of characters.
pub const MAX_STRING: usize = (1 << 29) - 24;

/// The outcomes that wait for JavaScript. Not a part of the store, which may be garbage-collected before its last outcome.
#[napi]
pub struct NativeOutcomes {
    mailbox: Arc<Mailbox>,
}

#[napi]
impl NativeOutcomes {
    #[napi(constructor)]
    pub fn new() -> Self {
        Self {
            mailbox: Arc::default(),
        }
    }

    /// The next outcomes as one flat array, `OUTCOME_STRIDE` values for each: ticket, `OutcomeType`, value, detail. `null`
    /// if there are none.
    #[napi(catch_unwind, ts_return_type = "any[] | null")]
    pub fn take<'env>(&self, env: &'env Env) -> napi::Result<Option<Array<'env>>> {
        let outcomes = self.mailbox.take();
        if outcomes.is_empty() {
            return Ok(None);
        }
        let count = u32::try_from(outcomes.len()).unwrap_or(u32::MAX);
        let mut array = env.create_array(count.saturating_mul(OUTCOME_STRIDE))?;
        let mut text = SharedText::default();
        for (group, (ticket, outcome)) in (0..).zip(outcomes) {
            let at = group * OUTCOME_STRIDE;
            array.set(at, ticket)?;
            if let Err(error) = set_outcome(env, &mut array, at, outcome, &mut text) {
                // Only this caller may suffer, and it has to be told.
                let message = format!("the outcome cannot be handed to JavaScript: {error}");
                let error = StoreError::new(ErrorKind::Internal, message);
                array.set(at + 1, OutcomeType::Failed as u32)?;
                array.set(at + 2, failure(env, error)?)?;
                array.set(at + 3, ())?;
            }
        }
        Ok(Some(array))
    }

    pub(super) fn mailbox(&self) -> Arc<Mailbox> {
        Arc::clone(&self.mailbox)
    }
}

impl Drop for NativeOutcomes {
    /// Runs when the store was garbage-collected and everything has ended, or its worker thread has ended.
    fn drop(&mut self) {
        self.mailbox.close();
    }
}

/// The last text that was handed over. Calls that the same row answers share one string.
#[derive(Default)]
struct SharedText<'env>(Option<(Arc<String>, Unknown<'env>)>);

impl<'env> SharedText<'env> {
    fn string(&mut self, env: &'env Env, data: Arc<String>) -> napi::Result<Unknown<'env>> {
        match &self.0 {
            Some((last, string)) if Arc::ptr_eq(last, &data) => Ok(*string),
            _ => {
                let string = env.create_string(data.as_str())?.into_unknown(env)?;
                self.0 = Some((data, string));
                Ok(string)
            }
        }
    }
}

fn set_outcome<'env>(
    env: &'env Env,
    array: &mut Array<'env>,
    at: u32,
    outcome: Outcome,
    text: &mut SharedText<'env>,
) -> napi::Result<()> {
    let outcome_type = match outcome {
        Outcome::Done | Outcome::Delivered => OutcomeType::Done,
        Outcome::Missing => OutcomeType::Missing,
        Outcome::Session { data, .. } if data.len() > MAX_STRING => OutcomeType::Unreadable,
        Outcome::Unreadable => OutcomeType::Unreadable,
        Outcome::Session { data, expires } => {
            array.set(at + 2, text.string(env, data)?)?;
            if let Some(expires) = expires {
                array.set(at + 3, expires.0)?;
            }
            OutcomeType::Session
        }
        Outcome::Count(count) => {
            array.set(at + 2, count as f64)?;
            OutcomeType::Count
        }
        Outcome::Page(Page { sessions, next }) => {
            array.set(at + 2, page(env, sessions)?)?;
            if let Some(next) = next {
                array.set(at + 3, Buffer::from(next))?;
            }
            OutcomeType::Page
        }
        Outcome::Failed(error) => {
            array.set(at + 2, failure(env, error)?)?;
            OutcomeType::Failed
        }
    };
    array.set(at + 1, outcome_type as u32)
}

/// `PAGE_STRIDE` values for each session.
fn page(env: &Env, sessions: Vec<Listed>) -> napi::Result<Array<'_>> {
    let count = u32::try_from(sessions.len()).unwrap_or(u32::MAX);
    let mut array = env.create_array(count.saturating_mul(PAGE_STRIDE))?;
    for (index, listed) in (0..).zip(sessions) {
        let at = index * PAGE_STRIDE;
        array.set(at, listed.sid)?;
        match listed.data {
            Some(data) if data.len() <= MAX_STRING => array.set(at + 1, data)?,
            _ => array.set(at + 1, Null)?,
        }
        if let Some(expires) = listed.expires {
            array.set(at + 2, expires.0)?;
        }
    }
    Ok(array)
}

/// The parts of a `SessionStoreError`.
fn failure(env: &Env, error: StoreError) -> napi::Result<Object<'_>> {
    let mut object = Object::new(env)?;
    object.set("code", error.kind.code())?;
    object.set("message", error.message)?;
    if let Some(cause) = error.cause {
        let mut inner = Object::new(env)?;
        inner.set("code", cause.code)?;
        inner.set("message", cause.message)?;
        object.set("cause", inner)?;
    }
    Ok(object)
}
