//! Tests of the kind of handler `fastcgi`, with a server that fails on purpose, and with php-fpm.

#![allow(clippy::unwrap_used)]

mod api3;
mod arguments;
mod attacks;
mod definitions;
mod failures;
mod fake_server;
mod files;
mod page;
mod phalapi;
mod php_fpm;
mod plain;
mod raw_exchange;
mod responses;
mod reuse;
mod same_responses;
mod traces;
mod undeclared;
