//! The order in which operations take effect.
//!
//! Reads and writes run side by side on different lanes, yet the operations on one session take effect in the order of
//! their calls. The reads of a session that has writes under way follow them on the same lane, and a write waits for the
//! reads before it. Operations that remove every row are fences: they wait for everything called before them, and
//! everything called after them waits for them.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

use crate::config::Lanes;
use crate::operation::{Call, Operation, SessionCall, TableCall};

/// The line in which an operation waits for a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Reads,
    /// The line of one writing lane.
    Writes(usize),
    /// The line of the lane for the whole table.
    Table,
}

/// An operation that may run, with its place and what waits for its end.
#[derive(Debug)]
pub struct Placed {
    pub operation: Operation,
    pub place: Place,
    pub key: Key,
}

/// What an operation may hold up.
#[derive(Debug, Clone, Copy)]
pub enum Key {
    /// The session with this hash.
    Session(u64),
    /// Everything.
    Fence,
    /// The next fence only.
    Table,
}

/// A session that has operations under way.
struct UnderWay {
    place: Place,
    count: usize,
    /// Operations that wait until those under way have ended. The first is a write that follows reads.
    held: Vec<Operation>,
}

pub struct Order {
    lanes: Lanes,
    hasher: RandomState,
    /// By hash of the sid: two sessions that share a hash merely wait for each other.
    sessions: HashMap<u64, UnderWay>,
    /// Operations that were placed and have not ended.
    under_way: usize,
    fence_under_way: bool,
    /// The first fence that waits, and everything after it.
    fenced: VecDeque<Operation>,
}

impl Order {
    pub fn new(lanes: Lanes) -> Self {
        Self {
            lanes,
            hasher: RandomState::new(),
            sessions: HashMap::new(),
            under_way: 0,
            fence_under_way: false,
            fenced: VecDeque::new(),
        }
    }

    /// Takes a new operation. Returns it with its place, or `None` if it has to wait for others.
    pub fn admit(&mut self, operation: Operation) -> Option<Placed> {
        if self.fence_under_way || !self.fenced.is_empty() {
            self.fenced.push_back(operation);
            return None;
        }
        if operation.call.is_fence() {
            self.fenced.push_back(operation);
            return self.next_fence();
        }
        self.place(operation)
    }

    /// Records the end of an operation. Adds those that waited for it alone to `ready`, each with its place.
    pub fn end(&mut self, key: Key, ready: &mut Vec<Placed>) {
        self.under_way -= 1;
        match key {
            Key::Session(hash) => self.release(hash, ready),
            Key::Fence => self.fence_under_way = false,
            Key::Table => {}
        }
        self.lift_fence(ready);
    }

    fn release(&mut self, hash: u64, ready: &mut Vec<Placed>) {
        let Entry::Occupied(mut session) = self.sessions.entry(hash) else {
            return;
        };
        session.get_mut().count -= 1;
        if session.get().count > 0 {
            return;
        }
        let held = session.remove().held;
        ready.extend(
            held.into_iter()
                .filter_map(|operation| self.place(operation)),
        );
    }

    fn lift_fence(&mut self, ready: &mut Vec<Placed>) {
        while !self.fence_under_way {
            let Some(first) = self.fenced.front() else {
                return;
            };
            if first.call.is_fence() {
                ready.extend(self.next_fence());
                return;
            }
            if let Some(operation) = self.fenced.pop_front() {
                ready.extend(self.place(operation));
            }
        }
    }

    /// Places the fence at the head of the line if everything before it has ended.
    fn next_fence(&mut self) -> Option<Placed> {
        if self.under_way > 0 {
            return None;
        }
        let operation = self.fenced.pop_front()?;
        self.fence_under_way = true;
        self.under_way += 1;
        Some(Placed {
            operation,
            place: Place::Writes(0),
            key: Key::Fence,
        })
    }

    fn place(&mut self, operation: Operation) -> Option<Placed> {
        let (place, key) = match &operation.call {
            Call::Table(call) => (self.table_place(call), Key::Table),
            Call::Session { sid, call } => {
                let hash = self.hasher.hash_one(sid.as_str());
                let reads = matches!(call, SessionCall::Get);
                match self.sessions.entry(hash) {
                    Entry::Vacant(entry) => {
                        let place = if reads && self.lanes.readers > 0 {
                            Place::Reads
                        } else {
                            Place::Writes(lane_of(hash, self.lanes.writers))
                        };
                        entry.insert(UnderWay {
                            place,
                            count: 1,
                            held: Vec::new(),
                        });
                        (place, Key::Session(hash))
                    }
                    Entry::Occupied(mut entry) => {
                        let session = entry.get_mut();
                        let overtakes = session.place == Place::Reads && !reads;
                        if overtakes || !session.held.is_empty() {
                            session.held.push(operation);
                            return None;
                        }
                        session.count += 1;
                        (session.place, Key::Session(hash))
                    }
                }
            }
        };
        self.under_way += 1;
        Some(Placed {
            operation,
            place,
            key,
        })
    }

