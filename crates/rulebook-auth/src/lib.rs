//! Kinds of authenticators that a definition can choose with the setting `auth`: [`JwtKind`] for signed tokens of an
//! issuer.
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
//! let rulebook = Rulebook::read(vec![("app.json".into(), definition.into())]).auth_kind(JwtKind);
//! assert!(rulebook.check().is_ok());
//! ```

mod jwt;

pub use jwt::{Claims, JwtKind};
