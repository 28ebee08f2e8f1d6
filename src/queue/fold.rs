//! Plans a batch as few statements.
//!
//! A batch is cut into rounds. In a round all reads run first, then all writes, and each session is written at most once:
//! several writes to it are folded into one effect. An operation that cannot share a round with an earlier one on its
//! session goes to the next round. Nearly every batch is one round.

use std::collections::HashMap;

use crate::operation::{Effect, Extra, SessionCall, Write};
use crate::timestamp::Timestamp;

/// The reads and writes that can run together. Calls are named by their index in the batch.
#[derive(Debug, Default)]
pub struct Round<'a> {
    pub reads: Vec<usize>,
    pub writes: Vec<Folded<'a>>,
}

/// One write and the calls that it stands for.
#[derive(Debug)]
pub struct Folded<'a> {
    pub write: Write<'a>,
    pub members: Vec<usize>,
    /// Saves of a loaded session among them that came after its removal.
    pub gone: u64,
}

/// Where the last call on a session was planned.
#[derive(Clone, Copy)]
struct Last {
    round: usize,
    /// Index of the session's write in that round.
    write: Option<usize>,
}

/// Plans a batch. Within a round, writes are sorted by sid, so that two processes lock rows in the same order.
pub fn rounds<'a>(batch: &[(&'a str, &'a SessionCall)], now: Timestamp) -> Vec<Round<'a>> {
    let mut rounds = vec![Round::default()];
    let mut sessions: HashMap<&str, Last> = HashMap::with_capacity(batch.len());
    for (index, &(sid, call)) in batch.iter().enumerate() {
        let last = sessions.entry(sid).or_insert(Last {
            round: 0,
            write: None,
        });
        let Some(effect) = effect(call) else {
            if last.write.take().is_some() {
                last.round += 1;
            }
            round(&mut rounds, last.round).reads.push(index);
            continue;
        };
        if let Some(slot) = last.write {
            let folded = &mut rounds[last.round].writes[slot];
            if let Some(both) = fold(folded.write.effect, effect, now) {
                folded.gone += u64::from(is_gone(folded.write.effect, effect));
                folded.write.effect = both;
                folded.members.push(index);
                continue;
            }
            last.round += 1;
        }
        let writes = &mut round(&mut rounds, last.round).writes;
        last.write = Some(writes.len());
        writes.push(Folded {
            write: Write { sid, effect },
            members: vec![index],
            gone: 0,
        });
    }
    for round in &mut rounds {
        round.writes.sort_unstable_by_key(|folded| folded.write.sid);
    }
    rounds
}

fn round<'a, 'b>(rounds: &'b mut Vec<Round<'a>>, index: usize) -> &'b mut Round<'a> {
    if rounds.len() <= index {
        rounds.resize_with(index + 1, Round::default);
    }
    &mut rounds[index]
}

/// The effect of a call on its row; `None` if it only reads.
pub fn effect(call: &SessionCall) -> Option<Effect<'_>> {
    Some(match call {
        SessionCall::Get => return None,
        SessionCall::Set(row) => Effect::Save {
            data: &row.data,
            expires: row.expires,
            extra: &row.extra,
            keep_later: row.keep_later,
            update_until: row.update_until,
        },
        SessionCall::Touch {
            expires,
            unless_after,
        } => Effect::Touch {
            expires: *expires,
            unless_after: *unless_after,
        },
        SessionCall::Destroy => Effect::Destroy,
    })
}

