//! The queue over a table in memory that can be made slow, failing or panicking.

mod fake;

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::error::{Cause, Remedy};
use crate::operation::{Call, Outcome, PruneProgress, Row, SessionCall, TableCall, Ticket};
use crate::timestamp::Timestamp;
use fake::Fake;

const LANES: Lanes = Lanes {
    readers: 1,
    writers: 2,
    table: true,
    prune_as_writer: false,
};

/// When every call is made.
const NOW: Timestamp = Timestamp(1000);

const FAR: Timestamp = Timestamp(i64::MAX);

/// A queue over a fake table, and its outcomes in the order of their delivery.
struct Rig {
    queue: Queue,
    table: Arc<Fake>,
    mailbox: Arc<Mailbox>,
    bell: Receiver<()>,
    runtime: Runtime,
}

impl Rig {
    fn new(bounds: QueueConfig) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let table = Arc::new(Fake::default());
        let (sender, bell) = channel();
        let mailbox = Arc::new(Mailbox::default());
        let ring = move || _ = sender.send(());
        let delivery = Arc::new(Delivery::new(Arc::clone(&mailbox), ring));
        let limits = Limits {
            acquire: Duration::from_millis(200),
            query: Duration::from_millis(200),
        };
        let queue = Queue::start(runtime.handle(), &table, LANES, bounds, limits, delivery);
        Self {
            queue,
            table,
            mailbox,
            bell,
            runtime,
        }
    }

    fn push(&self, ticket: Ticket, call: Call) {
        self.queue.push(Operation::new(ticket, call, NOW)).unwrap();
        self.queue.submit();
    }

    /// The outcomes of the next `count` calls to end, abbreviated, in the order of their tickets.
    fn outcomes(&self, count: usize) -> Vec<String> {
        let mut outcomes = BTreeMap::new();
        while outcomes.len() < count {
            let taken = self.take();
            outcomes.extend(
                taken
                    .into_iter()
                    .map(|(ticket, outcome)| (ticket, short(&outcome))),
            );
        }
        outcomes.into_values().collect()
    }

    /// What the callers' thread takes next.
    fn take(&self) -> VecDeque<(Ticket, Outcome)> {
        loop {
            let taken = self.mailbox.take();
            if !taken.is_empty() {
                return taken;
            }
            self.bell.recv_timeout(Duration::from_secs(10)).unwrap();
        }
    }

    fn log(&self) -> Vec<String> {
        lock(&self.table.log).clone()
    }

    fn fail_next(&self, failures: Vec<StoreError>) {
        *lock(&self.table.failures) = failures;
    }
}

fn wide() -> QueueConfig {
    QueueConfig {
        max_operations: 1000,
        max_bytes: 1_000_000,
    }
}

fn short(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Session { data, .. } => String::clone(data),
        Outcome::Failed(error) => error.kind.code().into(),
        Outcome::Count(count) => format!("{count}"),
        other => format!("{other:?}"),
    }
}

fn get(sid: &str) -> Call {
    session(sid, SessionCall::Get)
}

fn set(sid: &str, data: &str, expires: Timestamp) -> Call {
    session(
        sid,
        SessionCall::Set(Row {
            data: data.into(),
            expires,
            keep_later: false,
            update_until: Timestamp::MIN,
            extra: Vec::new(),
        }),
    )
}

fn session(sid: &str, call: SessionCall) -> Call {
    let sid = sid.into();
    Call::Session { sid, call }
}

#[test]
fn calls_that_gather_while_a_lane_is_busy_share_one_trip() {
    let rig = Rig::new(wide());
    let gate = rig.table.gate.blocking_lock();
    rig.push(0, get("first"));
    // The lane has taken the first call when the line is empty again.
    while !rig.queue.shared.state().reads.is_empty() {
        std::thread::yield_now();
    }
    for ticket in 1..=100 {
        rig.push(ticket, get(&format!("s{ticket:03}")));
    }
    drop(gate);
    assert_eq!(rig.outcomes(101), vec!["Missing"; 101]);
    assert_eq!(rig.log().len(), 2);
}

