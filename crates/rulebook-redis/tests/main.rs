//! Tests of limits of requests over HTTP: those of one server, and those that several servers share in Valkey or Redis.
//!
//! The environment variable `TEST_REDIS_SERVER` contains the program of a Valkey or Redis server, which the tests start;
//! the script `scripts/with-redis` sets it. Without the variable, the tests that need a server are skipped.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "redis/failures.rs"]
mod failures;
#[path = "redis/method_limits.rs"]
mod method_limits;
#[path = "redis/server.rs"]
mod server;
#[path = "redis/several_servers.rs"]
mod several_servers;
