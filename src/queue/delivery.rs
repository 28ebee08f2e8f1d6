//! The way of outcomes to their callers.
//!
//! Lanes put outcomes into a mailbox, and the callers' thread takes them from there, a bounded number of bytes at a time.
//! While the mailbox is full, lanes read nothing more. What is in memory is therefore bounded, however many large sessions
//! are requested at once and however slowly the callers' thread goes on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use crate::lock::lock;
use crate::operation::{Outcome, Ticket};

/// What is taken at a time has no more bytes, unless a single outcome has.
const TAKEN_BYTES: usize = 1024 * 1024;

/// A mailbox with more bytes is full.
const FULL_BYTES: usize = 4 * 1024 * 1024;

/// Outcomes that wait for the callers' thread.
#[derive(Default)]
pub struct Mailbox {
    content: Mutex<Content>,
    emptied: Notify,
}

#[derive(Default)]
struct Content {
    batches: VecDeque<Batch>,
    bytes: usize,
    /// The callers' thread was told that there is something, and has not found the mailbox empty since.
    rung: bool,
    /// The callers' thread has ended.
    closed: bool,
}

struct Batch {
    outcomes: VecDeque<(Ticket, Outcome)>,
    bytes: usize,
}

impl Mailbox {
    /// Puts outcomes in. Returns whether the callers' thread has to be told.
    fn put(&self, outcomes: Vec<(Ticket, Outcome)>) -> bool {
        let batch = Batch::of(outcomes);
        let mut content = lock(&self.content);
        if batch.outcomes.is_empty() || content.closed {
            return false;
        }
        content.bytes += batch.bytes;
        content.batches.push_back(batch);
        !std::mem::replace(&mut content.rung, true)
    }

    /// Takes the next outcomes, of as many batches as the bytes allow. Empty if there are none: then the caller is told when
    /// there are some again.
    pub fn take(&self) -> VecDeque<(Ticket, Outcome)> {
        let mut content = lock(&self.content);
        let was_full = content.is_full();
        let taken = content.take();
        content.rung = !taken.is_empty();
        let has_room = was_full && !content.is_full();
        drop(content);
        if has_room {
            self.emptied.notify_waiters();
        }
        taken
    }

    /// Drops the outcomes, of which nobody is left to hear, and takes no others.
    pub fn close(&self) {
        let mut content = lock(&self.content);
        content.closed = true;
        content.batches.clear();
        content.bytes = 0;
        drop(content);
        self.emptied.notify_waiters();
    }

    fn is_full(&self) -> bool {
        lock(&self.content).is_full()
    }
}

impl Content {
    fn is_full(&self) -> bool {
        self.bytes > FULL_BYTES
    }

    fn take(&mut self) -> VecDeque<(Ticket, Outcome)> {
        let Some(first) = self.batches.front_mut() else {
            return VecDeque::new();
        };
        let (mut taken, mut bytes) = first.take();
        if first.outcomes.is_empty() {
            self.batches.pop_front();
            while let Some(batch) = self.batches.front_mut()
                && bytes + batch.bytes <= TAKEN_BYTES
            {
                bytes += batch.bytes;
                taken.append(&mut batch.outcomes);
                self.batches.pop_front();
            }
        }
        self.bytes -= bytes;
        taken
    }
}

impl Batch {
    fn of(outcomes: Vec<(Ticket, Outcome)>) -> Self {
        let mut outcomes = VecDeque::from(outcomes);
        outcomes.retain(|(_, outcome)| !matches!(outcome, Outcome::Delivered));
        let mut bytes = 0;
        let mut previous = None;
        for (_, outcome) in &outcomes {
            bytes += added_bytes(outcome, previous);
            previous = Some(outcome);
        }
        Self { outcomes, bytes }
    }

    /// Takes the first outcomes with their bytes.
    fn take(&mut self) -> (VecDeque<(Ticket, Outcome)>, usize) {
        if self.bytes <= TAKEN_BYTES {
            return (std::mem::take(&mut self.outcomes), self.bytes);
        }
        let mut count = 0;
        let mut bytes = 0;
        let mut previous = None;
        for (_, outcome) in &self.outcomes {
            let added = added_bytes(outcome, previous);
            if count > 0 && added > 0 && bytes + added > TAKEN_BYTES {
                break;
            }
            count += 1;
            bytes += added;
            previous = Some(outcome);
        }
        self.bytes -= bytes;
        let rest = self.outcomes.split_off(count);
        (std::mem::replace(&mut self.outcomes, rest), bytes)
    }
}

/// The bytes of an outcome, if those of the previous one are counted: equal reads share a text.
fn added_bytes(outcome: &Outcome, previous: Option<&Outcome>) -> usize {
    match (outcome, previous) {
        (Outcome::Session { data, .. }, Some(Outcome::Session { data: same, .. }))
            if Arc::ptr_eq(data, same) =>
        {
            0
        }
        _ => outcome.bytes(),
    }
}

