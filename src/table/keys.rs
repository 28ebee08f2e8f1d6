//! The error for an upsert that met the row of another session.

use sqlx::{ColumnIndex, Decode, Executor, IntoArguments, Row, Type};

use crate::database::{Database, InspectedTable};
use crate::error::StoreError;

use super::SqlTable;

impl<DB: Database> SqlTable<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
    String: Type<DB> + for<'r> Decode<'r, DB>,
    i64: Type<DB> + for<'r> Decode<'r, DB>,
    bool: Type<DB> + for<'r> Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    /// Names the unique keys in which the row may have met another one, and the collation.
    pub(super) async fn met_another_row(
        &self,
        connection: &mut DB::Connection,
        table: &InspectedTable,
        error: sqlx::Error,
    ) -> StoreError {
        let keys = match DB::other_unique_keys(&self.config, table) {
            Some(statement) => self.query(statement).fetch_all(connection).await,
            None => Ok(Vec::new()),
        };
        let rows = keys.unwrap_or_default();
        let keys: Vec<String> = rows
            .iter()
            .filter_map(|row| row.try_get(0).ok())
            .map(|key: String| format!("`{key}`"))
            .collect();
        let collation = DB::inexact_collation(table).map(|collation| {
            format!(
                "expected an id that the collation `{collation}` of column `{}` tells apart from those of all other \
                 sessions; give the column a `nopad_bin` or `0900_bin` collation",
                table.sid_column.name
            )
        });
        let values = (!keys.is_empty()).then(|| {
            format!(
                "expected a row that has no value of another session in the unique keys {}",
                keys.join(", ")
            )
        });
        let reasons: Vec<String> = values.into_iter().chain(collation).collect();
        let failed = self.failed(error);
        StoreError {
            message: format!(
                "a session was not saved to table `{}`, since another one is in its place: {}",
                self.config.full_name(),
                reasons.join("; or ")
            ),
            ..failed
        }
    }
}
