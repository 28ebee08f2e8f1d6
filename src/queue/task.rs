//! The task of a lane.
//!
//! The runtime moves a task on. A caller who finds its lane idle may do so too, on its own thread: a call that is alone
//! is then on its way to the database without another thread having to wake up first.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::task::{Context, Poll, Waker};

use futures_util::future::BoxFuture;
use std::future::poll_fn;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::lock;
use super::order::Place;

pub struct Task {
    pub place: Place,
    /// Gone when the lane has ended.
    lane: Mutex<Option<BoxFuture<'static, ()>>>,
    /// Makes the runtime move the task on; there from the first time on that it did.
    waker: Mutex<Option<Waker>>,
    /// There is something to do.
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

    /// Hands the lane to the runtime. The handle is done when the lane has ended.
    pub fn start(
        self: &Arc<Self>,
        runtime: &Handle,
        lane: BoxFuture<'static, ()>,
    ) -> JoinHandle<()> {
        *lock(&self.lane) = Some(lane);
        let task = Arc::clone(self);
        runtime.spawn(poll_fn(move |context| {
            // Before the lane is looked at, so that who rings meanwhile finds it.
            *lock(&task.waker) = Some(context.waker().clone());
            move_on(&mut lock(&task.lane), context)
        }))
    }

    /// Waits until there is something to do. For the lane itself.
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

    /// Has the runtime move the lane on.
    pub fn ring(&self) {
        self.rung.store(true, Ordering::SeqCst);
        if let Some(waker) = &*lock(&self.waker) {
            waker.wake_by_ref();
        }
    }

    /// Moves the lane on here and now, until it waits for the database. Needs the context of the runtime.
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
        let moved = catch_unwind(AssertUnwindSafe(|| move_on(&mut lane, &mut context)));
        if !matches!(moved, Ok(Poll::Pending)) {
            // The runtime has to see that the lane has ended.
            waker.wake();
        }
    }
}

fn move_on(lane: &mut Option<BoxFuture<'static, ()>>, context: &mut Context<'_>) -> Poll<()> {
    let Some(running) = lane else {
        return Poll::Ready(());
    };
    let moved = running.as_mut().poll(context);
    if moved.is_ready() {
        *lane = None;
    }
    moved
}
