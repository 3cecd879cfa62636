//! Tests that requests for pages leave their connection usable.

use super::{folder_with_static_files, server_with_files};
use crate::client::Request;

#[test]
fn a_request_for_a_page_with_a_body_leaves_the_connection_usable() {
    let folder = folder_with_static_files();
    let server = server_with_files(&folder.path().join("static"));
    let mut connection = server.connect();
    for path in ["/data.bin", "/docs/swagger/", "/nowhere"] {
        let first = connection.send(&Request::new("GET", path).chunked("text/plain", &[b"some", b"body"]));
        assert!(matches!(first.status, 200 | 404), "{path}");
    }
    assert_eq!(connection.send(&Request::new("GET", "/data.bin")).body, b"0123456789");
}
