//! The documents that rulebook makes, for the server written by hand to send too.

use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use ureq::Agent;
use ureq::http::Request;

use crate::hand::DOCUMENTS;

/// Asks the server at this address for its documents, and writes them into a folder.
pub fn fetch(address: SocketAddr, folder: &Path) -> Result<(), Box<dyn Error>> {
    let agent = Agent::new_with_defaults();
    for (method, path, file) in DOCUMENTS {
        let request = Request::builder().method(method).uri(format!("http://{address}{path}")).body(())?;
        fs::write(folder.join(file), agent.run(request)?.body_mut().read_to_vec()?)?;
    }
    Ok(())
}
