//! Tables of PostgreSQL.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Postgres, Row};

use super::add;
use crate::config::{Instants, TableConfig};
use crate::database::{Column, DataForm, InstantForm, Schema, Statement, Unfit, rendered};
use crate::timestamp::Timestamp;

const MAX_NAME_BYTES: usize = 63;

impl Schema for Postgres {
    const BIGINT: &'static str = "bigint";

    const SID_TYPE: &'static str = "VARCHAR(128)";

    fn instant_type(instants: Instants) -> &'static str {
        match instants {
            Instants::Date | Instants::Iso => "TIMESTAMP WITH TIME ZONE",
            Instants::Local => "TIMESTAMP(6) WITHOUT TIME ZONE",
            Instants::Seconds => "BIGINT",
        }
    }

    fn data_type(json: bool) -> &'static str {
        if json { "JSON" } else { "TEXT" }
    }

    fn table_constraints(sid: &str) -> [String; 2] {
        [format!(", PRIMARY KEY ({sid})"), String::new()]
    }

    fn quote(identifier: &str) -> String {
        format!("\"{}\"", identifier.replace('"', "\"\""))
    }

    fn first_two_chars(column: &str) -> String {
        format!("left({column}::text, 2)")
    }

    fn inspect(table: &TableConfig) -> Statement<Self> {
        // CockroachDB knows no empty list after SELECT, and YugabyteDB as PostgreSQL 11 no `collisdeterministic`, whose place is
        // then taken by the one of `d`.
        let sql = "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), \
             EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indisvalid AND i.indimmediate \
             AND i.indpred IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum), \
             (SELECT format('%I.%I', n.nspname, t.typname) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace \
             WHERE t.oid = a.atttypid), \
             (SELECT c.collname::text FROM pg_collation c WHERE NOT collisdeterministic AND (c.oid = a.attcollation \
             OR EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indnkeyatts = 1 \
             AND i.indkey[0] = a.attnum AND i.indcollation[0] = c.oid)) LIMIT 1), \
             version() ~ 'CockroachDB|-YB-' OR EXISTS (SELECT 1 FROM pg_extension e WHERE e.extname = 'citus') \
             FROM pg_attribute a CROSS JOIN (SELECT true AS collisdeterministic) d WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped \
             ORDER BY a.attnum";
        let mut arguments = PgArguments::default();
        add(&mut arguments, Self::table_name(table));
        Statement::new(rendered(sql.to_owned()), arguments)
    }

    fn column(row: &PgRow) -> sqlx::Result<Column> {
        Ok(Column {
            name: row.try_get(0)?,
            declared: row.try_get(1)?,
            cast: row.try_get(3)?,
            unique: row.try_get(2)?,
            collation: row.try_get(4)?,
            clustered: false,
            portable: row.try_get(5)?,
        })
    }

    /// PostgreSQL cuts longer names off: <https://www.postgresql.org/docs/current/sql-syntax-lexical.html>.
    fn check_name(name: &str) -> Result<(), Unfit> {
        if name.len() > MAX_NAME_BYTES {
            return Err(Unfit::Length {
                database: "PostgreSQL",
                max: MAX_NAME_BYTES,
                unit: "bytes",
                got: name.len(),
            });
        }
        Ok(())
    }

    fn check_sid(column: &Column) -> Result<(), Unfit> {
        if let Some(collation) = &column.collation {
            return Err(Unfit::Collation(format!("`{collation}`")));
        }
        let declared = &column.declared;
        if declared.starts_with("text") || is_varchar(declared) {
            Ok(())
        } else {
            Err(Unfit::of_type("text or varchar", declared))
        }
    }

    fn instant_form(column: &Column) -> Result<InstantForm, Unfit> {
        let declared = &column.declared;
        match declared.as_str() {
            "integer" => Ok(InstantForm::Seconds),
            "bigint" => Ok(InstantForm::Milliseconds),
            _ if declared.starts_with("timestamp") => {
                if declared.ends_with("without time zone") {
                    Ok(InstantForm::Local)
                } else {
                    Ok(InstantForm::Zoned)
                }
            }
            _ if declared == "text" || is_varchar(declared) => Ok(InstantForm::Text),
            other => Err(Unfit::of_type(
                "timestamp, text, varchar, integer or bigint",
                other,
            )),
        }
    }

    fn instant_range(column: &Column) -> [Timestamp; 2] {
        let last = match column.declared.as_str() {
            "integer" => Timestamp(i64::from(i32::MAX) * 1000),
            _ => Timestamp::LAST,
        };
        [Timestamp(0), last]
    }

    fn data_form(column: &Column) -> Result<DataForm, Unfit> {
        match column.declared.as_str() {
            "json" | "jsonb" => Ok(DataForm::Json),
            "bytea" => Ok(DataForm::Binary),
            "text" => Ok(DataForm::Text),
            other if is_varchar(other) => Ok(DataForm::Text),
            other => Err(Unfit::of_type("text, varchar, json, jsonb or bytea", other)),
        }
    }
}

fn is_varchar(declared: &str) -> bool {
    declared.starts_with("character varying")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::tests::table;

    #[test]
    fn creates_a_table_with_a_wide_sid() {
        let mut table = table();
        table.schema = Some("app".into());
        assert_eq!(
            Postgres::create_table(&table),
            "CREATE TABLE IF NOT EXISTS \"app\".\"Sessions\" (\"sid\" VARCHAR(128), \
             \"expires\" TIMESTAMP WITH TIME ZONE, \"data\" TEXT, \"createdAt\" TIMESTAMP WITH TIME ZONE NOT NULL, \
             \"updatedAt\" TIMESTAMP WITH TIME ZONE NOT NULL, PRIMARY KEY (\"sid\"));"
        );
    }
}
