//! Outcomes as JavaScript receives them.

use napi::bindgen_prelude::{Array, Null, Object, ToNapiValue, TypeName};
use napi::{Env, ValueType, sys};
use napi_derive::napi;

use crate::error::StoreError;
use crate::operation::{Listed, Outcome, Page, Ticket};

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
    /// Value: `PAGE_STRIDE` values for each session. Detail: whether there may be more.
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

/// The outcomes of one batch on their way to JavaScript.
pub struct Delivery(Vec<(Ticket, Outcome)>);

impl Delivery {
    pub fn new(outcomes: Vec<(Ticket, Outcome)>) -> Self {
        Self(outcomes)
    }

    fn into_array(self, env: &Env) -> napi::Result<Array<'_>> {
        let count = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        let mut array = env.create_array(count.saturating_mul(OUTCOME_STRIDE))?;
        for (group, (ticket, outcome)) in (0..).zip(self.0) {
            push(env, &mut array, group * OUTCOME_STRIDE, ticket, outcome)?;
        }
        Ok(array)
    }
}

fn push(
    env: &Env,
    array: &mut Array<'_>,
    at: u32,
    ticket: Ticket,
    outcome: Outcome,
) -> napi::Result<()> {
    array.set(at, ticket)?;
    let outcome_type = match outcome {
        Outcome::Done => OutcomeType::Done,
        Outcome::Missing => OutcomeType::Missing,
        Outcome::Unreadable => OutcomeType::Unreadable,
        Outcome::Session { data, expires } => {
            array.set(at + 2, data)?;
            if let Some(expires) = expires {
                array.set(at + 3, expires.0)?;
            }
            OutcomeType::Session
        }
        Outcome::Count(count) => {
            array.set(at + 2, count as f64)?;
            OutcomeType::Count
        }
        Outcome::Page(Page { sessions, full }) => {
            array.set(at + 2, page(env, sessions)?)?;
            array.set(at + 3, full)?;
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
            Some(data) => array.set(at + 1, data)?,
            None => array.set(at + 1, Null)?,
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

impl TypeName for Delivery {
    fn type_name() -> &'static str {
        "Array"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

#[expect(
    unsafe_code,
    reason = "the trait has an unsafe function, because it trusts the environment that it is given"
)]
impl ToNapiValue for Delivery {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> napi::Result<sys::napi_value> {
        let environment = Env::from_raw(env);
        let array = value.into_array(&environment)?;
        // SAFETY: napi gives us the environment, and the array was made in it.
        unsafe { Array::to_napi_value(env, array) }
    }
}
