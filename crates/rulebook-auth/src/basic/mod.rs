//! The kind of authenticator `basic`: names and passwords (RFC 7617), whose hashes are in files.

mod all_users;
mod authenticator;
mod credentials;
mod kind;
mod password;
mod user_file;
mod watch;

pub use kind::BasicKind;
