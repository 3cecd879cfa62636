//! Kinds of authenticators that a definition can choose with the setting `auth`: [`JwtKind`] for signed tokens of an
//! issuer, [`BasicKind`] for names and passwords, and [`MtlsKind`] for the certificates of clients.
//!
//! ```
//! use rulebook::Rulebook;
//! use rulebook_auth::JwtKind;
//!
//! let definition = r#"{ "auth": { "jwt": {
//!     "issuer": "https://id.example",
//!     "audience": "notes",
//!     "jwks": "https://id.example/jwks.json",
//!     "permissions": ["user[{sub}]", "{scope}"]
//! } } }"#;
//! let methods = r#"{ "/": { "note": { "GET": { "info": "A note", "scope": [["reader"]] } } } }"#;
//! let files = vec![("app.json".into(), definition.into()), ("notes.json".into(), methods.into())];
//! assert!(Rulebook::read(files).auth_kind(JwtKind).check().is_ok());
//! ```

mod basic;
mod jwt;
mod mtls;
mod template;

pub use rulebook::Claims;

pub use basic::BasicKind;
pub use jwt::{JwtKind, LocalIssuer, LocalTokens};
pub use mtls::MtlsKind;