/// The single effect that leaves the row as `first` and then `second` would, if there is one.
fn fold<'a>(first: Effect<'a>, second: Effect<'a>, now: Timestamp) -> Option<Effect<'a>> {
    use Effect::{Destroy, Save, Touch};
    match (first, second) {
        (_, Destroy) | (Destroy, Touch { .. }) => Some(Destroy),
        // An insert after a delete leaves the application's columns at their defaults; a replacement would keep them.
        (Destroy, Save { .. }) => is_loaded(second).then_some(Destroy),
        // What the touch gave may be what the save keeps.
        (Touch { .. }, Save { keep_later, .. }) => (!keep_later).then_some(second),
        // If the second leaves alone what the first wrote, it may as well leave alone what was there before.
        (Touch { expires, .. }, Touch { .. }) => (expires > now).then_some(second),
        (
            Save {
                expires: first_expires,
                extra: before,
                keep_later: first_keeps_later,
                update_until: first_until,
                ..
            },
            Save {
                data,
                expires,
                extra,
                keep_later,
                update_until,
            },
        ) => covers(extra, before).then_some(Save {
            data,
            expires: if keep_later {
                expires.max(first_expires)
            } else {
                expires
            },
            extra,
            keep_later: keep_later && first_keeps_later,
            // A first save that inserts the row makes sure that it exists for the second.
            update_until: update_until.min(first_until),
        }),
        (
            Save {
                data,
                expires: before,
                extra,
                keep_later,
                update_until,
            },
            Touch {
                expires,
                unless_after,
            },
        ) => {
            let kept = unless_after.is_some_and(|after| before > after && before <= expires);
            // Whether the touch leaves the row alone depends on the later expiry that the save keeps.
            let unsure = keep_later && unless_after.is_some();
            (before > now && !unsure).then_some(Save {
                data,
                expires: if kept { before } else { expires },
                extra,
                keep_later: false,
                update_until,
            })
        }
    }
}

/// Whether `second` saves a loaded session that `first` has destroyed.
fn is_gone(first: Effect<'_>, second: Effect<'_>) -> bool {
    is_loaded(second) && matches!(first, Effect::Destroy)
}

/// Whether this saves a session that was loaded from the table.
fn is_loaded(effect: Effect<'_>) -> bool {
    matches!(effect, Effect::Save { update_until, .. } if update_until > Timestamp::MIN)
}

