//! The writes of one commit.

use crate::operation::{Effect, Extra, Write};
use crate::timestamp::Timestamp;

/// A row to be saved.
#[derive(Debug, Clone, Copy)]
pub struct Save<'a> {
    pub sid: &'a str,
    pub data: &'a str,
    pub expires: Timestamp,
    /// The application's own columns, the same for every row of a batch.
    pub extra: &'a [Extra],
}

/// A row whose expiry is to be moved.
#[derive(Debug, Clone, Copy)]
pub struct Touch<'a> {
    pub sid: &'a str,
    pub expires: Timestamp,
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
    /// Which effects there are: upserts, updates, touches, destroys.
    pub fn effects(&self) -> [bool; 4] {
        [
            !self.upserts.is_empty(),
            !self.updates.is_empty(),
            !self.touches.is_empty(),
            !self.destroys.is_empty(),
        ]
    }

    /// As few batches as the extra columns of the saves allow; nearly always one.
    pub fn split(writes: &[Write<'a>]) -> Vec<Self> {
        let mut batches: Vec<Self> = Vec::with_capacity(1);
        for Write { sid, effect } in writes {
            let Effect::Save {
                data,
                expires,
                extra,
                only_if_exists,
            } = *effect
            else {
                continue;
            };
            let batch = with_columns(&mut batches, extra);
            let saves = if only_if_exists {
                &mut batch.updates
            } else {
                &mut batch.upserts
            };
            saves.push(Save {
                sid,
                data,
                expires,
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
                Effect::Touch { expires } => first.touches.push(Touch { sid, expires }),
                Effect::Destroy => first.destroys.push(sid),
            }
        }
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

/// The batch for saves with these extra columns.
fn with_columns<'a, 'b>(batches: &'b mut Vec<Batch<'a>>, extra: &'a [Extra]) -> &'b mut Batch<'a> {
    let columns = || extra.iter().map(|extra| extra.column.as_str());
    let same = |batch: &Batch<'_>| batch.extra.iter().copied().eq(columns());
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
            only_if_exists: false,
        };
        let write = |sid, effect| Write { sid, effect };
        let writes = [
            write("a", upsert(&extra)),
            write("b", upsert(&[])),
            write("c", Effect::Destroy),
            write("d", upsert(&extra)),
        ];
        let batches = Batch::split(&writes);
        let sizes: Vec<_> = batches
            .iter()
            .map(|batch| (batch.upserts.len(), batch.destroys.len()))
            .collect();
        assert_eq!(sizes, [(2, 1), (1, 0)]);
    }
}