#[test]
fn a_single_call_does_not_wait_for_the_runtime() {
    let rig = Rig::new(wide());
    rig.push(0, get("first"));
    assert_eq!(rig.outcomes(1), ["Missing"]);
    while rig.queue.shared.state().idle.len() < 4 {
        std::thread::yield_now();
    }
    // Nothing runs on the runtime while its threads are blocked.
    let (release, kept) = channel::<()>();
    let kept = Arc::new(Mutex::new(kept));
    let (began, started) = channel();
    for _ in 0..2 {
        let (kept, began) = (Arc::clone(&kept), began.clone());
        rig.runtime.spawn(async move {
            began.send(()).unwrap();
            _ = lock(&kept).recv();
        });
    }
    started.recv().unwrap();
    started.recv().unwrap();
    rig.push(1, get("second"));
    assert_eq!(rig.outcomes(1), ["Missing"]);
    drop(release);
}

/// Pushes reads while the table cannot answer, so that they end in one batch.
fn push_together(rig: &Rig, sids: impl Iterator<Item = String>) {
    let gate = rig.table.gate.blocking_lock();
    rig.push(0, get("first"));
    while !rig.queue.shared.state().reads.is_empty() {
        std::thread::yield_now();
    }
    for (ticket, sid) in (1..).zip(sids) {
        rig.push(ticket, get(&sid));
    }
    drop(gate);
}

#[test]
fn equal_reads_of_a_batch_share_one_row() {
    let rig = Rig::new(wide());
    rig.push(0, set("a", "1", FAR));
    rig.outcomes(1);
    push_together(&rig, (0..100).map(|index| ["a", "b"][index % 2].to_owned()));
    let mut outcomes = BTreeMap::new();
    while outcomes.len() < 101 {
        outcomes.extend(rig.take());
    }
    let texts: Vec<_> = outcomes
        .into_values()
        .filter_map(|outcome| match outcome {
            Outcome::Session { data, .. } => Some(data),
            _ => None,
        })
        .collect();
    assert_eq!(texts.len(), 50);
    assert!(texts.iter().all(|text| Arc::ptr_eq(text, &texts[0])));
    assert_eq!(rig.log().last().unwrap(), "read a b");
}

#[test]
fn large_sessions_are_read_as_fast_as_their_callers_take_them() {
    let rig = Rig::new(wide());
    let sids: Vec<String> = (0..100).map(|index| format!("s{index:03}")).collect();
    let large = "x".repeat(1_000_000);
    for sid in &sids {
        lock(&rig.table.rows).insert(sid.clone(), (large.clone(), FAR));
    }
    push_together(&rig, sids.into_iter());
    // What nobody takes is not followed by more.
    while lock(&rig.table.log).len() < 2 {
        std::thread::yield_now();
    }
    std::thread::sleep(Duration::from_millis(50));
    assert!(rig.log().len() <= 3);
    let mut tickets = Vec::new();
    while tickets.len() < 101 {
        let taken = rig.take();
        let bytes: usize = taken.iter().map(|(_, outcome)| outcome.bytes()).sum();
        assert!(taken.len() == 1 || bytes < 1_100_000);
        tickets.extend(taken.into_iter().map(|(ticket, _)| ticket));
    }
    tickets.sort_unstable();
    assert_eq!(tickets, (0..=100).collect::<Vec<_>>());
    // After the first trip, which did not know how large they are, a few at a time.
    let trips = rig.log();
    assert!(trips.len() > 20, "{} trips", trips.len());
    assert_eq!(rig.queue.pending(), 0);
}

