//! The kind of handler `sql`: a definition contains SQL statements, which handle the calls of its methods on SQLite,
//! PostgreSQL, MySQL or MariaDB.
//!
//! ```
//! use rulebook::Rulebook;
//! use rulebook_sql::SqlKind;
//!
//! let definition = r#"{ "/": { "sum": { "GET": {
//!     "info": "Adds two numbers",
//!     "in": {
//!         "GET@a": { "info": "A number", "type": "int(0,100)" },
//!         "GET@b": { "info": "Another number", "type": "int(0,100)" }
//!     },
//!     "out": { "sum": { "info": "The sum", "type": "int" } },
//!     "handler": { "sql": "select :a + :b as sum" }
//! } } } }"#;
//! let rulebook = Rulebook::read(vec![("sum.json".into(), definition.into())]).handler_kind(SqlKind::new());
//! # let folder = std::env::temp_dir().join(format!("rulebook-sql-doc-{}", std::process::id()));
//! # let rulebook = rulebook.data_folder(&folder);
//! let engine = rulebook.build().unwrap();
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! # let response = runtime.block_on(engine.call("sum.get").arg("a", 2).arg("b", 3).send());
//! # assert_eq!(response.get("sum"), Some(&5.into()));
//! # drop(engine);
//! # let _ = std::fs::remove_dir_all(folder);
//! ```
//!
//! A value of a request is always bound as a parameter of a prepared statement. The text of a statement comes from the
//! definition only. The page `docs/sql.md` describes all settings.
//!
//! [`SqlKeys`] stores API keys in PostgreSQL, MySQL or MariaDB, so that several servers share them.
//! [`SqlIdempotency`] stores the responses for idempotency keys in these databases or in SQLite.

mod call;
mod choice;
mod column;
mod database;
mod errors;
mod handler_settings;
mod idempotency;
mod keys;
mod kind;
mod migrations;
mod names;
mod page;
mod release;
mod result_shape;
mod rules;
mod running;
mod settings;
mod statement;
mod storage;
mod tokens;
mod value;

pub use idempotency::SqlIdempotency;
pub use keys::SqlKeys;
pub use kind::SqlKind;
pub use migrations::{databases_outside_data_folder, end_interrupted_migration, migrate, migration_status};
