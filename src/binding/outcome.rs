//! Outcomes as JavaScript receives them.

use napi::bindgen_prelude::{Array, Null, Object, ToNapiValue, TypeName};
use napi::{Env, ValueType, sys};

use crate::error::StoreError;
use crate::operation::{Outcome, Page, Ticket};

/// What an outcome is, as a number that `lib/operations.js` knows too.
#[derive(Clone, Copy)]
enum Kind {
    Done = 0,
    Missing = 1,
    Unreadable = 2,
    Session = 3,
    Count = 4,
    Page = 5,
    Failed = 6,
}

/// Values per outcome in the flat array: ticket, kind, value, and what belongs to it: when a session expires, whether a
/// page is full.
const STRIDE: u32 = 4;

/// The outcomes of one batch on their way to JavaScript.
pub struct Delivery(Vec<(Ticket, Outcome)>);

impl Delivery {
    pub fn new(outcomes: Vec<(Ticket, Outcome)>) -> Self {
        Self(outcomes)
    }

    fn into_array(self, env: &Env) -> napi::Result<Array<'_>> {
        let count = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        let mut array = env.create_array(count.saturating_mul(STRIDE))?;
        for (group, (ticket, outcome)) in (0..).zip(self.0) {
            push(env, &mut array, group * STRIDE, ticket, outcome)?;
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
    let kind = match outcome {
        Outcome::Done => Kind::Done,
        Outcome::Missing => Kind::Missing,
        Outcome::Unreadable => Kind::Unreadable,
        Outcome::Session { data, expires } => {
            array.set(at + 2, data)?;
            if let Some(expires) = expires {
                array.set(at + 3, expires.0)?;
            }
            Kind::Session
        }
        Outcome::Count(count) => {
            array.set(at + 2, count as f64)?;
            Kind::Count
        }
        Outcome::Page(Page { sessions, full }) => {
            array.set(at + 2, page(env, sessions)?)?;
            array.set(at + 3, full)?;
            Kind::Page
        }
        Outcome::Failed(error) => {
            array.set(at + 2, failure(env, error)?)?;
            Kind::Failed
        }
    };
    array.set(at + 1, kind as u32)
}

/// Session ids and data by turns.
fn page(env: &Env, rows: Vec<(String, Option<String>)>) -> napi::Result<Array<'_>> {
    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let mut array = env.create_array(count.saturating_mul(2))?;
    for (index, (sid, data)) in (0..).zip(rows) {
        array.set(index * 2, sid)?;
        match data {
            Some(data) => array.set(index * 2 + 1, data)?,
            None => array.set(index * 2 + 1, Null)?,
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
    reason = "napi's conversion trait is unsafe to implement; the environment is the one that napi passes in"
)]
impl ToNapiValue for Delivery {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> napi::Result<sys::napi_value> {
        let environment = Env::from_raw(env);
        let array = value.into_array(&environment)?;
        // SAFETY: the environment is the one that napi passed in, and the array was made in it.
        unsafe { Array::to_napi_value(env, array) }
    }
}
