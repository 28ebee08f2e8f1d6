//! Removing expired sessions from PostgreSQL.

use sqlx::Postgres;
use sqlx::postgres::PgArguments;

use super::{add, expired};
use crate::database::{InspectedTable, PruneStatements, Statement, Text};
use crate::timestamp::Timestamp;

/// Blocks in a window: fewer than a hundred sessions, and one or two milliseconds of a processor. A `get` waits for as long
/// where there are no more processors than busy processes. Measured with two of them, the p99 of `get` rises 1.3 times
/// during pruning, and 2.0 times with 32 blocks, which prune twice as fast.
const WINDOW_BLOCKS: u32 = 8;

/// Rows in a window, in the order of their sids, where there are no blocks.
const WINDOW_ROWS: u32 = 250;

impl PruneStatements for Postgres {
    /// `CockroachDB` had no such locks before 2026, and had functions that only pretended to lock.
    fn prune_lock(table: &InspectedTable) -> Option<Statement<Self>> {
        if table.portable {
            return None;
        }
        // By the number of the table: there may be others of the same name in other schemas.
        let sql = "SELECT pg_try_advisory_xact_lock(\
             hashtextextended('rust-sequelize-store ' || to_regclass($1)::oid::text, 0))";
        let mut arguments = PgArguments::default();
        add(&mut arguments, table.name.clone());
        let sql = table.text(Text::PruneLock, || sql.to_owned());
        Some(Statement::new(sql, arguments))
    }

    fn expired(table: &InspectedTable, cursor: Option<&str>, now: Timestamp) -> Statement<Self> {
        if table.portable {
            expired_by_sid(table, cursor, now)
        } else {
            expired_by_block(table, cursor, now)
        }
    }

    fn delete_expired(table: &InspectedTable, sids: &[&str], now: Timestamp) -> Statement<Self> {
        let sql = table.text(Text::DeleteExpired(0), || {
            let [name, sid] = [&table.name, &table.sid];
            let found = format!("t.{sid} = ANY($2::text[]) AND {}", expired(table));
            if table.portable {
                return format!("DELETE FROM {name} AS t WHERE {found}");
            }
            // A row that is locked is left to the next run: waiting for it would hold up others.
            format!(
                "DELETE FROM {name} WHERE {sid} = ANY(ARRAY(SELECT t.{sid} FROM {name} AS t \
                 WHERE {found} FOR UPDATE SKIP LOCKED))"
            )
        });
        let mut arguments = PgArguments::default();
        add(&mut arguments, now.0);
        add(&mut arguments, sids);
        Statement::new(sql, arguments)
    }
}

/// The window of the blocks from the cursor on. Only the window is scanned.
fn expired_by_block(
    table: &InspectedTable,
    cursor: Option<&str>,
    now: Timestamp,
) -> Statement<Postgres> {
    // The statement has to tell where the table ends, so it reads the number of blocks too.
    let sql = table.text(Text::Expired, || {
        format!(
            "SELECT w.next, e.sid FROM (SELECT CASE WHEN $2 + {WINDOW_BLOCKS} < \
             COALESCE((SELECT max(pg_relation_size(p.relid)) FROM pg_partition_tree($3::regclass) AS p), \
             pg_relation_size($3::regclass)) / current_setting('block_size')::bigint \
             THEN ($2 + {WINDOW_BLOCKS})::text END AS next) AS w LEFT JOIN (SELECT t.{sid}::text AS sid FROM {name} AS t \
             WHERE t.ctid >= format('(%s,0)', $2)::tid AND t.ctid < format('(%s,0)', $2 + {WINDOW_BLOCKS})::tid \
             AND {expired}) AS e ON true",
            sid = table.sid,
            name = table.name,
            expired = expired(table),
        )
    });
    let mut arguments = PgArguments::default();
    add(&mut arguments, now.0);
    let block: i64 = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    add(&mut arguments, block);
    add(&mut arguments, table.name.clone());
    Statement::new(sql, arguments)
}

/// The window of the rows from the cursor on, which is the last sid of the window before.
fn expired_by_sid(
    table: &InspectedTable,
    cursor: Option<&str>,
    now: Timestamp,
) -> Statement<Postgres> {
    let sql = table.text(Text::Expired, || {
        format!(
            "WITH a AS (SELECT t.{sid}::text AS sid, {expired} AS expired FROM {name} AS t \
             WHERE t.{sid} >= $2 ORDER BY t.{sid} LIMIT {WINDOW_ROWS}) SELECT w.next, e.sid FROM \
             (SELECT CASE WHEN count(*) = {WINDOW_ROWS} THEN max(a.sid) END AS next FROM a) AS w \
             LEFT JOIN (SELECT a.sid FROM a WHERE a.expired) AS e ON true",
            sid = table.sid,
            name = table.name,
            expired = expired(table),
        )
    });
    let mut arguments = PgArguments::default();
    add(&mut arguments, now.0);
    add(&mut arguments, cursor.unwrap_or_default());
    Statement::new(sql, arguments)
}
