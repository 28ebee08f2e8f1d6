//! The Rust core of `rust-sequelize-store`.
//!
//! A call goes one way through the rooms and comes back once:
//!
//! ```text
//! binding → store → queue → table → Pool<DB>
//!                             └ dialect (SQL text only)
//! ```
//!
//! * `binding` is the only room that names napi: convert, call, return.
//! * `store` opens the right database and gives a call its place in the queue.
//! * `queue` gathers what is waiting into batches and keeps the order of every session.
//! * `table` runs statements on a connection of a sqlx pool.
//! * `dialect` knows how one database spells things, and does no I/O.

mod binding;
mod config;
mod dialect;
mod error;
mod operation;
mod queue;
mod store;
mod table;
mod timestamp;