/// Whether `later` writes every column that `earlier` wrote.
fn covers(later: &[Extra], earlier: &[Extra]) -> bool {
    earlier
        .iter()
        .all(|old| later.iter().any(|new| new.column == old.column))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Row, Value};
    use SessionCall::{Destroy, Get};

    const NOW: Timestamp = Timestamp(1000);

    fn set(data: &str, loaded: bool, columns: &[&str]) -> SessionCall {
        SessionCall::Set(Row {
            data: data.into(),
            expires: Timestamp(2000),
            keep_later: false,
            update_until: if loaded {
                Timestamp(2000)
            } else {
                Timestamp::MIN
            },
            extra: columns
                .iter()
                .map(|&column| Extra {
                    column: column.into(),
                    value: Value::Null,
                })
                .collect(),
        })
    }

    fn touch(expires: i64) -> SessionCall {
        SessionCall::Touch {
            expires: Timestamp(expires),
            unless_after: None,
        }
    }

    fn touch_unless(after: i64, expires: i64) -> SessionCall {
        SessionCall::Touch {
            expires: Timestamp(expires),
            unless_after: Some(Timestamp(after)),
        }
    }

    /// A save of a loaded session whose expiry the application has not changed.
    fn keep(data: &str, expires: i64) -> SessionCall {
        SessionCall::Set(Row {
            data: data.into(),
            expires: Timestamp(expires),
            keep_later: true,
            update_until: Timestamp(expires),
            extra: Vec::new(),
        })
    }

    /// The plan, abbreviated: reads by index, writes by their effect.
    fn plan(calls: &[SessionCall]) -> Vec<String> {
        let batch: Vec<(&str, &SessionCall)> = calls.iter().map(|call| ("a", call)).collect();
        rounds(&batch, NOW)
            .into_iter()
            .map(|round| {
                let reads = round.reads.iter().map(|index| format!("get {index}"));
                let writes = round.writes.iter().map(|folded| {
                    let effect = match folded.write.effect {
                        Effect::Save {
                            data,
                            expires,
                            keep_later,
                            update_until,
                            ..
                        } => {
                            let verb = if update_until > NOW {
                                "update"
                            } else {
                                "upsert"
                            };
                            let later = if keep_later { " or later" } else { "" };
                            format!("{verb} {data} {}{later}", expires.0)
                        }
                        Effect::Touch {
                            expires,
                            unless_after: None,
                        } => format!("touch {}", expires.0),
                        Effect::Touch {
                            expires,
                            unless_after: Some(after),
                        } => format!("touch {} unless after {}", expires.0, after.0),
                        Effect::Destroy => "destroy".into(),
                    };
                    format!("{effect} {:?}", folded.members)
                });
                reads.chain(writes).collect::<Vec<_>>().join(", ")
            })
            .collect()
    }

    #[test]
    fn writes_fold_to_their_last_effect() {
        let cases = [
            (
                vec![set("1", false, &[]), set("2", false, &[])],
                "upsert 2 2000 [0, 1]",
            ),
            (
                vec![set("1", false, &[]), set("2", true, &[])],
                "upsert 2 2000 [0, 1]",
            ),
            (
                vec![set("1", true, &[]), set("2", true, &[])],
                "update 2 2000 [0, 1]",
            ),
            (
                vec![set("1", false, &[]), touch(3000)],
                "upsert 1 3000 [0, 1]",
            ),
            (
                vec![set("1", true, &[]), touch(3000)],
                "update 1 3000 [0, 1]",
            ),
            (
                vec![touch(3000), set("1", true, &[])],
                "update 1 2000 [0, 1]",
            ),
            (vec![touch(3000), touch(4000)], "touch 4000 [0, 1]"),
            (vec![set("1", false, &[]), Destroy], "destroy [0, 1]"),
            (
                vec![Destroy, touch(3000), set("1", true, &[])],
                "destroy [0, 1, 2]",
            ),
        ];
        for (calls, expected) in cases {
            assert_eq!(plan(&calls), [expected]);
        }
    }

    #[test]
    fn writes_that_cannot_be_folded_go_to_the_next_round() {
        assert_eq!(
            plan(&[Destroy, set("1", false, &[])]),
            ["destroy [0]", "upsert 1 2000 [1]"]
        );
        // The first touch ends the session, so the second must not revive it.
        assert_eq!(
            plan(&[touch(500), touch(3000)]),
            ["touch 500 [0]", "touch 3000 [1]"]
        );
        assert_eq!(
            plan(&[set("1", false, &["user"]), set("2", false, &[])]),
            ["upsert 1 2000 [0]", "upsert 2 2000 [1]"]
        );
    }

    #[test]
    fn a_later_expiry_is_kept_and_a_recent_one_left_alone() {
        let cases = [
            (
                vec![keep("1", 2000), keep("2", 3000)],
                "update 2 3000 or later [0, 1]",
            ),
            (
                vec![set("1", false, &[]), keep("2", 1500)],
                "upsert 2 2000 [0, 1]",
            ),
            (
                vec![keep("1", 3000), set("2", true, &[])],
                "update 2 2000 [0, 1]",
            ),
            (vec![keep("1", 2000), touch(1500)], "update 1 1500 [0, 1]"),
            (
                vec![set("1", true, &[]), touch_unless(1900, 2100)],
                "update 1 2000 [0, 1]",
            ),
            (
                vec![set("1", true, &[]), touch_unless(2000, 2100)],
                "update 1 2100 [0, 1]",
            ),
            (
                vec![set("1", true, &[]), touch_unless(1800, 1900)],
                "update 1 1900 [0, 1]",
            ),
            (
                vec![touch(2000), touch_unless(1900, 2100)],
                "touch 2100 unless after 1900 [0, 1]",
            ),
        ];
        for (calls, expected) in cases {
            assert_eq!(plan(&calls), [expected]);
        }
        assert_eq!(
            plan(&[touch(3000), keep("1", 2000)]),
            ["touch 3000 [0]", "update 1 2000 or later [1]"]
        );
        assert_eq!(
            plan(&[keep("1", 2000), touch_unless(1900, 2100)]),
            [
                "update 1 2000 or later [0]",
                "touch 2100 unless after 1900 [1]"
            ]
        );
    }

    #[test]
    fn a_destroyed_session_stays_so_whenever_it_was_to_expire() {
        assert_eq!(plan(&[Destroy, keep("1", 500)]), ["destroy [0, 1]"]);
    }

    #[test]
    fn a_read_sees_the_calls_before_it_and_none_after_it() {
        assert_eq!(
            plan(&[Get, set("1", false, &[]), Get, Destroy, Get]),
            ["get 0, upsert 1 2000 [1]", "get 2, destroy [3]", "get 4"]
        );
    }

    #[test]
    fn writes_are_sorted_by_sid() {
        let batch = ["b", "c", "a"].map(|sid| (sid, &Destroy));
        let sids: Vec<&str> = rounds(&batch, NOW)[0]
            .writes
            .iter()
            .map(|folded| folded.write.sid)
            .collect();
        assert_eq!(sids, ["a", "b", "c"]);
    }
}