#[test]
fn a_panic_after_an_early_delivery_fails_the_others_only() {
    let rig = Rig::new(wide());
    let large = "x".repeat(3_000_000);
    for sid in ["a", "b"] {
        lock(&rig.table.rows).insert(sid.into(), (large.clone(), FAR));
    }
    rig.queue.shared.row_size.note(1, 3_000_000);
    push_together(&rig, ["a", "b", "panic"].map(String::from).into_iter());
    let outcomes = rig.outcomes(4);
    assert_eq!(outcomes[3], "ERR_SESSION_INTERNAL");
    assert_eq!(outcomes[1], outcomes[2]);
    assert_eq!(outcomes[1].len(), 3_000_000);
    assert!(rig.mailbox.take().is_empty());
    assert_eq!(rig.queue.pending(), 0);
}

/// Larger than what a full mailbox holds.
fn large_row() -> (String, Timestamp) {
    ("x".repeat(5_000_000), FAR)
}

#[test]
fn a_timeout_after_an_early_delivery_fails_the_others_only() {
    let rig = Rig::new(wide());
    for sid in ["a", "b"] {
        lock(&rig.table.rows).insert(sid.into(), large_row());
    }
    rig.queue.shared.row_size.note(1, 5_000_000);
    push_together(&rig, ["a", "b"].map(String::from).into_iter());
    until(|| rig.log().len() == 2);
    // The next trip begins when the first session was taken, and callers may take their time.
    let gate = rig.table.gate.blocking_lock();
    std::thread::sleep(Duration::from_millis(500));
    let outcomes = rig.outcomes(3);
    assert_eq!(outcomes[0], "Missing");
    assert_eq!(outcomes[1].len(), 5_000_000);
    assert_eq!(outcomes[2], "ERR_SESSION_TIMEOUT");
    drop(gate);
    assert!(rig.mailbox.take().is_empty());
    assert_eq!(rig.queue.pending(), 0);
    rig.push(3, get("missing"));
    assert_eq!(rig.outcomes(1), ["Missing"]);
}

#[test]
fn every_call_has_one_outcome_when_a_batch_of_a_writer_times_out() {
    let rig = Rig::new(wide());
    rig.queue.shared.row_size.note(1, 5_000_000);
    let sids: Vec<String> = (0..6).map(|index| format!("s{index}")).collect();
    for sid in &sids {
        lock(&rig.table.rows).insert(sid.clone(), large_row());
    }
    let touch = || SessionCall::Touch {
        expires: FAR,
        unless_after: None,
    };
    let gate = rig.table.gate.blocking_lock();
    for (ticket, sid) in (0..).zip(&sids) {
        rig.push(ticket, session(sid, touch()));
    }
    for (ticket, sid) in (6..).zip(&sids) {
        rig.push(ticket, get(sid));
    }
    for (ticket, sid) in (12..).zip(&sids) {
        rig.push(ticket, session(sid, touch()));
    }
    drop(gate);
    // Until the lanes wait for callers to take what was delivered early.
    until(|| rig.log().iter().any(|trip| trip.starts_with("read")));
    std::thread::sleep(Duration::from_millis(100));
    let frozen = rig.table.frozen.blocking_lock();
    let gate = rig.table.gate.blocking_lock();
    let mut tickets = Vec::new();
    while tickets.len() < 18 {
        tickets.extend(rig.take().into_iter().map(|(ticket, _)| ticket));
    }
    tickets.sort_unstable();
    assert_eq!(tickets, (0..18).collect::<Vec<_>>());
    assert!(rig.log().contains(&"abandon".to_owned()));
    drop(gate);
    drop(frozen);
    rig.push(18, set("s0", "1", FAR));
    rig.push(19, get("s0"));
    assert_eq!(rig.outcomes(2), ["Done", "1"]);
    assert!(rig.mailbox.take().is_empty());
    assert_eq!(rig.queue.pending(), 0);
}

#[test]
fn operations_on_one_session_take_effect_in_the_order_of_their_calls() {
    let rig = Rig::new(wide());
    rig.push(0, get("a"));
    rig.push(1, set("a", "1", FAR));
    rig.push(2, get("a"));
    rig.push(3, set("a", "2", FAR));
    rig.push(4, get("a"));
    rig.push(5, session("a", SessionCall::Destroy));
    rig.push(6, get("a"));
    let outcomes = rig.outcomes(7);
    assert_eq!(
        outcomes,
        ["Missing", "Done", "1", "Done", "2", "Done", "Missing"]
    );
}

