//! The trait that a program implements to add a kind of authenticator, [`AuthKind`], and the types in the signatures of
//! this trait. A definition chooses authenticators of such a kind with the setting `auth`. [`handler_kind`] has the
//! functions that read the values of settings, and the type of their errors.
//!
//! [`handler_kind`]: crate::handler_kind

pub use rulebook_model::model::DefinedAuth;

pub use crate::auth::{AuthKind, AuthSettings, CompiledAuth, ProtectedResource, VerifiedCredentials};
