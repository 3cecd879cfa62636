//! Tests of the kind of handler `sql` through calls of methods, on SQLite, PostgreSQL and MariaDB.
//!
//! The environment variables `TEST_POSTGRES` and `TEST_MARIADB` contain the URLs of databases on servers; the script
//! `tests/external/databases` sets them. Without the variables, only SQLite is tested.

#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

mod addresses;
mod changed_tables;
mod check;
mod choices;
mod claims;
mod column_types;
mod databases;
mod datetimes;
mod decimals;
mod diagnostics;
mod downloads;
mod file_diagnostics;
mod files;
mod idempotency;
mod idempotency_crashes;
mod idempotency_records;
mod interrupted;
mod invalid_values;
mod keys;
mod limits;
mod members;
mod metrics;
mod migrations;
mod page;
mod pages;
mod pool;
mod poolers;
mod raised_errors;
mod releases;
mod results;
mod several_outputs;
mod sqlite_files;
mod statement_files;
mod statements;
mod table_checks;
mod tls;
mod unused;
mod value_tables;
mod values;
mod violations;
mod waiting;
