//! The kind of handler `http`: methods whose calls another HTTP server handles, the upstream.
//!
//! The handler sends the checked arguments of a call to the address in the definition, and returns the JSON or the file
//! with which the upstream responds. With `raw`, it sends the request and the response on as they are.
//!
//! ```
//! use rulebook::Rulebook;
//! use rulebook_http::HttpKind;
//!
//! let definition = r#"{ "/": { "note/{id}": { "GET": {
//!     "info": "A note",
//!     "in": { "{id}": { "info": "The id of the note", "type": "id" } },
//!     "out": { "text": { "info": "The text of the note", "type": "string" } },
//!     "handler": { "http": "http://127.0.0.1:9000/notes/{id}", "timeout": 5 }
//! } } } }"#;
//! let rulebook = Rulebook::read(vec![("note.json".into(), definition.into())]);
//! let engine = rulebook.handler_kind(HttpKind::new()).build().unwrap();
//! # assert_eq!(engine.api().modules.len(), 1);
//! ```
//!
//! The address is part of the definition: arguments fill segments of its path and values of its query, and nothing
//! else. Each thread that serves requests has a pool of connections to each upstream.

mod address;
mod exchange;
mod fields;
mod handler;
mod kind;
mod raw;
mod upstream;

pub use kind::HttpKind;
