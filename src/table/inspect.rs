//! Inspecting the table: at first use, after it was altered, and before new columns are written.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sqlx::{ColumnIndex, Decode, Executor, IntoArguments, Row, Type};

use crate::database::{
    Batch, Column, DataForm, Database, InspectedTable, InstantForm, Unfit, rendered, unfit,
};
use crate::error::{ErrorKind, Remedy, Result, StoreError};
use crate::lock::lock;
use crate::timestamp::Timestamp;

use super::SqlTable;

impl<DB: Database> SqlTable<DB> {
    fn cached(&self) -> Option<Arc<InspectedTable>> {
        lock(&self.inspected).clone()
    }

    pub(super) fn set_cached(&self, table: Option<Arc<InspectedTable>>) {
        *lock(&self.inspected) = table;
    }
}

impl<DB: Database> SqlTable<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
    String: Type<DB> + for<'r> Decode<'r, DB>,
    i64: Type<DB> + for<'r> Decode<'r, DB>,
    bool: Type<DB> + for<'r> Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    /// The table as it is. At first use it is inspected, and created if it is missing and the options allow it.
    pub(super) async fn inspected(
        &self,
        connection: &mut DB::Connection,
    ) -> Result<Arc<InspectedTable>> {
        if let Some(table) = self.cached() {
            return Ok(table);
        }
        let _inspecting = self.inspecting.lock().await;
        if let Some(table) = self.cached() {
            return Ok(table);
        }
        let mut columns = self.columns(connection).await?;
        if columns.is_empty() && self.config.create && !self.found.load(Ordering::Relaxed) {
            self.create(connection).await?;
            columns = self.columns(connection).await?;
        }
        if columns.is_empty() {
            return Err(StoreError::table(format!(
                "table `{}` does not exist; create it with: {}",
                self.config.full_name(),
                DB::create_table(&self.config)
            )));
        }
        self.found.store(true, Ordering::Relaxed);
        let mut table = InspectedTable::new::<DB>(&self.config, columns)?;
        self.check_sids(connection, &table).await?;
        self.detect(connection, &mut table).await?;
        let table = Arc::new(table);
        self.set_cached(Some(Arc::clone(&table)));
        Ok(table)
    }

    /// Refuses a table whose sid column treats different sids as equal.
    async fn check_sids(
        &self,
        connection: &mut DB::Connection,
        table: &InspectedTable,
    ) -> Result<()> {
        let Some(sql) = DB::sids_compare_equal(table) else {
            return Ok(());
        };
        let row = sqlx::query(sql).fetch_one(connection).await;
        let equal = row.and_then(|row| row.try_get(0));
        if equal.map_err(|error| self.failed(error))? {
            let reason = Unfit::Collation("another".to_owned());
            return Err(unfit::<DB>(&self.config, &table.sid_column, &reason));
        }
        Ok(())
    }

    /// The columns of the table; none if it does not exist.
    pub(super) async fn columns(&self, connection: &mut DB::Connection) -> Result<Vec<Column>> {
        let rows = self
            .query(DB::inspect(&self.config))
            .fetch_all(connection)
            .await
            .map_err(|error| self.failed(error))?;
        let columns = rows.iter().map(DB::column).collect::<sqlx::Result<_>>();
        columns.map_err(|error| self.failed(error))
    }

    /// Whether the table was altered since it was inspected. Then it will be inspected again.
    pub(super) async fn altered(
        &self,
        connection: &mut DB::Connection,
        table: &InspectedTable,
    ) -> bool {
        let columns = self.columns(connection).await;
        let same = columns
            .as_ref()
            .is_ok_and(|columns| table.has_columns(columns));
        if !same {
            self.set_cached(None);
        }
        // Nothing can be read in a transaction that has failed: the calls after it find out.
        columns.is_ok() && !same
    }

    /// The store's error for the error of a statement on the table. Values that do not fit may mean that a column has
    /// another type by now; the statement is then worth another try.
    pub(super) async fn failed_on(
        &self,
        connection: &mut DB::Connection,
        table: &InspectedTable,
        error: sqlx::Error,
    ) -> StoreError {
        let failed = self.failed(error);
        if failed.remedy == Remedy::Isolate && self.altered(connection, table).await {
            return StoreError {
                kind: ErrorKind::Table,
                remedy: Remedy::Retry,
                ..failed
            };
        }
        failed
    }

    pub(super) async fn create(&self, connection: &mut DB::Connection) -> Result<()> {
        let created = sqlx::raw_sql(rendered(DB::create_table(&self.config)))
            .execute(&mut *connection)
            .await;
        created.map_err(|error| self.failed(error))?;
        // Other lanes use the table as soon as it is cached, which is before the transaction would end.
        self.control_transaction(connection, "COMMIT").await?;
        self.control_transaction(connection, "BEGIN").await
    }

    /// The table with the extra columns of a batch. If one is missing, the table is inspected again first: the column may
    /// have been added since.
    pub(super) async fn with_extra_columns(
        &self,
        connection: &mut DB::Connection,
        mut table: Arc<InspectedTable>,
        batch: &Batch<'_>,
    ) -> Result<Arc<InspectedTable>> {
        let missing = |table: &InspectedTable| {
            let mut columns = batch.extra.iter();
            columns
                .find(|column| table.column(column).is_none())
                .copied()
        };
        if missing(&table).is_some() {
            self.set_cached(None);
            table = self.inspected(connection).await?;
        }
        let Some(column) = missing(&table) else {
            return Ok(table);
        };
        let message = format!(
            "expected `extendDefaultFields` to return columns of table `{}`, got `{column}`; its columns: {}",
            self.config.full_name(),
            table.column_names()
        );
        Err(StoreError::table(message).with_remedy(Remedy::Isolate))
    }

    /// Notes the unit of integers as dates, which was guessed from the rows.
    fn note_unit(&self, table: &InspectedTable, seconds: i64, milliseconds: i64) {
        let unit = match table.expires.form {
            InstantForm::Seconds => "seconds",
            _ => "milliseconds",
        };
        self.note.set(format!(
            "the integers in column {} of table `{}` are taken for {unit} since 1970: \
             {seconds} of its rows are plausible as seconds, {milliseconds} as milliseconds",
            table.expires.name,
            self.config.full_name(),
        ));
    }

    /// Detects what the types of the columns leave open.
    async fn detect(
        &self,
        connection: &mut DB::Connection,
        table: &mut InspectedTable,
    ) -> Result<()> {
        if let Some(max_packet) = DB::MAX_PACKET {
            let row = sqlx::query(max_packet)
                .persistent(self.prepared_statements)
                .fetch_one(&mut *connection)
                .await
                .map_err(|error| self.failed(error))?;
            let bytes: i64 = row
                .try_get_unchecked(0)
                .map_err(|error| self.failed(error))?;
            table.max_packet = usize::try_from(bytes).ok();
        }
        if !table.unit_open && table.data_form != DataForm::Json {
            return Ok(());
        }
        let row = sqlx::query(DB::sample(table, Timestamp::of_system()))
            .persistent(self.prepared_statements)
            .fetch_one(connection)
            .await
            .map_err(|error| self.failed(error))?;
        let votes = |index: usize| -> Result<i64> {
            let count: Option<i64> = row.try_get(index).map_err(|error| self.failed(error))?;
            Ok(count.unwrap_or(0))
        };
        let (seconds, milliseconds) = (votes(0)?, votes(1)?);
        if table.unit_open {
            table.guess_unit(seconds, milliseconds);
            self.note_unit(table, seconds, milliseconds);
        }
        // SQLite keeps bytes in a column of JSON too, and they may be no text.
        let first_two_chars: Option<String> = row.try_get_unchecked(2).ok().flatten();
        match first_two_chars.as_deref() {
            Some("\"{") => table.data_quoted = true,
            Some(object) if object.starts_with('{') => table.data_quoted = false,
            // No row, or a string of the application's own serializer.
            _ => {}
        }
        Ok(())
    }
}
