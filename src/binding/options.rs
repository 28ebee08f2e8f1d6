//! Options as `lib/options` gives them: checked and complete.

use std::time::Duration;

use napi::bindgen_prelude::Either;
use napi_derive::napi;

use crate::config::{
    ColumnName, ColumnNames, Config, ConnectionConfig, Instants, Json, Layout, PoolConfig,
    QueueConfig, TableConfig,
};

/// The options of a store. Every value is given.
#[napi(object, object_to_js = false)]
pub struct StoreOptions {
    pub url: String,
    pub prepared_statements: bool,
    /// Another copy of SQLite in this process has the file open.
    pub shared_file: bool,
    /// The permissions of a new SQLite file.
    pub file_mode: u32,
    /// On clusters of MySQL and MariaDB, reads wait for the writes of other members.
    pub causal_reads: bool,
    pub table: TableOptions,
    pub pool: PoolOptions,
    pub queue: QueueOptions,
}

/// The session table.
#[napi(object, object_to_js = false)]
pub struct TableOptions {
    pub schema: Option<String>,
    pub name: String,
    /// Create the table if it is missing.
    pub create: bool,
    /// What the table may look like, by preference; a new table gets the first layout.
    pub layouts: Vec<LayoutOptions>,
    pub columns: ColumnOptions,
    /// Minutes east of UTC in which dates without a zone are kept.
    pub utc_offset_minutes: i32,
}

/// A layout of `lib/layouts.js`.
#[napi(object, object_to_js = false)]
pub struct LayoutOptions {
    pub sid: String,
    pub expires: String,
    pub data: String,
    pub instants: InstantFormat,
    pub json: JsonUse,
    /// A new table has the data before the expiry.
    pub data_first: bool,
    /// A new table has `createdAt` and `updatedAt`.
    pub timestamps: bool,
}

/// How instants are kept where the type of a column leaves that open.
#[napi(string_enum = "lowercase")]
pub enum InstantFormat {
    /// As Sequelize keeps them.
    Date,
    /// As a timestamp without a zone.
    Local,
    /// As seconds since the epoch.
    Seconds,
    /// On SQLite, as the text of `toISOString`.
    Iso,
}

/// What a column of JSON holds, and whether a new table has one.
#[napi(string_enum = "lowercase")]
pub enum JsonUse {
    /// Objects; a new table has a column of text.
    Unused,
    /// The text of a session as one JSON string; a new table has a column of text.
    Strings,
    /// Objects; a new table has a column of JSON.
    Objects,
}

/// Names of columns. Absent: detected in the table; `false`: the table has no such column.
#[napi(object, object_to_js = false)]
pub struct ColumnOptions {
    pub sid: Option<String>,
    pub expires: Option<String>,
    pub data: Option<String>,
    pub created_at: Option<Either<String, bool>>,
    pub updated_at: Option<Either<String, bool>>,
    pub deleted_at: Option<Either<String, bool>>,
}

/// Bounds of the connection pool. Times in ms.
#[napi(object, object_to_js = false)]
pub struct PoolOptions {
    pub max: u32,
    pub acquire_timeout: u32,
    pub query_timeout: u32,
    pub idle_timeout: u32,
    pub max_lifetime: u32,
}

/// Bounds of what may be pending.
#[napi(object, object_to_js = false)]
pub struct QueueOptions {
    pub max_operations: u32,
    pub max_bytes: f64,
}

impl From<StoreOptions> for Config {
    fn from(options: StoreOptions) -> Self {
        Self {
            connection: ConnectionConfig {
                url: options.url,
                prepared_statements: options.prepared_statements,
                shared_file: options.shared_file,
                file_mode: options.file_mode,
                causal_reads: options.causal_reads,
            },
            table: options.table.into(),
            pool: options.pool.into(),
            queue: options.queue.into(),
        }
    }
}

impl From<TableOptions> for TableConfig {
    fn from(options: TableOptions) -> Self {
        Self {
            schema: options.schema,
            name: options.name,
            layouts: options.layouts.into_iter().map(Into::into).collect(),
            columns: options.columns.into(),
            utc_offset_minutes: options.utc_offset_minutes,
            create: options.create,
            // A parameter of the URL.
            portable: None,
        }
    }
}

impl From<LayoutOptions> for Layout {
    fn from(options: LayoutOptions) -> Self {
        Self {
            sid: options.sid,
            expires: options.expires,
            data: options.data,
            instants: options.instants.into(),
            json: options.json.into(),
            data_first: options.data_first,
            timestamps: options.timestamps,
        }
    }
}

impl From<InstantFormat> for Instants {
    fn from(format: InstantFormat) -> Self {
        match format {
            InstantFormat::Date => Self::Date,
            InstantFormat::Local => Self::Local,
            InstantFormat::Seconds => Self::Seconds,
            InstantFormat::Iso => Self::Iso,
        }
    }
}

impl From<JsonUse> for Json {
    fn from(json: JsonUse) -> Self {
        match json {
            JsonUse::Unused => Self::Unused,
            JsonUse::Strings => Self::Strings,
            JsonUse::Objects => Self::Objects,
        }
    }
}

impl From<ColumnOptions> for ColumnNames {
    fn from(options: ColumnOptions) -> Self {
        let required = |name: Option<String>| name.map_or(ColumnName::Found, ColumnName::Named);
        let optional = |name: Option<Either<String, bool>>| match name {
            Some(Either::A(name)) => ColumnName::Named(name),
            Some(Either::B(false)) => ColumnName::Absent,
            Some(Either::B(true)) | None => ColumnName::Found,
        };
        Self {
            sid: required(options.sid),
            expires: required(options.expires),
            data: required(options.data),
            created_at: optional(options.created_at),
            updated_at: optional(options.updated_at),
            deleted_at: optional(options.deleted_at),
        }
    }
}

impl From<PoolOptions> for PoolConfig {
    fn from(options: PoolOptions) -> Self {
        Self {
            max: options.max,
            acquire_timeout: ms(options.acquire_timeout),
            query_timeout: ms(options.query_timeout),
            idle_timeout: ms(options.idle_timeout),
            max_lifetime: ms(options.max_lifetime),
        }
    }
}

impl From<QueueOptions> for QueueConfig {
    fn from(options: QueueOptions) -> Self {
        Self {
            max_operations: options.max_operations as usize,
            max_bytes: bytes(options.max_bytes),
        }
    }
}

fn ms(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked in JavaScript to be a positive integer; the cast saturates"
)]
fn bytes(bytes: f64) -> usize {
    bytes as usize
}
