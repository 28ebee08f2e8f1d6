//! The function that tells JavaScript of outcomes.

use std::sync::Mutex;

use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};

use crate::lock::lock;

/// Weak, since JavaScript keeps the event loop alive while something is pending.
type Arrived = ThreadsafeFunction<(), (), (), napi::Status, false, true>;

/// A threadsafe function that is there only while it may be needed: Node.js and tools such as Jest count it as something
/// that is open.
#[derive(Default)]
pub struct Bell {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    arrived: Option<Arrived>,
    /// It was rung before it was there.
    missed: bool,
}

impl Bell {
    /// Calls the function in its own thread.
    pub fn ring(&self) {
        let mut state = lock(&self.state);
        match &state.arrived {
            Some(arrived) => call(arrived),
            None => state.missed = true,
        }
    }

    pub fn hang(&self, arrived: Function<'_, (), ()>) -> napi::Result<()> {
        let arrived = arrived
            .build_threadsafe_function::<()>()
            .weak::<true>()
            .build()?;
        let mut state = lock(&self.state);
        if state.missed {
            state.missed = false;
            call(&arrived);
        }
        state.arrived = Some(arrived);
        Ok(())
    }

    pub fn take_down(&self) {
        let arrived = lock(&self.state).arrived.take();
        // Not while the state is locked.
        drop(arrived);
    }
}

fn call(arrived: &Arrived) {
    // Fails only after the JavaScript environment, and so every caller, has ended.
    arrived.call((), ThreadsafeFunctionCallMode::NonBlocking);
}
