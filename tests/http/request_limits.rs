//! Tests limits of the number of requests at a server with several workers.

use serde_json::json;

use crate::cli::definition_folder;
use crate::client::{Connection, Request};
use crate::server_process::{ServerProcess, free_address};

#[test]
fn a_request_that_one_limit_refuses_takes_nothing_from_another_limit_at_any_worker() {
    let limits = json!([
        { "requests": 1, "per": "day", "by": "address" },
        { "requests": 10, "per": "day", "by": "all" }
    ]);
    let module = json!({ "GET": { "info": "Shops", "options": { "rate_limit": limits } } });
    let folder = definition_folder(&[("app.json", json!({ "unbound": "echo" })), ("shop.json", module)]);
    let address = free_address();
    let arguments = ["serve", "--workers", "4", "--trusted-proxies", "127.0.0.1"];
    let _process = ServerProcess::start(folder.path(), &address, &arguments);
    // More connections than workers, so that each worker has some.
    let mut connections: Vec<_> = (0..16).map(|_| Connection::open(address.parse().unwrap())).collect();
    let mut status = |connection: usize, client: usize| {
        let request = Request::new("GET", "/").field("x-forwarded-for", format!("192.0.2.{client}"));
        connections[connection].send(&request).status
    };
    for client in 1..=6 {
        assert_eq!(status(0, client), 200);
    }
    for connection in 0..16 {
        assert_eq!(status(connection, 1), 429, "the client has used its only request");
    }
    for client in 7..=10 {
        assert_eq!(status(0, client), 200, "the refused requests count for no limit");
    }
    for connection in 0..16 {
        assert_eq!(status(connection, 11), 429, "all requests are used");
    }
}
