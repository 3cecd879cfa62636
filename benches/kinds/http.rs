//! The kind of handler `http`: passes requests on to another HTTP server.

use std::error::Error;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::json;

use super::{FileSize, LargeDownload, OtherServers, id_parameter, upstream, write_definition};
use crate::cases::Comparison;
use crate::drive::{LOAD_CORE, Process, Server, ServerKind, free_address};

/// The download of a large file of the other server.
pub const LARGE_FILE: LargeDownload = LargeDownload {
    comparison: Comparison::HttpByHand,
    target: upstream::FILE_PATH,
    title: "`http`: a download of 1 GiB",
    size: FileSize::Bytes(upstream::FILE_SIZE),
};

/// Compares requests to another server with the hand-written server.
pub fn start_by_hand(folder: &Path) -> Result<OtherServers, Box<dyn Error>> {
    let (process, address) = start_upstream(folder)?;
    let compared = Server::start(ServerKind::Hand, &["--upstream", &address.to_string()].map(OsString::from))?;
    Ok(OtherServers { compared, shared: Some(process) })
}

/// Compares requests to another server with nginx.
pub fn start_nginx(folder: &Path) -> Result<OtherServers, Box<dyn Error>> {
    let (process, upstream) = start_upstream(folder)?;
    let upstreams = format!("upstream quotes {{ server {upstream}; keepalive 128; keepalive_requests 100000000; }}");
    let locations = "location /quote/ { proxy_pass http://quotes; proxy_http_version 1.1; \
                     proxy_set_header Connection \"\"; }";
    let compared = Server::start_nginx(folder, &upstreams, locations)?;
    Ok(OtherServers { compared, shared: Some(process) })
}

/// Starts the other server on the core of the load, and writes the definition with its address.
fn start_upstream(folder: &Path) -> Result<(Process, SocketAddr), Box<dyn Error>> {
    let address = free_address()?;
    let process = Process::start_upstream(LOAD_CORE, address)?;
    let text = |info: &str| json!({ "info": info, "type": "string" });
    let services = json!({
        "quote/{quote_id}": { "GET": {
            "info": "Returns a quote",
            "in": {
                "{quote_id}": id_parameter("The number of the quote"),
                "GET@lang": { "info": "The language", "type": "string(2,5)", "name": "lang" },
            },
            "out": {
                "quote_id": id_parameter("The number of the quote"),
                "lang": { "info": "The language", "type": "string(2,5)" },
                "text": text("The text"),
                "author": text("The name of the author"),
            },
            "errors": { "no_quote": { "status": 404, "info": "there is no such quote" } },
            "handler": { "http": "/quote/{quote_id}", "errors": { "404": "no_quote" } },
        } },
        (&upstream::FILE_PATH[1..]): { "GET": {
            "info": "Downloads a large file",
            "options": { "download": true },
            "handler": { "http": upstream::FILE_PATH },
        } },
    });
    write_definition(folder, &json!({ "http": { "base": format!("http://{address}") } }), &services)?;
    Ok((process, address))
}
