//! Removing expired sessions from SQLite. It has one writer, so no lock is needed.

use sqlx::Sqlite;

use super::{expired, now_values, sids_document, statement, text_of};
use crate::database::{InspectedTable, PruneStatements, Statement, Text};
use crate::timestamp::Timestamp;

/// Rows in a window: a few milliseconds of the only writer's time.
const WINDOW_ROWS: u32 = 250;

impl PruneStatements for Sqlite {
    fn expired(table: &InspectedTable, cursor: Option<&str>, now: Timestamp) -> Statement<Self> {
        // In the order of the file: by rowid, or by sid in a table WITHOUT ROWID.
        let clustered = table.sid_column.clustered;
        let (id, after, first) = if clustered {
            (table.sid.as_str(), text_of("unhex(?4)"), String::new())
        } else {
            // The lowest possible rowid, which may be negative.
            let after = "CAST(?4 AS INTEGER)".to_owned();
            ("rowid", after, i64::MIN.to_string())
        };
        let sql = table.text(Text::Expired, || {
            let window = |columns: &str| {
                format!(
                    "SELECT {columns} FROM {} AS t WHERE {id} > {after} ORDER BY {id} LIMIT {WINDOW_ROWS}",
                    table.name
                )
            };
            // Sids that are bytes come after all texts, and end the run. A text may have bytes that are not UTF-8.
            let next = if clustered {
                "NULLIF(hex(max(CASE typeof(id) WHEN 'text' THEN id END)), '')"
            } else {
                "CAST(max(id) AS TEXT)"
            };
            format!(
                "SELECT w.next, e.sid FROM (SELECT {next} AS next FROM ({ids})) AS w \
                 LEFT JOIN (SELECT sid FROM ({rows}) WHERE expired) AS e ON true",
                ids = window(&format!("{id} AS id")),
                rows = window(&format!(
                    "{} AS sid, {} AS expired",
                    table.sid,
                    expired(table)
                )),
            )
        });
        let cursor = cursor.map_or(first, str::to_owned);
        let mut values = now_values(now);
        values.push(cursor.into());
        statement(sql, values)
    }

    fn delete_expired(table: &InspectedTable, sids: &[&str], now: Timestamp) -> Statement<Self> {
        let sql = table.text(Text::DeleteExpired(0), || {
            format!(
                "DELETE FROM {} AS t WHERE {} IN (SELECT j.value FROM json_each(?4) AS j) AND {}",
                table.name,
                table.sid,
                expired(table)
            )
        });
        let mut values = now_values(now);
        values.push(sids_document(sids).into());
        statement(sql, values)
    }
}