    fn table_place(&self, call: &TableCall) -> Place {
        let as_writer = matches!(call, TableCall::Prune(_)) && self.lanes.prune_as_writer;
        if self.lanes.table && !as_writer {
            Place::Table
        } else {
            Place::Writes(0)
        }
    }
}

fn lane_of(hash: u64, lanes: usize) -> usize {
    // A remainder is always smaller than `lanes`, so it fits.
    usize::try_from(hash % lanes.max(1) as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Row, Ticket};
    use crate::timestamp::Timestamp;

    const LANES: Lanes = Lanes {
        readers: 1,
        writers: 2,
        table: true,
        prune_as_writer: false,
    };

    fn get(ticket: Ticket, sid: &str) -> Operation {
        session(ticket, sid, SessionCall::Get)
    }

    fn set(ticket: Ticket, sid: &str) -> Operation {
        let row = Row {
            data: "{}".into(),
            expires: Timestamp(1),
            keep_later: false,
            update_until: Timestamp::MIN,
            extra: Vec::new(),
        };
        session(ticket, sid, SessionCall::Set(row))
    }

    fn session(ticket: Ticket, sid: &str, call: SessionCall) -> Operation {
        let sid = sid.into();
        Operation::new(ticket, Call::Session { sid, call }, Timestamp(0))
    }

    fn table(ticket: Ticket, call: TableCall) -> Operation {
        Operation::new(ticket, Call::Table(call), Timestamp(0))
    }

    fn tickets(placed: &[Placed]) -> Vec<Ticket> {
        placed
            .iter()
            .map(|placed| placed.operation.ticket)
            .collect()
    }

    #[test]
    fn reads_go_to_the_readers_and_follow_writes_under_way() {
        let mut order = Order::new(LANES);
        assert_eq!(order.admit(get(1, "a")).unwrap().place, Place::Reads);
        let write = order.admit(set(2, "b")).unwrap();
        assert!(matches!(write.place, Place::Writes(_)));
        assert_eq!(order.admit(get(3, "b")).unwrap().place, write.place);
    }

    #[test]
    fn a_write_waits_for_earlier_reads_and_holds_up_later_calls() {
        let mut order = Order::new(LANES);
        let first = order.admit(get(1, "a")).unwrap();
        let second = order.admit(get(2, "a")).unwrap();
        assert!(order.admit(set(3, "a")).is_none());
        assert!(order.admit(get(4, "a")).is_none());
        let mut ready = Vec::new();
        order.end(first.key, &mut ready);
        assert!(ready.is_empty());
        order.end(second.key, &mut ready);
        assert_eq!(tickets(&ready), [3, 4]);
        assert_eq!(ready[0].place, ready[1].place);
    }

    #[test]
    fn a_fence_waits_for_the_calls_before_it_and_holds_up_those_after_it() {
        let mut order = Order::new(LANES);
        let write = order.admit(set(1, "a")).unwrap();
        assert!(order.admit(table(2, TableCall::Clear)).is_none());
        assert!(order.admit(set(3, "b")).is_none());
        assert!(order.admit(table(4, TableCall::Length)).is_none());
        let mut ready = Vec::new();
        order.end(write.key, &mut ready);
        assert_eq!(tickets(&ready), [2]);
        let fence = ready.pop().unwrap();
        order.end(fence.key, &mut ready);
        assert_eq!(tickets(&ready), [3, 4]);
    }

    #[test]
    fn two_fences_run_one_after_the_other() {
        let mut order = Order::new(LANES);
        let first = order.admit(table(1, TableCall::Clear)).unwrap();
        assert!(order.admit(table(2, TableCall::Clear)).is_none());
        let mut ready = Vec::new();
        order.end(first.key, &mut ready);
        assert_eq!(tickets(&ready), [2]);
    }

    #[test]
    fn without_readers_the_writing_lane_does_everything() {
        let lanes = Lanes {
            readers: 0,
            writers: 1,
            table: false,
            prune_as_writer: true,
        };
        let mut order = Order::new(lanes);
        assert_eq!(order.admit(get(1, "a")).unwrap().place, Place::Writes(0));
        assert_eq!(order.admit(set(2, "a")).unwrap().place, Place::Writes(0));
        assert_eq!(
            order.admit(table(3, TableCall::Length)).unwrap().place,
            Place::Writes(0)
        );
    }

    #[test]
    fn forgets_a_session_whose_operations_have_ended() {
        let mut order = Order::new(LANES);
        let write = order.admit(set(1, "a")).unwrap();
        order.end(write.key, &mut Vec::new());
        assert!(order.sessions.is_empty());
        assert_eq!(order.admit(get(2, "a")).unwrap().place, Place::Reads);
    }
}
