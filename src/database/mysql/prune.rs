//! Removing expired sessions from MySQL and MariaDB.

use sqlx::MySql;
use sqlx::mysql::MySqlArguments;

use super::error::number;
use super::{add, add_cursor, add_instant, add_sids, expired, is_binary, marks, size};
use crate::database::{InspectedTable, PruneStatements, Statement, Text};
use crate::timestamp::Timestamp;

/// Rows in a window, in the order of the primary key, in which InnoDB keeps them.
const WINDOW_ROWS: u32 = 250;

impl PruneStatements for MySql {
    fn prune_lock(table: &InspectedTable) -> Option<Statement<Self>> {
        Some(lock(table, Text::PruneLock, |name| {
            format!("SELECT GET_LOCK({name}, 0) = 1")
        }))
    }

    /// As Percona XtraDB Cluster in its strict mode, and Vitess, which takes the function in no other statement.
    fn lacks_locks(error: &sqlx::Error) -> bool {
        matches!(number(error), Some(1105 | 1235))
    }

    fn prune_unlock(table: &InspectedTable) -> Option<Statement<Self>> {
        Some(lock(table, Text::PruneUnlock, |name| {
            format!("SELECT RELEASE_LOCK({name})")
        }))
    }

    fn expired(table: &InspectedTable, cursor: Option<&str>, now: Timestamp) -> Statement<Self> {
        let sql = table.text(Text::Expired, || {
            // Bytes may be no text, in which case they could be no parameter.
            let (next, after) = if is_binary(table) {
                ("HEX(w.next)", "UNHEX(?)")
            } else {
                ("w.next", "?")
            };
            let window = |columns: &str| {
                format!(
                    "SELECT {columns} FROM {name} WHERE (? OR {sid} > {after}) ORDER BY {sid} LIMIT {WINDOW_ROWS}",
                    name = table.name,
                    sid = table.sid,
                )
            };
            format!(
                "SELECT {next}, e.sid FROM (SELECT MAX(sid) AS next FROM ({sids}) AS a) AS w \
                 LEFT JOIN (SELECT sid FROM ({rows}) AS b WHERE expired) AS e ON TRUE",
                sids = window(&format!("{} AS sid", table.sid)),
                rows = window(&format!("{} AS sid, {} AS expired", table.sid, expired(table))),
            )
        });
        let mut arguments = MySqlArguments::default();
        add_cursor(&mut arguments, cursor);
        add_instant(&mut arguments, table, &table.expires, now);
        add_cursor(&mut arguments, cursor);
        Statement::new(sql, arguments)
    }

    fn delete_expired(table: &InspectedTable, sids: &[&str], now: Timestamp) -> Statement<Self> {
        let size = size(sids.len());
        let sql = table.text(Text::DeleteExpired(size), || {
            format!(
                "DELETE FROM {} WHERE {} IN ({}) AND {}",
                table.name,
                table.sid,
                marks(size),
                expired(table)
            )
        });
        let mut arguments = MySqlArguments::default();
        add_sids(&mut arguments, sids, size);
        add_instant(&mut arguments, table, &table.expires, now);
        Statement::new(sql, arguments)
    }
}

/// A statement on the lock of the table. Its name may have 64 characters, as many as the digits of this hash; MySQL 9.7 has
/// no shorter one.
fn lock(
    table: &InspectedTable,
    text: Text,
    render: impl FnOnce(&str) -> String,
) -> Statement<MySql> {
    let mut arguments = MySqlArguments::default();
    add(
        &mut arguments,
        format!("rust-sequelize-store {}", table.name),
    );
    let sql = table.text(text, || render("SHA2(CONCAT(DATABASE(), ?), 256)"));
    Statement::new(sql, arguments)
}
