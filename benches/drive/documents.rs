//! Copies the documents that rulebook renders, so that the hand-written server can serve the same documents.

use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use ureq::Agent;
use ureq::http::Request;

use crate::hand::DOCUMENTS;

/// Downloads the documents from a rulebook server, and writes them to files in a folder.
pub fn download_documents(address: SocketAddr, folder: &Path) -> Result<(), Box<dyn Error>> {
    let agent = Agent::new_with_defaults();
    for (method, path, file) in DOCUMENTS {
        let request = Request::builder().method(method).uri(format!("http://{address}{path}")).body(())?;
        fs::write(folder.join(file), agent.run(request)?.body_mut().read_to_vec()?)?;
    }
    Ok(())
}
