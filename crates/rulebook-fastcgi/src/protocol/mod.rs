//! The client side of FastCGI 1.0: records, connections, and exchanges of one request and its response.

mod connection;
mod exchange;
mod pool;
mod record;
mod sender;
mod stderr_log;

pub use connection::Connection;
pub use exchange::Exchange;
pub use pool::{Lease, Pool, PoolLimits};
pub use record::{append_parameter, encode_head};
pub use sender::Sender;
pub use stderr_log::StderrLog;
