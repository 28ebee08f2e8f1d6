//! Tables of SQLite.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlStr, Sqlite};

use super::statement;
use crate::config::{Instants, TableConfig};
use crate::database::{
    Column, DataForm, InspectedTable, InstantForm, Schema, Statement, Unfit, rendered,
};

impl Schema for Sqlite {
    const BIGINT: &'static str = "INTEGER";

    const SID_TYPE: &'static str = "VARCHAR(36) PRIMARY KEY";

    fn instant_type(instants: Instants) -> &'static str {
        match instants {
            Instants::Date | Instants::Local => "DATETIME",
            Instants::Seconds => "BIGINT",
            Instants::Iso => "TEXT",
        }
    }

    fn data_type(json: bool) -> &'static str {
        if json { "JSON" } else { "TEXT" }
    }

    fn table_constraints(_sid: &str) -> [String; 2] {
        [String::new(), String::new()]
    }

    fn quote(identifier: &str) -> String {
        format!("`{}`", identifier.replace('`', "``"))
    }

    fn first_two_chars(column: &str) -> String {
        format!("substr({column}, 1, 2)")
    }

    fn inspect(table: &TableConfig) -> Statement<Self> {
        let sql = r#"SELECT c.name, c.type,
            (c.pk > 0 AND (SELECT count(*) FROM pragma_table_info(?1) WHERE pk > 0) = 1)
            OR EXISTS (SELECT 1 FROM pragma_index_list(?1) AS i WHERE i."unique" AND NOT i.partial
                AND (SELECT group_concat(k.name) FROM pragma_index_info(i.name) AS k) = c.name),
            EXISTS (SELECT 1 FROM pragma_table_list(?1) AS l WHERE l.wr),
            (SELECT k.coll FROM pragma_index_list(?1) AS i, pragma_index_xinfo(i.name) AS k
                WHERE i."unique" AND NOT i.partial AND k.key AND k.name = c.name AND upper(k.coll) <> 'BINARY'
                AND (SELECT count(*) FROM pragma_index_info(i.name)) = 1)
            FROM pragma_table_info(?1) AS c"#;
        statement(rendered(sql.to_owned()), [table.name.clone().into()])
    }

    fn column(row: &SqliteRow) -> sqlx::Result<Column> {
        Ok(Column {
            name: row.try_get(0)?,
            declared: row.try_get(1)?,
            cast: row.try_get(1)?,
            unique: row.try_get(2)?,
            collation: row.try_get(4)?,
            clustered: row.try_get(3)?,
            portable: false,
        })
    }

    fn check_sid(column: &Column) -> Result<(), Unfit> {
        if let Some(collation) = &column.collation {
            return Err(Unfit::Collation(format!("`{collation}`")));
        }
        if keeps_texts(&column.declared) {
            Ok(())
        } else {
            let expected = "TEXT or VARCHAR, in which SQLite does not turn texts into numbers";
            Err(Unfit::of_type(expected, &column.declared))
        }
    }

    /// SQLite tells the collations of indexes, but not that of a column, which may differ. A column of a compound SELECT has
    /// the collation of its first part.
    fn sids_compare_equal(table: &InspectedTable) -> Option<SqlStr> {
        Some(rendered(format!(
            "SELECT EXISTS (SELECT 1 FROM (SELECT {} AS x FROM {} WHERE 0 UNION ALL SELECT 'a') WHERE x = 'A' OR x = 'a ')",
            table.sid, table.name
        )))
    }

    fn instant_form(column: &Column) -> Result<InstantForm, Unfit> {
        // A declared type that contains INT means integers: https://www.sqlite.org/datatype3.html, 3.1
        if column.declared.to_ascii_uppercase().contains("INT") {
            Ok(InstantForm::Milliseconds)
        } else {
            Ok(InstantForm::Text)
        }
    }

    fn data_form(column: &Column) -> Result<DataForm, Unfit> {
        let json = column.declared.to_ascii_uppercase().starts_with("JSON");
        Ok(if json { DataForm::Json } else { DataForm::Text })
    }
}

/// Whether a column of this type has the affinity of text or none, by the rules of
/// <https://www.sqlite.org/datatype3.html>, 3.1. With any other, `1e2` and `100` would be one sid.
fn keeps_texts(declared: &str) -> bool {
    let declared = declared.to_ascii_uppercase();
    let has = |part: &str| declared.contains(part);
    !has("INT") && (has("CHAR") || has("CLOB") || has("TEXT") || has("BLOB") || declared.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::tests::{column, table};

    #[test]
    fn creates_the_table_of_sequelize() {
        assert_eq!(
            Sqlite::create_table(&table()),
            "CREATE TABLE IF NOT EXISTS `Sessions` (`sid` VARCHAR(36) PRIMARY KEY, `expires` DATETIME, `data` TEXT, \
             `createdAt` DATETIME NOT NULL, `updatedAt` DATETIME NOT NULL);"
        );
    }

    #[test]
    fn names_are_quoted() {
        assert_eq!(Sqlite::quote("we`ird"), "`we``ird`");
    }

    #[test]
    fn columns_of_numbers_keep_no_texts() {
        for declared in [
            "TEXT",
            "varchar(36)",
            "CHARACTER VARYING(5)",
            "",
            "BLOB",
            "CLOB",
        ] {
            assert!(keeps_texts(declared), "{declared}");
        }
        for declared in ["INTEGER", "STRING", "UUID", "NUMERIC", "REAL", "POINT TEXT"] {
            assert!(!keeps_texts(declared), "{declared}");
        }
    }

    #[test]
    fn a_table_that_does_not_fit_is_rejected_by_column() {
        let rejected = |columns: Vec<Column>| {
            InspectedTable::new::<Sqlite>(&table(), columns)
                .unwrap_err()
                .message
        };
        let message = rejected(vec![column("sid", "TEXT"), column("data", "TEXT")]);
        assert!(message.contains("no column `expires`"), "{message}");
        let mut loose = column("sid", "TEXT");
        loose.unique = false;
        let message = rejected(vec![
            loose,
            column("expires", "TEXT"),
            column("data", "TEXT"),
        ]);
        assert!(message.contains("`sid`"), "{message}");
    }
}
