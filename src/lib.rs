//! The Rust core of `rust-sequelize-store`.
//!
//! A call passes through the layers once, and its outcome comes back once:
//!
//! ```text
//! binding → store → queue → table → database → sqlx
//! ```
//!
//! * `binding` is the only module that names napi: it converts, calls and returns.
//! * `store` opens the database that a URL names, and puts the queue in front of its table.
//! * `queue` gathers waiting calls into batches, and keeps the order of the operations on each session.
//! * `table` keeps the connections, and runs statements on them.
//! * `database` has a folder for each database, with what differs: SQL, types, errors, connecting.
//!
//! `operation`, `config`, `error`, `lock`, `pause` and `timestamp` are the plain data that all layers pass on.

mod binding;
mod config;
mod database;
mod error;
mod lock;
mod operation;
mod pause;
mod queue;
mod store;
mod table;
mod timestamp;