#[test]
fn an_expired_row_is_missing() {
    let rig = Rig::new(wide());
    rig.push(0, set("a", "1", Timestamp(1)));
    rig.push(1, get("a"));
    assert_eq!(rig.outcomes(2), ["Done", "Missing"]);
}

#[test]
fn a_bad_row_fails_only_its_own_operation() {
    let rig = Rig::new(wide());
    let gate = rig.table.gate.blocking_lock();
    for (ticket, sid) in ["a", "bad", "c", "d", "e", "f"].into_iter().enumerate() {
        rig.push(ticket.try_into().unwrap(), set(sid, "1", FAR));
    }
    drop(gate);
    let outcomes = rig.outcomes(6);
    assert_eq!(outcomes[1], "ERR_SESSION_DATABASE");
    assert_eq!(
        outcomes.iter().filter(|outcome| *outcome == "Done").count(),
        5
    );
    assert_eq!(lock(&rig.table.rows).len(), 5);
}

#[test]
fn a_trip_that_meets_a_lock_is_repeated_and_counted() {
    let rig = Rig::new(wide());
    let locked = StoreError::new(ErrorKind::Timeout, "locked").with_remedy(Remedy::Retry);
    rig.fail_next(vec![locked.clone(), locked]);
    rig.push(0, set("a", "1", FAR));
    assert_eq!(rig.outcomes(1), ["Done"]);
    assert_eq!(rig.queue.counts().retries, 2);
}

#[test]
fn a_lasting_lock_becomes_an_error() {
    let rig = Rig::new(wide());
    let locked = StoreError::new(ErrorKind::Timeout, "locked").with_remedy(Remedy::Retry);
    rig.fail_next(vec![locked; 20]);
    rig.push(0, set("a", "1", FAR));
    assert_eq!(rig.outcomes(1), ["ERR_SESSION_TIMEOUT"]);
}

#[test]
fn a_lost_connection_is_replaced() {
    let rig = Rig::new(wide());
    let lost = StoreError::new(ErrorKind::Connection, "gone").with_remedy(Remedy::Reconnect);
    rig.fail_next(vec![lost]);
    rig.push(0, get("a"));
    assert_eq!(rig.outcomes(1), ["Missing"]);
    assert_eq!(rig.log(), ["read a", "discard", "read a"]);
}

#[test]
fn a_server_that_refuses_writes_is_left_and_nothing_is_isolated() {
    let rig = Rig::new(wide());
    let refused = StoreError::new(ErrorKind::Connection, "reads only").with_remedy(Remedy::Leave);
    rig.fail_next(vec![refused; 3]);
    rig.push(0, set("a", "1", FAR));
    assert_eq!(rig.outcomes(1), ["Done"]);
    let once = ["write a", "leave"];
    let expected = [&once[..], &once, &once, &["write a"]].concat();
    assert_eq!(rig.log(), expected);
}

#[test]
fn what_a_server_says_of_itself_is_waited_for_longer_than_a_broken_connection() {
    let rig = Rig::new(wide());
    let cause = Cause {
        code: Some("57P01".into()),
        message: "shutting down".into(),
    };
    let error = StoreError::new(ErrorKind::Connection, "away").with_remedy(Remedy::Reconnect);
    rig.fail_next(vec![error.with_cause(cause); 1000]);
    rig.push(0, get("a"));
    assert_eq!(rig.outcomes(1), ["ERR_SESSION_CONNECTION"]);
    // It ended in time, not by a number of tries.
    let tries = rig.log().iter().filter(|trip| *trip == "read a").count();
    assert!((3..20).contains(&tries), "{tries}");
}

