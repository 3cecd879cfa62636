//! The endpoints as rulebook serves them: a definition, and handlers that need not check anything.

use std::error::Error;
use std::net::SocketAddr;

/// Serves them with one worker until the process is told to stop.
pub fn serve(_bind: SocketAddr, _services: usize) -> Result<(), Box<dyn Error>> {
    Err("not served yet".into())
}
