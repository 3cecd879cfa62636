//! The kind of authenticator `jwt`: signed tokens (JSON Web Tokens, RFC 7519) of an issuer that publishes its keys as a
//! JSON Web Key Set (RFC 7517).
//!
//! The signatures are verified by the crate `ring`. The crate `jsonwebtoken` is not used: its implementation of the
//! algorithms would be a second one besides that of TLS, and it accepts repeated claims.

mod authenticator;
mod fetch;
mod jwk;
mod key_source;
mod kind;
mod local;
mod settings;
mod verify;

pub use kind::JwtKind;
pub use local::{LocalIssuer, LocalTokens};
