//! Counts the requests of limits that several servers share, in Valkey or Redis.
//!
//! [`RedisCounter`] implements [`SharedCounter`](rulebook::SharedCounter). A server claims several requests of a limit
//! at once, with one call of a Lua script, which Valkey runs atomically. The script uses the clock of Valkey, so that
//! the clocks of the servers need not agree.
//!
//! Valkey 7 or later and Redis 6 or later are supported. The counter needs the commands `EVALSHA`, `SCRIPT LOAD`,
//! `GET`,
//! `SET`, `TIME` and `PING`. Each key belongs to one limit and one caller, contains one number, and expires soon after
//! the end of the period.

mod counter;

pub use counter::{RedisCounter, RedisCounterError};
