//! The order in which operations take effect.
//!
//! Reads and writes run side by side on different lanes, yet the operations on one session take effect in the order of
//! their calls: a session that has writes under way sends its reads after them, and a write waits for the reads that
//! were called before it. Operations on the whole table that remove rows are fences: they wait for all that was called
//! before, and all that is called after waits for them.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

use crate::config::Lanes;
use crate::operation::{Call, Operation, SessionCall, TableCall};

/// Where an operation waits for a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Reads,
    /// The line of one writing lane.
    Writes(usize),
    /// The line of the lane for the whole table.
    Table,
}

/// An operation with what the order needs to know of it.
#[derive(Debug)]
pub struct Placed {
    pub operation: Operation,
    pub place: Place,
    key: Option<u64>,
}

/// A session that has operations under way.
struct UnderWay {
    place: Place,
    count: usize,
    /// Operations that wait until those under way have ended; begins with a write that follows reads.
    held: Vec<Operation>,
}

pub struct Order {
    lanes: Lanes,
    hasher: RandomState,
    /// By hash of the sid: two sessions that share a hash merely wait for each other.
    sessions: HashMap<u64, UnderWay>,
    /// Placed and not yet ended.
    under_way: usize,
    fence_under_way: bool,
    /// From the first waiting fence on.
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

    /// A new call: its place now, or `None` if it has to wait for others.
    pub fn admit(&mut self, operation: Operation) -> Option<Placed> {
        if self.fence_under_way || !self.fenced.is_empty() {
            self.fenced.push_back(operation);
            return None;
        }
        if is_fence(&operation.call) {
            self.fenced.push_back(operation);
            return self.next_fence();
        }
        self.place(operation)
    }

    /// An operation has ended: those that waited for it alone, each with its place.
    pub fn end(&mut self, key: EndKey, ready: &mut Vec<Placed>) {
        self.under_way -= 1;
        match key {
            EndKey::Session(key) => self.release(key, ready),
            EndKey::Fence => self.fence_under_way = false,
            EndKey::Table => {}
        }
        self.lift_fence(ready);
    }

    fn release(&mut self, key: u64, ready: &mut Vec<Placed>) {
        let Entry::Occupied(mut session) = self.sessions.entry(key) else {
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
            if is_fence(&first.call) {
                ready.extend(self.next_fence());
                return;
            }
            if let Some(operation) = self.fenced.pop_front() {
                ready.extend(self.place(operation));
            }
        }
    }

    /// Starts the fence at the head of the line if nothing is before it any more.
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
            key: None,
        })
    }

    fn place(&mut self, operation: Operation) -> Option<Placed> {
        let Some((sid, call)) = operation.call.session() else {
            self.under_way += 1;
            let place = self.table_place(&operation.call);
            return Some(Placed {
                operation,
                place,
                key: None,
            });
        };
        let key = self.hasher.hash_one(sid);
        let reads = matches!(call, SessionCall::Get);
        let place = match self.sessions.entry(key) {
            Entry::Vacant(entry) => {
                let place = if reads && self.lanes.readers > 0 {
                    Place::Reads
                } else {
                    Place::Writes(lane_of(key, self.lanes.writers))
                };
                entry.insert(UnderWay {
                    place,
                    count: 1,
                    held: Vec::new(),
                });
                place
            }
            Entry::Occupied(mut entry) => {
                let session = entry.get_mut();
                let overtakes = session.place == Place::Reads && !reads;
                if overtakes || !session.held.is_empty() {
                    session.held.push(operation);
                    return None;
                }
                session.count += 1;
                session.place
            }
        };
        self.under_way += 1;
        Some(Placed {
            operation,
            place,
            key: Some(key),
        })
    }

    fn table_place(&self, call: &Call) -> Place {
        let as_writer =
            matches!(call, Call::Table(TableCall::Prune(_))) && self.lanes.prune_as_writer;
        if self.lanes.table && !as_writer {
            Place::Table
        } else {
            Place::Writes(0)
        }
    }
}

/// What the order has to be told when an operation has ended.
#[derive(Debug, Clone, Copy)]
pub enum EndKey {
    Session(u64),
    Fence,
    Table,
}

impl Placed {
    pub fn end_key(&self) -> EndKey {
        match self.key {
            Some(key) => EndKey::Session(key),
            None if is_fence(&self.operation.call) => EndKey::Fence,
            None => EndKey::Table,
        }
    }
}

fn is_fence(call: &Call) -> bool {
    matches!(call, Call::Table(TableCall::Clear | TableCall::Sync { .. }))
}

fn lane_of(key: u64, lanes: usize) -> usize {
    // A remainder is always smaller than `lanes`, so it fits.
    usize::try_from(key % lanes.max(1) as u64).unwrap_or(0)
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
        let call = Call::Session {
            sid: sid.into(),
            call: SessionCall::Get,
        };
        Operation::new(ticket, call)
    }

    fn set(ticket: Ticket, sid: &str) -> Operation {
        let row = Row {
            data: "{}".into(),
            expires: Timestamp(1),
            loaded: false,
            extra: Vec::new(),
        };
        let call = Call::Session {
            sid: sid.into(),
            call: SessionCall::Set(row),
        };
        Operation::new(ticket, call)
    }

    fn table(ticket: Ticket, call: TableCall) -> Operation {
        Operation::new(ticket, Call::Table(call))
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
    fn a_write_waits_for_earlier_reads_and_holds_back_what_follows() {
        let mut order = Order::new(LANES);
        let first = order.admit(get(1, "a")).unwrap();
        let second = order.admit(get(2, "a")).unwrap();
        assert!(order.admit(set(3, "a")).is_none());
        assert!(order.admit(get(4, "a")).is_none());
        let mut ready = Vec::new();
        order.end(first.end_key(), &mut ready);
        assert!(ready.is_empty());
        order.end(second.end_key(), &mut ready);
        assert_eq!(tickets(&ready), [3, 4]);
        assert_eq!(ready[0].place, ready[1].place);
    }

    #[test]
    fn a_fence_waits_for_all_before_it_and_all_after_waits_for_it() {
        let mut order = Order::new(LANES);
        let write = order.admit(set(1, "a")).unwrap();
        assert!(order.admit(table(2, TableCall::Clear)).is_none());
        assert!(order.admit(set(3, "b")).is_none());
        assert!(order.admit(table(4, TableCall::Length)).is_none());
        let mut ready = Vec::new();
        order.end(write.end_key(), &mut ready);
        assert_eq!(tickets(&ready), [2]);
        let fence = ready.pop().unwrap();
        order.end(fence.end_key(), &mut ready);
        assert_eq!(tickets(&ready), [3, 4]);
    }

    #[test]
    fn two_fences_run_one_after_the_other() {
        let mut order = Order::new(LANES);
        let first = order.admit(table(1, TableCall::Clear)).unwrap();
        assert!(order.admit(table(2, TableCall::Clear)).is_none());
        let mut ready = Vec::new();
        order.end(first.end_key(), &mut ready);
        assert_eq!(tickets(&ready), [2]);
    }

    #[test]
    fn without_readers_the_writing_lane_does_all() {
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
        order.end(write.end_key(), &mut Vec::new());
        assert!(order.sessions.is_empty());
        assert_eq!(order.admit(get(2, "a")).unwrap().place, Place::Reads);
    }
}
