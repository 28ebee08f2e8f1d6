//! The writes of one commit.

use crate::operation::{Effect, Extra, Write};
use crate::timestamp::Timestamp;

/// A row to be saved.
#[derive(Debug, Clone, Copy)]
pub struct Save<'a> {
    pub sid: &'a str,
    pub data: &'a str,
    pub expires: Timestamp,
    /// A later expiry of the row stays. In [`Batch::upserts`] the same for all.
    pub keep_later: bool,
    /// The application's own columns, the same for every row of a batch.
    pub extra: &'a [Extra],
}

/// A row whose expiry is to be moved.
#[derive(Debug, Clone, Copy)]
pub struct Touch<'a> {
    pub sid: &'a str,
    pub expires: Timestamp,
    /// The row is left alone if it expires after this time, but not after `expires`.
    pub unless_after: Option<Timestamp>,
}

/// Which statements a batch needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each of them stands for a part of the statement, in any combination"
)]
pub struct Effects {
    pub upserts: bool,
    /// The upserts keep a later expiry.
    pub upserts_keep_later: bool,
    pub updates: bool,
    /// Some of the updates keep a later expiry.
    pub keep_later: bool,
    pub touches: bool,
    /// Some of the touches leave rows alone.
    pub unless_after: bool,
    pub destroys: bool,
}

impl Effects {
    /// Number of statements.
    pub fn count(self) -> usize {
        [self.upserts, self.updates, self.touches, self.destroys]
            .into_iter()
            .filter(|present| *present)
            .count()
    }
}

/// The writes of one commit, by effect. Each session occurs once at most.
#[derive(Debug, Default)]
pub struct Batch<'a> {
    /// Saves that insert or replace the row.
    pub upserts: Vec<Save<'a>>,
    /// Saves that replace the row if it exists.
    pub updates: Vec<Save<'a>>,
    pub touches: Vec<Touch<'a>>,
    pub destroys: Vec<&'a str>,
    /// The names of the application's own columns that every save writes.
    pub extra: Vec<&'a str>,
}

impl<'a> Batch<'a> {
    pub fn effects(&self) -> Effects {
        Effects {
            upserts: !self.upserts.is_empty(),
            upserts_keep_later: keep_later(&self.upserts),
            updates: !self.updates.is_empty(),
            keep_later: keep_later(&self.updates),
            touches: !self.touches.is_empty(),
            unless_after: unless_after(&self.touches),
            destroys: !self.destroys.is_empty(),
        }
    }

