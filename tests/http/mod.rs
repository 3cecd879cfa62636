//! Tests requests and responses over a socket, with a Rust module for each behaviour.
//!
//! These Rust modules test the steps of handling a request: `routing`, `decoding`, `extraction`, `array_fields`,
//! `php_arrays`, `part_names`, `presence`, `permission`, `envelopes`, `custom_envelopes`, `formats`, `phalapi`,
//! `jsonp`, `recorded`, `random`. These Rust modules test the server: `responses`, `connections`, `limits`,
//! `request_limits`, `uploads`, `file_bodies`, `receiving`, `expect`, `mounted`, `listening`,
//! `client_shares`. `body_pieces` and `fuzz` contain fuzz targets.

mod array_fields;
mod body_pieces;
mod client_shares;
mod connection_limits;
mod connections;
mod custom_envelopes;
mod decoding;
mod envelopes;
mod expect;
mod extraction;
mod file_bodies;
mod formats;
mod fuzz;
mod jsonp;
mod limits;
mod listening;
mod mounted;
mod part_names;
mod permission;
mod phalapi;
mod php_arrays;
mod presence;
pub mod random;
mod receiving;
pub mod recorded;
mod request_limits;
mod responses;
mod routing;
mod short_uploads;
mod targets;
mod upload_properties;
mod uploads;

use rulebook::Module;
use serde_json::{Value, json};

use crate::client::{self, Connection, Request, TestServer};

/// Returns the definition of the API with which the server is tested.
fn echo_definition() -> Value {
    json!({
        "GET": { "info": "Nothing" },
        "/": {
            "echo": {
                "GET": { "info": "A word in the query", "in": { "GET@word": { "info": "A word", "type": "?string", "name": "word" } } },
                "POST": { "info": "Some text", "in": { "text": { "info": "Text", "type": "string" } } }
            },
            "optional": { "POST": { "info": "Perhaps text", "in": { "text": { "info": "Text", "type": "?string" } } } },
            "locked": { "POST": {
                "info": "For writers", "scope": [["writer"]],
                "in": { "text": { "info": "Text", "type": "string" } }
            } },
            "file": { "POST": {
                "info": "A file with a note", "in": {
                    "file": { "info": "A file", "type": "?file" },
                    "note": { "info": "A note", "type": "?string" }
                }
            } },
            "files": { "POST": { "info": "Files", "in": { "files": { "info": "Files", "type": "array<file>" } } } },
            "vault": { "PUT": {
                "info": "A file for writers", "scope": [["writer"]],
                "in": { "file": { "info": "A file", "type": "file" } }
            } }
        }
    })
}

/// Starts a server of the API that [`echo_definition`] defines, with these limits. Every method echoes its arguments.
fn echo_server(limits: &Value) -> TestServer {
    TestServer::echo(&[("app.json", json!({ "limits": limits })), ("site.json", echo_definition())])
}

/// Starts the same server, in which one client address can use as much as all clients together.
fn echo_server_without_shares(limits: &Value) -> TestServer {
    let files = [("app.json", json!({ "limits": limits, "unbound": "echo" })), ("site.json", echo_definition())];
    let engine = client::engine(&files, |engine| engine);
    TestServer::with_settings(&engine, |settings| settings.with_address_connections(0))
}

/// Starts a server for a definition whose methods are bound to the handlers of `module`.
fn server_with_handlers(definition: &Value, module: Module) -> TestServer {
    TestServer::handlers(&[("site.json", definition.clone())], module)
}

impl Connection {
    /// Asserts that the server responds to another request on this connection.
    #[track_caller]
    fn assert_usable(&mut self) {
        let response = self.send(&Request::new("GET", "/echo?word=again"));
        assert_eq!(response.json()["args"]["word"], "again", "{response:?}");
    }
}