#[test]
fn while_writes_find_no_server_reads_are_served() {
    let rig = Rig::new(wide());
    *lock(&rig.table.reads_apart) = true;
    *lock(&rig.table.away) = Some(StoreError::new(ErrorKind::Connection, "reads only"));
    rig.push(0, set("a", "1", FAR));
    assert_eq!(rig.outcomes(1), ["ERR_SESSION_CONNECTION"]);
    rig.push(1, get("a"));
    rig.push(2, Call::Table(TableCall::Length));
    assert_eq!(rig.outcomes(2), ["Missing", "0"]);
    rig.push(3, Call::Table(TableCall::Clear));
    assert_eq!(rig.outcomes(1), ["ERR_SESSION_CONNECTION"]);
    *lock(&rig.table.away) = None;
    rig.push(4, set("a", "1", FAR));
    assert_eq!(rig.outcomes(1), ["Done"]);
}

#[test]
fn a_panic_fails_its_batch_and_the_lane_goes_on() {
    let rig = Rig::new(wide());
    rig.push(0, get("panic"));
    assert_eq!(rig.outcomes(1), ["ERR_SESSION_INTERNAL"]);
    rig.push(1, get("a"));
    assert_eq!(rig.outcomes(1), ["Missing"]);
}

#[test]
fn a_full_queue_refuses_and_recovers() {
    let rig = Rig::new(QueueConfig {
        max_operations: 2,
        max_bytes: 1_000_000,
    });
    let gate = rig.table.gate.blocking_lock();
    rig.push(0, get("a"));
    rig.push(1, get("b"));
    let call = get("c");
    let result = rig.queue.push(Operation::new(2, call, NOW));
    assert_eq!(result.unwrap_err().kind, ErrorKind::QueueFull);
    drop(gate);
    rig.outcomes(2);
    rig.push(3, get("c"));
    rig.outcomes(1);
    assert_eq!(rig.queue.shared.state().bytes, 0);
}

#[test]
fn a_queue_full_of_bytes_refuses_but_accepts_a_single_call_of_any_size() {
    let rig = Rig::new(QueueConfig {
        max_operations: 1000,
        max_bytes: 1000,
    });
    let gate = rig.table.gate.blocking_lock();
    rig.push(0, set("a", &"x".repeat(5000), FAR));
    let call = get("b");
    let result = rig.queue.push(Operation::new(1, call, NOW));
    assert_eq!(result.unwrap_err().kind, ErrorKind::QueueFull);
    drop(gate);
    assert_eq!(rig.outcomes(1), ["Done"]);
}

#[test]
fn clear_runs_after_earlier_calls_and_before_later_ones() {
    let rig = Rig::new(wide());
    for (ticket, sid) in (0..).zip(["a", "b", "c"]) {
        rig.push(ticket, set(sid, "1", FAR));
    }
    rig.push(3, Call::Table(TableCall::Clear));
    rig.push(4, set("d", "1", FAR));
    rig.push(5, get("a"));
    let outcomes = rig.outcomes(6);
    assert_eq!(outcomes[5], "Missing");
    let rows: Vec<String> = lock(&rig.table.rows).keys().cloned().collect();
    assert_eq!(rows, ["d"]);
}

#[test]
fn pruning_goes_on_until_nothing_is_left_and_lets_other_calls_through() {
    let rig = Rig::new(wide());
    for (ticket, sid) in (0..).zip(["a", "b", "c"]) {
        rig.push(ticket, set(sid, "1", Timestamp(1)));
    }
    rig.outcomes(3);
    rig.push(3, Call::Table(TableCall::Prune(PruneProgress::default())));
    rig.push(4, Call::Table(TableCall::Length));
    let outcomes = rig.outcomes(2);
    assert_eq!(outcomes[0], "3");
    assert_eq!(rig.queue.counts().pruned, 3);
    assert_eq!(rig.queue.pending(), 0);
}

