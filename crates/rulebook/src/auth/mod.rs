//! Authenticators that a definition chooses with the setting `auth`: the interface of their kinds, the check of their
//! settings, and the memory of credentials that a worker has verified.

mod compile;
mod kind;
mod verified;

pub(crate) use compile::{CompiledAuthKinds, compile_auth};
pub(crate) use kind::AuthStart;
pub use kind::{AuthKind, AuthSettings, CompiledAuth, ProtectedResource};
pub use verified::VerifiedCredentials;
