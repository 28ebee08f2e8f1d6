//! The Rust core of `rust-sequelize-store`.
//!
//! A call passes through the layers in one direction, and its outcome comes back once:
//!
//! ```text
//! binding → store → queue → table → database → sqlx pool
//! ```
//!
//! * `binding` converts between JavaScript and Rust; nothing else names napi.
//! * `store` opens the database that a URL names, and has the list of those that are supported.
//! * `queue` gathers waiting calls into batches, and keeps the order of every session.
//! * `table` runs statements on a connection of a sqlx pool.
//! * `database` has what differs from one database to the next: SQL, types, errors, connecting.

mod binding;
mod config;
mod database;
mod error;
mod operation;
mod queue;
mod store;
mod table;
mod timestamp;