#[test]
fn closing_finishes_accepted_calls_and_refuses_others() {
    let rig = Rig::new(wide());
    let gate = rig.table.gate.blocking_lock();
    for ticket in 0..50 {
        rig.push(ticket, set(&format!("s{ticket}"), "1", FAR));
    }
    let lanes = rig.queue.close();
    let call = get("a");
    let result = rig.queue.push(Operation::new(50, call, NOW));
    assert_eq!(result.unwrap_err().kind, ErrorKind::Closed);
    drop(gate);
    assert_eq!(rig.outcomes(50), vec!["Done"; 50]);
    rig.runtime.block_on(async {
        for lane in lanes {
            lane.await.unwrap();
        }
    });
    assert_eq!(lock(&rig.table.rows).len(), 50);
}

#[test]
fn a_database_that_does_not_answer_is_a_timeout_and_its_connection_is_discarded() {
    let rig = Rig::new(wide());
    let gate = rig.table.gate.blocking_lock();
    rig.push(0, get("a"));
    assert_eq!(rig.outcomes(1), ["ERR_SESSION_TIMEOUT"]);
    drop(gate);
    rig.push(1, get("a"));
    assert_eq!(rig.outcomes(1), ["Missing"]);
    assert!(rig.log().contains(&"abandon".to_owned()));
}

/// Waits until the queue is in a state that something else brings about.
fn until(condition: impl Fn() -> bool) {
    for _ in 0..1000 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain");
}

#[test]
fn nothing_overtakes_a_write_that_was_given_up() {
    let rig = Rig::new(wide());
    let frozen = rig.table.frozen.blocking_lock();
    let gate = rig.table.gate.blocking_lock();
    rig.push(0, set("a", "1", FAR));
    assert_eq!(rig.outcomes(1), ["ERR_SESSION_TIMEOUT"]);
    drop(gate);
    // They wait, for no longer than they may.
    rig.push(1, session("a", SessionCall::Destroy));
    rig.push(2, get("a"));
    rig.push(3, Call::Table(TableCall::Clear));
    rig.push(4, Call::Table(TableCall::Prune(PruneProgress::default())));
    assert_eq!(rig.outcomes(4), vec!["ERR_SESSION_TIMEOUT"; 4]);
    assert_eq!(rig.log(), ["abandon"]);
    rig.push(5, session("a", SessionCall::Destroy));
    rig.push(6, get("a"));
    drop(frozen);
    assert_eq!(rig.outcomes(2), ["Done", "Missing"]);
    assert_eq!(rig.log(), ["abandon", "settled", "write a", "read a"]);
}

#[test]
fn a_write_that_was_given_up_keeps_no_queue_from_closing() {
    let rig = Rig::new(wide());
    let _frozen = rig.table.frozen.blocking_lock();
    let gate = rig.table.gate.blocking_lock();
    rig.push(0, set("a", "1", FAR));
    assert_eq!(rig.outcomes(1), ["ERR_SESSION_TIMEOUT"]);
    drop(gate);
    let lanes = rig.queue.close();
    rig.runtime.block_on(async {
        for lane in lanes {
            lane.await.unwrap();
        }
    });
}

#[test]
fn a_server_that_went_away_with_a_write_fails_later_calls_at_once() {
    let rig = Rig::new(wide());
    // Its lane keeps the connection.
    rig.push(0, set("a", "0", FAR));
    assert_eq!(rig.outcomes(1), ["Done"]);
    let gate = rig.table.gate.blocking_lock();
    rig.push(0, set("a", "1", FAR));
    *lock(&rig.table.away) = Some(StoreError::new(ErrorKind::Connection, "away"));
    assert_eq!(rig.outcomes(1), ["ERR_SESSION_TIMEOUT"]);
    drop(gate);
    rig.push(1, set("a", "2", FAR));
    assert_eq!(rig.outcomes(1), ["ERR_SESSION_CONNECTION"]);
    *lock(&rig.table.away) = None;
    until(|| rig.log().contains(&"settled".to_owned()));
    rig.push(2, set("a", "3", FAR));
    assert_eq!(rig.outcomes(1), ["Done"]);
}

