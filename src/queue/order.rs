//! The order in which operations take effect.
//!
//! Reads and writes run side by side on different lanes, yet the operations on one session take effect in the order of
//! their calls. The reads of a session that has writes under way follow them on the same lane, and a write waits for the
//! reads before it. Operations that remove every row are fences: they wait for everything called before them, and
//! everything called after them waits for them.
//!
//! A pruning run begins after the writes called before it. Between its chunks it is not under way, so that a fence waits
//! for one chunk at most.

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
    /// The session with this hash. A write also holds up the pruning runs that end its era.
    Session { hash: u64, era: Option<u64> },
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
    held: Vec<Held>,
}

/// An operation that waits for others on its session.
struct Held {
    operation: Operation,
    /// The era of a write.
    era: Option<u64>,
}

/// The writes called between two pruning runs.
#[derive(Default)]
struct Era {
    /// Writes that have not ended.
    writes: usize,
    /// The pruning runs that begin when the writes of this era and of all earlier ones have ended.
    prunes: Vec<Operation>,
}

pub struct Order {
    lanes: Lanes,
    hasher: RandomState,
    /// By hash of the sid: two sessions that share a hash merely wait for each other.
    sessions: HashMap<u64, UnderWay>,
    /// Never empty. New writes belong to the last one, for which no pruning run waits.
    eras: VecDeque<Era>,
    /// The number of the first era.
    first_era: u64,
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
            eras: VecDeque::from([Era::default()]),
            first_era: 0,
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
            Key::Session { hash, era } => {
                self.release(hash, ready);
                self.leave(era, ready);
            }
            Key::Fence => self.fence_under_way = false,
            Key::Table => {}
        }
        self.lift_fence(ready);
    }

    /// Removes the operations without a place that are late. Adds those that waited for them alone to `ready`.
    pub fn remove_late(
        &mut self,
        late: impl Fn(&Operation) -> bool,
        ready: &mut Vec<Placed>,
    ) -> Vec<Operation> {
        let mut removed: Vec<Held> = Vec::new();
        for session in self.sessions.values_mut() {
            removed.extend(session.held.extract_if(.., |held| late(&held.operation)));
        }
        for held in &removed {
            self.leave(held.era, ready);
        }
        let mut removed: Vec<Operation> = removed.into_iter().map(|held| held.operation).collect();
        for era in &mut self.eras {
            removed.extend(era.prunes.extract_if(.., |prune| late(prune)));
        }
        let (fenced_late, fenced): (VecDeque<_>, _) = self.fenced.drain(..).partition(&late);
        self.fenced = fenced;
        removed.extend(fenced_late);
        self.lift_fence(ready);
        removed
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
                .filter_map(|held| self.place_on_session(hash, held)),
        );
    }

    /// Records the end of a write. Adds the pruning runs that waited for it alone to `ready`.
    fn leave(&mut self, era: Option<u64>, ready: &mut Vec<Placed>) {
        let Some(era) = era else {
            return;
        };
        // An era goes away when its writes have ended, and there are never as many as fit in memory.
        let index = usize::try_from(era - self.first_era).unwrap_or(usize::MAX);
        if let Some(era) = self.eras.get_mut(index) {
            era.writes -= 1;
        }
        while self.eras.len() > 1
            && let Some(ended) = self.eras.pop_front_if(|era| era.writes == 0)
        {
            self.first_era += 1;
            for prune in ended.prunes {
                ready.push(self.place_on_table(prune));
            }
        }
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
        match &operation.call {
            Call::Table(TableCall::Prune(progress)) if progress.cursor.is_none() => {
                self.place_prune(operation)
            }
            Call::Table(_) => Some(self.place_on_table(operation)),
            Call::Session { sid, call } => {
                let hash = self.hasher.hash_one(sid.as_str());
                let writes = !matches!(call, SessionCall::Get);
                let era = writes.then(|| self.enter());
                self.place_on_session(hash, Held { operation, era })
            }
        }
    }

    fn place_on_session(&mut self, hash: u64, held: Held) -> Option<Placed> {
        let reads = held.era.is_none();
        let place = match self.sessions.entry(hash) {
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
                place
            }
            Entry::Occupied(mut entry) => {
                let session = entry.get_mut();
                let overtakes = session.place == Place::Reads && !reads;
                if overtakes || !session.held.is_empty() {
                    session.held.push(held);
                    return None;
                }
                session.count += 1;
                session.place
            }
        };
        self.under_way += 1;
        let Held { operation, era } = held;
        Some(Placed {
            operation,
            place,
            key: Key::Session { hash, era },
        })
    }

    /// The era of a new write.
    fn enter(&mut self) -> u64 {
        let last = self.eras.len() - 1;
        self.eras[last].writes += 1;
        self.first_era + last as u64
    }

    /// Places a new pruning run unless writes called before it have not ended.
    fn place_prune(&mut self, operation: Operation) -> Option<Placed> {
        if self.eras.iter().all(|era| era.writes == 0) {
            return Some(self.place_on_table(operation));
        }
        if self.eras.back().is_some_and(|last| last.writes > 0) {
            self.eras.push_back(Era::default());
        }
        let waited_for = self.eras.len() - 2;
        self.eras[waited_for].prunes.push(operation);
        None
    }

    fn place_on_table(&mut self, operation: Operation) -> Placed {
        let prunes = matches!(operation.call, Call::Table(TableCall::Prune(_)));
        let place = if self.lanes.table && !(prunes && self.lanes.prune_as_writer) {
            Place::Table
        } else {
            Place::Writes(0)
        };
        self.under_way += 1;
        Placed {
            operation,
            place,
            key: Key::Table,
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
    use crate::operation::{PruneProgress, Row, Ticket};
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

    fn prune(ticket: Ticket, cursor: Option<&str>) -> Operation {
        let progress = PruneProgress {
            removed: 0,
            cursor: cursor.map(String::from),
        };
        table(ticket, TableCall::Prune(progress))
    }

    #[test]
    fn a_pruning_run_begins_after_the_writes_called_before_it() {
        let mut order = Order::new(LANES);
        let read = order.admit(get(1, "a")).unwrap();
        assert!(order.admit(set(2, "a")).is_none());
        let write = order.admit(set(3, "b")).unwrap();
        assert!(order.admit(prune(4, None)).is_none());
        assert!(order.admit(prune(5, None)).is_none());
        // Neither later writes nor a run that has begun wait.
        let later = order.admit(set(6, "c")).unwrap();
        assert!(order.admit(prune(7, None)).is_none());
        assert!(order.admit(prune(8, Some("x"))).is_some());
        let mut ready = Vec::new();
        order.end(write.key, &mut ready);
        assert!(ready.is_empty());
        order.end(read.key, &mut ready);
        assert_eq!(tickets(&ready), [2]);
        let held = ready.pop().unwrap();
        order.end(held.key, &mut ready);
        assert_eq!(tickets(&ready), [4, 5]);
        order.end(later.key, &mut ready);
        assert_eq!(tickets(&ready), [4, 5, 7]);
        assert_eq!(order.eras.len(), 1);
        assert!(order.admit(prune(9, None)).is_some());
    }

    #[test]
    fn a_fence_waits_for_one_chunk_of_a_pruning_run_at_most() {
        let mut order = Order::new(LANES);
        let chunk = order.admit(prune(1, None)).unwrap();
        assert!(order.admit(table(2, TableCall::Clear)).is_none());
        let mut ready = Vec::new();
        order.end(chunk.key, &mut ready);
        assert_eq!(tickets(&ready), [2]);
        // The rest of the run goes on after the fence.
        assert!(order.admit(prune(1, Some("x"))).is_none());
        let fence = ready.pop().unwrap();
        order.end(fence.key, &mut ready);
        assert_eq!(tickets(&ready), [1]);
    }

    #[test]
    fn late_operations_go_away_and_hold_up_nothing() {
        let mut order = Order::new(LANES);
        let read = order.admit(get(1, "a")).unwrap();
        assert!(order.admit(set(2, "a")).is_none());
        assert!(order.admit(prune(3, None)).is_none());
        let mut ready = Vec::new();
        let removed = order.remove_late(|operation| operation.ticket == 2, &mut ready);
        assert_eq!(removed.len(), 1);
        assert_eq!(tickets(&ready), [3]);
        let prune = ready.pop().unwrap();
        assert!(order.admit(table(4, TableCall::Clear)).is_none());
        assert!(order.admit(get(5, "b")).is_none());
        assert!(order.admit(table(6, TableCall::Clear)).is_none());
        let removed = order.remove_late(|operation| operation.ticket == 4, &mut ready);
        assert_eq!(removed.len(), 1);
        assert_eq!(tickets(&ready), [5]);
        let mut ended = Vec::new();
        for key in [read.key, prune.key, ready.pop().unwrap().key] {
            order.end(key, &mut ended);
        }
        assert_eq!(tickets(&ended), [6]);
        assert!(order.sessions.is_empty());
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

    mod any_sequence {
        use super::*;
        use proptest::prelude::*;

        #[derive(Debug, Clone, Copy)]
        enum Step {
            Get(u8),
            Set(u8),
            Length,
            Clear,
            Prune,
            /// Ends one of those under way, chosen by this number.
            End(u8),
            /// Gives up one of those that wait.
            GiveUp(u8),
        }

        fn step() -> impl Strategy<Value = Step> {
            prop_oneof![
                4 => (0..4_u8).prop_map(Step::Get),
                4 => (0..4_u8).prop_map(Step::Set),
                1 => Just(Step::Length),
                1 => Just(Step::Clear),
                2 => Just(Step::Prune),
                8 => any::<u8>().prop_map(Step::End),
                1 => any::<u8>().prop_map(Step::GiveUp),
            ]
        }

        fn operation(ticket: Ticket, step: Step) -> Option<Operation> {
            Some(match step {
                Step::Get(sid) => get(ticket, &sid.to_string()),
                Step::Set(sid) => set(ticket, &sid.to_string()),
                Step::Length => table(ticket, TableCall::Length),
                Step::Clear => table(ticket, TableCall::Clear),
                Step::Prune => prune(ticket, None),
                Step::End(_) | Step::GiveUp(_) => return None,
            })
        }

        /// Whether the later of two operations has to wait for the earlier one; those in the same line keep their order.
        fn waits(earlier: Step, later: Step, same_line: bool) -> bool {
            match (earlier, later) {
                (Step::Clear, _) | (_, Step::Clear) | (Step::Set(_), Step::Prune) => true,
                (Step::Get(one), Step::Set(other))
                | (Step::Set(one), Step::Get(other) | Step::Set(other)) => {
                    one == other && !same_line
                }
                _ => false,
            }
        }

        #[derive(Default)]
        struct Model {
            calls: Vec<Step>,
            waiting: Vec<usize>,
            running: Vec<(usize, Placed)>,
        }

        impl Model {
            /// Checks that nothing begins that would have to wait.
            fn begin(&mut self, placed: Placed) {
                let ticket = placed.operation.ticket as usize;
                self.waiting.retain(|waiting| *waiting != ticket);
                for &waiting in self.waiting.iter().filter(|waiting| **waiting < ticket) {
                    let (earlier, later) = (self.calls[waiting], self.calls[ticket]);
                    assert!(
                        !waits(earlier, later, false),
                        "{ticket} has overtaken {waiting}"
                    );
                }
                for (running, other) in self.running.iter().filter(|(other, _)| *other < ticket) {
                    let (earlier, later) = (self.calls[*running], self.calls[ticket]);
                    let same_line = other.place == placed.place;
                    assert!(
                        !waits(earlier, later, same_line),
                        "{ticket} did not wait for {running}"
                    );
                }
                self.running.push((ticket, placed));
            }

            fn end(&mut self, order: &mut Order, number: usize) {
                let (_, ended) = self.running.remove(number % self.running.len());
                let mut ready = Vec::new();
                order.end(ended.key, &mut ready);
                for placed in ready {
                    self.begin(placed);
                }
            }
        }

        proptest! {
            #[test]
            fn begins_in_order_and_ends(steps in prop::collection::vec(step(), 1..60)) {
                let mut order = Order::new(LANES);
                let mut model = Model::default();
                for step in steps {
                    match step {
                        Step::End(number) if !model.running.is_empty() => {
                            model.end(&mut order, number.into());
                        }
                        Step::GiveUp(number) if !model.waiting.is_empty() => {
                            let number = usize::from(number) % model.waiting.len();
                            let given_up = model.waiting.remove(number);
                            let mut ready = Vec::new();
                            let late = |operation: &Operation| operation.ticket as usize == given_up;
                            prop_assert_eq!(order.remove_late(late, &mut ready).len(), 1);
                            for placed in ready {
                                model.begin(placed);
                            }
                        }
                        _ => {}
                    }
                    let ticket = model.calls.len();
                    if let Some(operation) = operation(Ticket::try_from(ticket).unwrap(), step) {
                        model.calls.push(step);
                        model.waiting.push(ticket);
                        if let Some(placed) = order.admit(operation) {
                            model.begin(placed);
                        }
                    }
                }
                while !model.running.is_empty() {
                    model.end(&mut order, 0);
                }
                prop_assert!(model.waiting.is_empty());
                prop_assert!(order.sessions.is_empty());
                prop_assert_eq!(order.under_way, 0);
                prop_assert_eq!(order.eras.len(), 1);
            }
        }
    }
}