/// Delivers the outcomes of a store.
pub struct Delivery {
    mailbox: Arc<Mailbox>,
    ring: Box<dyn Fn() + Send + Sync>,
}

impl Delivery {
    /// `ring` tells the callers' thread that there is something in the mailbox. It is not called again before that thread
    /// has found the mailbox empty.
    pub fn new(mailbox: Arc<Mailbox>, ring: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            mailbox,
            ring: Box::new(ring),
        }
    }

    /// Delivers the outcomes of a batch, without those that were [delivered](Outcome::Delivered) before.
    pub fn deliver(&self, outcomes: Vec<(Ticket, Outcome)>) {
        if self.mailbox.put(outcomes) {
            (self.ring)();
        }
    }

    /// Waits while the mailbox is full.
    pub async fn room(&self) {
        while self.mailbox.is_full() {
            let emptied = self.mailbox.emptied.notified();
            if self.mailbox.is_full() {
                emptied.await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt;

    use super::*;

    fn session(data: &Arc<String>) -> Outcome {
        Outcome::Session {
            data: Arc::clone(data),
            expires: None,
        }
    }

    fn text(bytes: usize) -> Arc<String> {
        Arc::new("x".repeat(bytes))
    }

    fn tickets(taken: &VecDeque<(Ticket, Outcome)>) -> Vec<Ticket> {
        taken.iter().map(|(ticket, _)| *ticket).collect()
    }

    fn delivery() -> (Arc<Mailbox>, Delivery, Arc<AtomicUsize>) {
        let mailbox = Arc::new(Mailbox::default());
        let rings = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&rings);
        let ring = move || _ = counted.fetch_add(1, Ordering::SeqCst);
        (Arc::clone(&mailbox), Delivery::new(mailbox, ring), rings)
    }

    #[test]
    fn small_batches_are_taken_together_and_in_order() {
        let (mailbox, delivery, rings) = delivery();
        delivery.deliver(vec![(1, Outcome::Done), (2, session(&text(600)))]);
        delivery.deliver(vec![(3, Outcome::Missing)]);
        assert_eq!(tickets(&mailbox.take()), [1, 2, 3]);
        assert_eq!(rings.load(Ordering::SeqCst), 1);
        assert!(mailbox.take().is_empty());
        delivery.deliver(vec![(4, Outcome::Done)]);
        assert_eq!(rings.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn large_outcomes_are_taken_in_parts() {
        let (mailbox, delivery, _) = delivery();
        let outcomes =
            [700_000, 300_000, 300_000, 3_000_000, 10].map(|bytes| session(&text(bytes)));
        delivery.deliver((1..).zip(outcomes).collect());
        assert_eq!(tickets(&mailbox.take()), [1, 2]);
        assert_eq!(tickets(&mailbox.take()), [3]);
        assert_eq!(tickets(&mailbox.take()), [4]);
        assert_eq!(tickets(&mailbox.take()), [5]);
        assert_eq!(lock(&mailbox.content).bytes, 0);
    }

    #[test]
    fn a_shared_text_counts_once() {
        let (mailbox, delivery, _) = delivery();
        let shared = text(3_000_000);
        let outcomes = (0..256).map(|ticket| (ticket, session(&shared)));
        delivery.deliver(outcomes.collect());
        assert_eq!(mailbox.take().len(), 256);
        assert_eq!(lock(&mailbox.content).bytes, 0);
    }

    #[test]
    fn what_was_delivered_before_is_not_delivered_again() {
        let (mailbox, delivery, rings) = delivery();
        delivery.deliver(vec![(1, Outcome::Delivered), (2, Outcome::Done)]);
        assert_eq!(tickets(&mailbox.take()), [2]);
        assert!(mailbox.take().is_empty());
        delivery.deliver(vec![(3, Outcome::Delivered)]);
        assert_eq!(rings.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn there_is_room_again_when_enough_was_taken_or_nobody_takes_any_more() {
        let (mailbox, delivery, _) = delivery();
        assert!(delivery.room().now_or_never().is_some());
        let large = || (0..3).map(|ticket| (ticket, session(&text(2_000_000))));
        delivery.deliver(large().collect());
        let mut room = std::pin::pin!(delivery.room());
        assert!(room.as_mut().now_or_never().is_none());
        mailbox.take();
        assert!(room.as_mut().now_or_never().is_some());
        delivery.deliver(large().collect());
        assert!(delivery.room().now_or_never().is_none());
        mailbox.close();
        assert!(delivery.room().now_or_never().is_some());
        delivery.deliver(large().collect());
        assert!(mailbox.take().is_empty());
    }
}
