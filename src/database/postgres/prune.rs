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

impl PruneStatements for Postgres {
    fn prune_lock(table: &InspectedTable) -> Option<Statement<Self>> {
        // By the number of the table: there may be others of the same name in other schemas.
        let sql = "SELECT pg_try_advisory_xact_lock(\
             hashtextextended('rust-sequelize-store ' || to_regclass($1)::oid::text, 0))";
        let mut arguments = PgArguments::default();
        add(&mut arguments, table.name.clone());
        let sql = table.text(Text::PruneLock, || sql.to_owned());
        Some(Statement::new(sql, arguments))
    }

    fn expired(table: &InspectedTable, cursor: Option<&str>, now: Timestamp) -> Statement<Self> {
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

    fn delete_expired(table: &InspectedTable, sids: &[&str], now: Timestamp) -> Statement<Self> {
        let sql = table.text(Text::DeleteExpired(0), || {
            // A row that is locked is left to the next run: waiting for it would hold up others.
            format!(
                "DELETE FROM {name} WHERE {sid} = ANY(ARRAY(SELECT t.{sid} FROM {name} AS t \
                 WHERE t.{sid} = ANY($2) AND {expired} FOR UPDATE SKIP LOCKED))",
                name = table.name,
                sid = table.sid,
                expired = expired(table)
            )
        });
        let mut arguments = PgArguments::default();
        add(&mut arguments, now.0);
        add(&mut arguments, sids);
        Statement::new(sql, arguments)
    }
}
