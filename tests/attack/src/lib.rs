//! A client that attacks a server of the example API on this machine, and measures what each attack costs the server.
//!
//! A [row](rows::Row) is one kind of attack. The program starts the server as a separate process, attacks it with the
//! rows, and prints tables with a verdict for each row. It sends malformed requests on purpose, so it writes the bytes
//! of HTTP/1 itself. It connects to loopback addresses only.

pub mod client;
pub mod health;
pub mod measure;
pub mod random;
pub mod report;
pub mod response;
pub mod rows;
pub mod run;
pub mod server;

/// The error of an operation of this program. An attack that the server resists is not an error.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The result of an operation of this program. It fails if the attack or its measurement is not possible.
pub type Result<T> = std::result::Result<T, Error>;
