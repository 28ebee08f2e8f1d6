//! Tables of MySQL and MariaDB.

use sqlx::mysql::{MySqlArguments, MySqlRow};
use sqlx::{MySql, Row};

use super::add;
use crate::config::{Instants, TableConfig};
use crate::database::{
    Column, DataForm, InspectedTable, InstantForm, Schema, Statement, Unfit, rendered,
};
use crate::timestamp::Timestamp;

const MAX_NAME_CHARACTERS: usize = 64;

impl Schema for MySql {
    const BIGINT: &'static str = "SIGNED";

    const MAX_PACKET: Option<&'static str> = Some("SELECT @@max_allowed_packet");

    const SID_TYPE: &'static str = "VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";

    fn instant_type(instants: Instants) -> &'static str {
        match instants {
            Instants::Date | Instants::Local | Instants::Iso => "DATETIME(3)",
            Instants::Seconds => "BIGINT",
        }
    }

    fn data_type(json: bool) -> &'static str {
        if json {
            "JSON"
        } else {
            "MEDIUMTEXT CHARACTER SET utf8mb4"
        }
    }

    fn table_constraints(sid: &str) -> [String; 2] {
        [
            format!(", PRIMARY KEY ({sid})"),
            " ENGINE=InnoDB".to_owned(),
        ]
    }

    fn quote(identifier: &str) -> String {
        format!("`{}`", identifier.replace('`', "``"))
    }

    fn first_two_chars(column: &str) -> String {
        format!("LEFT(CAST({column} AS CHAR), 2)")
    }

    fn inspect(table: &TableConfig) -> Statement<Self> {
        // MySQL 8 returns these columns as VARBINARY, so each is converted to a character set.
        let text = |expression: &str| format!("CONVERT({expression} USING utf8mb4)");
        // The server reads only this table, instead of all that it has, if the conditions are constants.
        let schema = match &table.schema {
            Some(_) => "?",
            None => "DATABASE()",
        };
        let sql = format!(
            "SELECT {name}, {declared}, \
             EXISTS (SELECT 1 FROM information_schema.STATISTICS AS s WHERE s.TABLE_SCHEMA = {schema} \
             AND s.TABLE_NAME = ? AND s.NON_UNIQUE = 0 GROUP BY s.INDEX_NAME \
             HAVING COUNT(*) = 1 AND MAX(s.COLUMN_NAME) = c.COLUMN_NAME AND MAX(s.SUB_PART) IS NULL), {collation} \
             FROM information_schema.COLUMNS AS c WHERE c.TABLE_SCHEMA = {schema} \
             AND c.TABLE_NAME = ? AND (@@lower_case_table_names <> 0 OR BINARY c.TABLE_NAME = BINARY ?) \
             ORDER BY c.ORDINAL_POSITION",
            name = text("c.COLUMN_NAME"),
            declared = text("c.COLUMN_TYPE"),
            collation = text("c.COLLATION_NAME"),
        );
        let mut arguments = MySqlArguments::default();
        for _ in ["in the subquery", "outside"] {
            if let Some(schema) = &table.schema {
                add(&mut arguments, schema.as_str());
            }
            add(&mut arguments, table.name.as_str());
        }
        // The server compares names here without regard to case, even where tables may differ in it.
        add(&mut arguments, table.name.as_str());
        Statement::new(rendered(sql), arguments)
    }

    fn column(row: &MySqlRow) -> sqlx::Result<Column> {
        Ok(Column {
            name: row.try_get(0)?,
            declared: row.try_get(1)?,
            cast: row.try_get(1)?,
            unique: row.try_get(2)?,
            collation: row.try_get(3)?,
            clustered: true,
            portable: false,
        })
    }

    /// MySQL allows characters up to U+FFFF, and 64 of them: <https://dev.mysql.com/doc/refman/8.4/en/identifiers.html>.
    fn check_name(name: &str) -> Result<(), Unfit> {
        let database = "MySQL and MariaDB";
        let count = name.chars().count();
        if name.chars().any(|character| character > '\u{FFFF}') {
            Err(Unfit::Name(database))
        } else if count > MAX_NAME_CHARACTERS {
            Err(Unfit::Length {
                database,
                max: MAX_NAME_CHARACTERS,
                unit: "characters",
                got: count,
            })
        } else {
            Ok(())
        }
    }

    fn check_sid(column: &Column) -> Result<(), Unfit> {
        let declared = &column.declared;
        if declared.starts_with("varchar") || declared.starts_with("varbinary") {
            Ok(())
        } else {
            Err(Unfit::of_type("varchar or varbinary", declared))
        }
    }

    /// Most collations ignore case, and all but the newer ones ignore trailing spaces.
    fn inexact_collation(table: &InspectedTable) -> Option<&str> {
        let collation = table.sid_column.collation.as_deref()?;
        let exact = collation.ends_with("nopad_bin") || collation.ends_with("0900_bin");
        (!exact).then_some(collation)
    }

    fn other_unique_keys(config: &TableConfig, table: &InspectedTable) -> Option<Statement<Self>> {
        let schema = match &config.schema {
            Some(_) => "?",
            None => "DATABASE()",
        };
        let sql = format!(
            "SELECT CONVERT(s.INDEX_NAME USING utf8mb4) FROM information_schema.STATISTICS AS s \
             WHERE s.TABLE_SCHEMA = {schema} AND s.TABLE_NAME = ? AND s.NON_UNIQUE = 0 GROUP BY s.INDEX_NAME \
             HAVING COUNT(*) > 1 OR MAX(s.COLUMN_NAME) IS NULL OR MAX(s.COLUMN_NAME) <> ? ORDER BY s.INDEX_NAME"
        );
        let mut arguments = MySqlArguments::default();
        let schema = config.schema.iter();
        for name in schema.chain([&config.name, &table.sid_column.name]) {
            add(&mut arguments, name.as_str());
        }
        Some(Statement::new(rendered(sql), arguments))
    }

    fn instant_form(column: &Column) -> Result<InstantForm, Unfit> {
        let declared = &column.declared;
        if declared.starts_with("datetime") {
            Ok(InstantForm::Local)
        } else if declared.starts_with("timestamp") {
            Ok(InstantForm::Zoned)
        } else if declared.starts_with("int") {
            Ok(InstantForm::Seconds)
        } else if declared.starts_with("bigint") {
            Ok(InstantForm::Milliseconds)
        } else if declared.starts_with("varchar") || declared.ends_with("text") {
            Ok(InstantForm::Text)
        } else {
            let expected = "datetime, timestamp, varchar, text, int or bigint";
            Err(Unfit::of_type(expected, declared))
        }
    }

    fn instant_range(column: &Column) -> [Timestamp; 2] {
        let declared = &column.declared;
        // https://dev.mysql.com/doc/refman/8.4/en/datetime.html: the instant 0 is kept for 0000-00-00.
        let [first, last] = match declared.as_str() {
            _ if declared.starts_with("timestamp") => [1, i64::from(i32::MAX)],
            _ if declared.starts_with("int") && declared.contains("unsigned") => {
                [0, i64::from(u32::MAX)]
            }
            _ if declared.starts_with("int") => [0, i64::from(i32::MAX)],
            _ => return [Timestamp(0), Timestamp::LAST],
        };
        [first, last].map(|seconds| Timestamp(seconds * 1000))
    }

    fn data_form(column: &Column) -> Result<DataForm, Unfit> {
        let declared = &column.declared;
        // On MariaDB, JSON is another name for this type.
        let alias = declared == "longtext" && column.collation.as_deref() == Some("utf8mb4_bin");
        if declared == "json" || alias {
            Ok(DataForm::Json)
        } else if declared.starts_with("varchar") || declared.ends_with("text") {
            Ok(DataForm::Text)
        } else if declared.ends_with("blob") || declared.starts_with("varbinary") {
            Ok(DataForm::Binary)
        } else {
            let expected = "text, varchar, json, blob or varbinary";
            Err(Unfit::of_type(expected, declared))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::tests::table;

    #[test]
    fn creates_a_table_that_tells_sids_apart_by_case() {
        assert_eq!(
            MySql::create_table(&table()),
            "CREATE TABLE IF NOT EXISTS `Sessions` (`sid` VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, \
             `expires` DATETIME(3), `data` MEDIUMTEXT CHARACTER SET utf8mb4, `createdAt` DATETIME(3) NOT NULL, \
             `updatedAt` DATETIME(3) NOT NULL, PRIMARY KEY (`sid`)) ENGINE=InnoDB;"
        );
    }
}
