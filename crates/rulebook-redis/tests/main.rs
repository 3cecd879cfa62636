//! Tests of limits of requests over HTTP: those of one server, and those that several servers share in Valkey or Redis.
//!
//! The environment variable `TEST_REDIS` contains the URL of a Valkey or Redis server, and `TEST_REDIS_CTL` a program
//! that kills and starts it; the script `scripts/with-redis` sets them. Without them, the tests that need a server are
//! skipped.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "redis/failures.rs"]
mod failures;
#[path = "redis/method_limits.rs"]
mod method_limits;
#[path = "redis/server.rs"]
mod server;
#[path = "redis/several_servers.rs"]
mod several_servers;
