//! The kind of authenticator `basic`: names and passwords (RFC 7617), whose hashes are in a file.

mod authenticator;
mod credentials;
mod kind;
mod password;
mod user_file;

pub use kind::BasicKind;
