//! Handlers for files and caches between servers.

mod cache;
