//! A statement with its parameters.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Database, SqlSafeStr, SqlStr};

/// SQL that is ready to run. On SQLite it may hold several statements, each with a result of its own.
pub struct Statement<DB: Database> {
    pub sql: SqlStr,
    pub arguments: DB::Arguments,
    /// Index of the result that counts the rows of [`Batch::updates`](super::Batch::updates) that were found, if there
    /// is one.
    pub counts_updates: Option<usize>,
}

impl<DB: Database> Statement<DB> {
    pub fn new(sql: SqlStr, arguments: DB::Arguments) -> Self {
        Self {
            sql,
            arguments,
            counts_updates: None,
        }
    }

    /// Says which result counts updates.
    pub fn counting_updates(mut self, result: Option<usize>) -> Self {
        self.counts_updates = result;
        self
    }
}

/// Number of updates that found their row, by the results of a statement.
pub fn rows_updated(counts_updates: Option<usize>, affected: &[u64]) -> u64 {
    let result = counts_updates.and_then(|index| affected.get(index));
    result.copied().unwrap_or(0)
}

/// Marks rendered text as safe to run.
///
/// Nothing else does so. The text is safe because names of tables and columns go through
/// [`Schema::quote`](super::Schema::quote), everything else in it is literal text of this module, and values are always
/// bound.
pub fn rendered(sql: String) -> SqlStr {
    AssertSqlSafe(Arc::<str>::from(sql)).into_sql_str()
}
