//! The task of a lane.
//!
//! The runtime polls it. A caller that finds the lane idle may poll it too, on its own thread: a single call is then on
//! its way to the database without having to wait for another thread to wake up.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::task::{Context, Poll, Waker};

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::order::Place;
use crate::lock::lock;

/// A lane that the runtime and callers can poll.
pub struct Task {
    pub place: Place,
    /// `None` after the lane has ended.
    lane: Mutex<Option<BoxFuture<'static, ()>>>,
    /// Makes the runtime poll the task. `None` until the runtime has polled it once.
    waker: Mutex<Option<Waker>>,
    /// There is work to do.
    rung: AtomicBool,
}

impl Task {
    pub fn new(place: Place) -> Self {
        Self {
            place,
            lane: Mutex::new(None),
            waker: Mutex::new(None),
            rung: AtomicBool::new(false),
        }
    }

    /// Hands the lane to the runtime. The handle completes when the lane has ended.
    pub fn start(
        self: &Arc<Self>,
        runtime: &Handle,
        lane: BoxFuture<'static, ()>,
    ) -> JoinHandle<()> {
        *lock(&self.lane) = Some(lane);
        let task = Arc::clone(self);
        runtime.spawn(poll_fn(move |context| {
            // Before the lane is polled, so that a caller that rings meanwhile finds the waker.
            *lock(&task.waker) = Some(context.waker().clone());
            poll_lane(&mut lock(&task.lane), context)
        }))
    }

    /// Waits until there is work to do. To be called by the lane itself.
    pub async fn rung(&self) {
        poll_fn(|_| {
            if self.rung.swap(false, Ordering::SeqCst) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Makes the runtime poll the lane.
    pub fn ring(&self) {
        self.rung.store(true, Ordering::SeqCst);
        if let Some(waker) = &*lock(&self.waker) {
            waker.wake_by_ref();
        }
    }

    /// Polls the lane on this thread, until it waits for the database. To be called in the context of the runtime.
    pub fn ring_here(&self) {
        self.rung.store(true, Ordering::SeqCst);
        let Some(waker) = lock(&self.waker).clone() else {
            return;
        };
        let mut lane = match self.lane.try_lock() {
            Ok(lane) => lane,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return waker.wake(),
        };
        let mut context = Context::from_waker(&waker);
        let polled = catch_unwind(AssertUnwindSafe(|| poll_lane(&mut lane, &mut context)));
        if !matches!(polled, Ok(Poll::Pending)) {
            // The runtime has to learn that the lane has ended.
            waker.wake();
        }
    }
}

fn poll_lane(lane: &mut Option<BoxFuture<'static, ()>>, context: &mut Context<'_>) -> Poll<()> {
    let Some(running) = lane else {
        return Poll::Ready(());
    };
    let polled = running.as_mut().poll(context);
    if polled.is_ready() {
        *lane = None;
    }
    polled
}