#[test]
fn calls_after_a_clear_that_hangs_wait_no_longer_than_they_may() {
    let rig = Rig::new(wide());
    let gate = rig.table.gate.blocking_lock();
    rig.push(0, Call::Table(TableCall::Clear));
    for ticket in 1..=50 {
        rig.push(ticket, get("a"));
    }
    rig.push(51, set("a", "1", FAR));
    rig.push(52, Call::Table(TableCall::Length));
    rig.push(53, Call::Table(TableCall::Prune(PruneProgress::default())));
    assert_eq!(rig.outcomes(53), vec!["ERR_SESSION_TIMEOUT"; 53]);
    drop(gate);
    assert_eq!(rig.outcomes(1), ["Done"]);
    assert_eq!(rig.log(), ["clear"]);
    assert_eq!(rig.queue.pending(), 0);
    assert_eq!(rig.queue.shared.state().bytes, 0);
}

#[test]
fn a_queue_without_calls_rests_and_wakes_up() {
    let rig = Rig::new(wide());
    until(|| rig.queue.shared.state().resting);
    let gate = rig.table.gate.blocking_lock();
    rig.push(0, Call::Table(TableCall::Clear));
    rig.push(1, get("a"));
    assert_eq!(rig.outcomes(1), ["ERR_SESSION_TIMEOUT"]);
    drop(gate);
}

#[test]
fn connections_that_break_again_and_again_take_no_longer_than_a_batch_may() {
    let rig = Rig::new(wide());
    let lost = StoreError::new(ErrorKind::Connection, "gone").with_remedy(Remedy::Reconnect);
    rig.fail_next(vec![lost; 100_000]);
    let gate = rig.table.gate.blocking_lock();
    for ticket in 0..20 {
        rig.push(ticket, set(&format!("s{ticket}"), "1", FAR));
    }
    drop(gate);
    let began = std::time::Instant::now();
    // On a slow machine, some have waited too long to be started at all.
    let failed = ["ERR_SESSION_CONNECTION", "ERR_SESSION_TIMEOUT"];
    let outcomes = rig.outcomes(20);
    assert!(outcomes.iter().all(|code| failed.contains(&code.as_str())));
    // Two batches of each writing lane, and much more than they need.
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_clear_does_not_wait_for_the_end_of_a_pruning_run() {
    let rig = Rig::new(wide());
    for ticket in 0..40 {
        rig.push(ticket, set(&format!("s{ticket}"), "1", Timestamp(1)));
    }
    rig.outcomes(40);
    rig.push(40, Call::Table(TableCall::Prune(PruneProgress::default())));
    until(|| rig.queue.counts().pruned > 0);
    rig.push(41, Call::Table(TableCall::Clear));
    rig.outcomes(2);
    let log = rig.log();
    let clear = log.iter().position(|trip| trip == "clear").unwrap();
    assert!(log[clear..].iter().any(|trip| trip.starts_with("prune")));
}

#[test]
fn pruning_begins_after_the_writes_called_before_it() {
    let rig = Rig::new(wide());
    rig.push(0, set("a", "1", Timestamp(1)));
    assert_eq!(rig.outcomes(1), ["Done"]);
    let gate = rig.table.gate.blocking_lock();
    rig.push(1, get("a"));
    rig.push(2, set("a", "2", FAR));
    rig.push(3, Call::Table(TableCall::Prune(PruneProgress::default())));
    drop(gate);
    assert_eq!(rig.outcomes(3), ["Missing", "Done", "0"]);
    rig.push(4, get("a"));
    assert_eq!(rig.outcomes(1), ["2"]);
}

#[test]
fn calls_queued_during_a_failed_connection_attempt_fail_with_it() {
    let rig = Rig::new(wide());
    *lock(&rig.table.away) = Some(StoreError::new(ErrorKind::Connection, "away"));
    let gate = rig.table.gate.blocking_lock();
    for ticket in 0..600 {
        rig.push(ticket, get(&format!("s{ticket}")));
    }
    drop(gate);
    assert_eq!(rig.outcomes(600), vec!["ERR_SESSION_CONNECTION"; 600]);
    *lock(&rig.table.away) = None;
    rig.push(600, get("a"));
    assert_eq!(rig.outcomes(1), ["Missing"]);
}