    /// As few batches as the saves allow: those of one have the same extra columns, and those that may insert rows all keep a
    /// later expiry or all do not. Nearly always one. `late` is the time by which it is
    /// decided which saves insert missing rows.
    pub fn split(writes: &[Write<'a>], late: Timestamp) -> Vec<Self> {
        let mut batches: Vec<Self> = Vec::with_capacity(1);
        for Write { sid, effect } in writes {
            let Effect::Save {
                data,
                expires,
                extra,
                keep_later,
                update_until,
            } = *effect
            else {
                continue;
            };
            let updates = update_until > late;
            let keeping_upserts = (!updates).then_some(keep_later);
            let batch = with_columns(&mut batches, extra, keeping_upserts);
            let saves = if updates {
                &mut batch.updates
            } else {
                &mut batch.upserts
            };
            saves.push(Save {
                sid,
                data,
                expires,
                keep_later,
                extra,
            });
        }
        if batches.is_empty() {
            batches.push(Self::default());
        }
        let first = &mut batches[0];
        for Write { sid, effect } in writes {
            match *effect {
                Effect::Save { .. } => {}
                Effect::Touch {
                    expires,
                    unless_after,
                } => first.touches.push(Touch {
                    sid,
                    expires,
                    unless_after,
                }),
                Effect::Destroy => first.destroys.push(sid),
            }
        }
        batches
    }

    /// A batch for each effect that there is.
    pub fn by_effect(&self) -> Vec<Self> {
        let with = |fill: &dyn Fn(&mut Self)| {
            let mut batch = Self {
                extra: self.extra.clone(),
                ..Self::default()
            };
            fill(&mut batch);
            batch
        };
        let batches = [
            with(&|batch| batch.upserts.clone_from(&self.upserts)),
            with(&|batch| batch.updates.clone_from(&self.updates)),
            with(&|batch| batch.touches.clone_from(&self.touches)),
            with(&|batch| batch.destroys.clone_from(&self.destroys)),
        ];
        let mut batches = Vec::from(batches);
        batches.retain(|batch| batch.effects().count() > 0);
        batches
    }

    /// Bytes of sessions and of the application's own columns.
    pub fn bytes(&self) -> usize {
        let saves = self.upserts.iter().chain(&self.updates);
        let bytes =
            |save: &Save<'_>| save.data.len() + save.extra.iter().map(Extra::bytes).sum::<usize>();
        saves.map(bytes).sum()
    }

    /// Number of updates that did not find their row, given the number of those that did.
    pub fn missing(&self, updated: u64) -> u64 {
        (self.updates.len() as u64).saturating_sub(updated)
    }
}

/// Whether some of the saves keep a later expiry.
pub fn keep_later(saves: &[Save<'_>]) -> bool {
    saves.iter().any(|save| save.keep_later)
}

/// Whether some of the touches leave rows alone.
pub fn unless_after(touches: &[Touch<'_>]) -> bool {
    touches.iter().any(|touch| touch.unless_after.is_some())
}

/// The batch for a save with these extra columns, which keeps a later expiry or not if it is an upsert.
fn with_columns<'a, 'b>(
    batches: &'b mut Vec<Batch<'a>>,
    extra: &'a [Extra],
    upsert_keeps_later: Option<bool>,
) -> &'b mut Batch<'a> {
    let columns = || extra.iter().map(|extra| extra.column.as_str());
    let keeps = |batch: &Batch<'_>| match (batch.upserts.first(), upsert_keeps_later) {
        (Some(first), Some(keeps_later)) => first.keep_later == keeps_later,
        _ => true,
    };
    let same = |batch: &Batch<'_>| batch.extra.iter().copied().eq(columns()) && keeps(batch);
    let index = batches.iter().position(same).unwrap_or_else(|| {
        batches.push(Batch {
            extra: columns().collect(),
            ..Batch::default()
        });
        batches.len() - 1
    });
    &mut batches[index]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Value;

    #[test]
    fn writes_with_other_extra_columns_go_in_batches_of_their_own() {
        let extra = [Extra {
            column: "user".into(),
            value: Value::Null,
        }];
        let upsert = |extra| Effect::Save {
            data: "{}",
            expires: Timestamp(0),
            extra,
            keep_later: false,
            update_until: Timestamp::MIN,
        };
        let write = |sid, effect| Write { sid, effect };
        let writes = [
            write("a", upsert(&extra)),
            write("b", upsert(&[])),
            write("c", Effect::Destroy),
            write("d", upsert(&extra)),
        ];
        let batches = Batch::split(&writes, Timestamp(0));
        let sizes: Vec<_> = batches
            .iter()
            .map(|batch| (batch.upserts.len(), batch.destroys.len()))
            .collect();
        assert_eq!(sizes, [(2, 1), (1, 0)]);
    }

    #[test]
    fn a_loaded_session_is_only_updated_until_it_expires() {
        let save = |update_until, keep_later, expires| Write {
            sid: "a",
            effect: Effect::Save {
                data: "{}",
                expires: Timestamp(expires),
                extra: &[],
                keep_later,
                update_until: Timestamp(update_until),
            },
        };
        let split = |write: Write<'_>| {
            let batches = Batch::split(&[write], Timestamp(1000));
            let Batch {
                upserts, updates, ..
            } = &batches[0];
            let keeps = updates.iter().chain(upserts).any(|save| save.keep_later);
            (upserts.len(), updates.len(), keeps)
        };
        assert_eq!(split(save(1001, true, 1001)), (0, 1, true));
        assert_eq!(split(save(1000, false, 2000)), (1, 0, false));
        assert_eq!(split(save(1000, true, 2000)), (1, 0, true));
        assert_eq!(split(save(i64::MIN, false, 1000)), (1, 0, false));
    }

    #[test]
    fn upserts_that_keep_a_later_expiry_go_in_a_batch_of_their_own() {
        let save = |sid, keep_later, update_until| Write {
            sid,
            effect: Effect::Save {
                data: "{}",
                expires: Timestamp(2000),
                extra: &[],
                keep_later,
                update_until: Timestamp(update_until),
            },
        };
        let writes = [
            save("a", false, i64::MIN),
            save("b", true, 1000),
            save("c", true, 3000),
            save("d", true, 1000),
        ];
        let batches = Batch::split(&writes, Timestamp(1000));
        let sizes = |batch: &Batch<'_>| (batch.upserts.len(), batch.updates.len());
        assert_eq!(
            batches.iter().map(sizes).collect::<Vec<_>>(),
            [(1, 1), (2, 0)]
        );
        assert!(!batches[0].effects().upserts_keep_later);
        assert!(batches[1].effects().upserts_keep_later);
    }
}
