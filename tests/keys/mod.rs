//! Bearer keys: the key file, how keys are created and revoked, and the identities of requests with keys.

mod authentication;
mod changes;
mod cost;
mod files;
mod invalid_files;
mod limits;
mod stored;

use std::path::Path;

use http::{HeaderValue, Method, Uri, header};
use rulebook::key::Keys;
use rulebook::{Authenticate, Authentication, Head};

use crate::cli::RunResult;
use crate::handlers::block_on;
use crate::server_process::program;

/// Creates a key with the program, in `folder`.
pub fn add(folder: &Path, arguments: &[&str]) -> String {
    let result = keys(folder, &[&["add"], arguments].concat());
    assert_eq!((result.code, result.err.as_str()), (Some(0), ""), "{arguments:?}");
    result.out.strip_suffix('\n').unwrap().to_owned()
}

/// Runs one of the commands for keys, in `folder`.
fn keys(folder: &Path, arguments: &[&str]) -> RunResult {
    program(folder).arg("keys").args(arguments).args(["--data", "data"]).output().unwrap().into()
}

/// The id of a key.
fn id(key: &str) -> &str {
    key.split('_').nth(1).unwrap()
}

/// The secret of a key and its checksum.
fn secret(key: &str) -> (&str, &str) {
    key.split('_').nth(2).unwrap().split_at(54)
}

/// The result for a request with these `Authorization` fields.
fn authenticate(keys: &Keys, fields: &[&[u8]]) -> Authentication {
    let mut head = Head::new(Method::GET, Uri::from_static("/"));
    let fields = fields.iter().map(|field| (header::AUTHORIZATION, HeaderValue::from_bytes(field).unwrap()));
    head.headers.extend(fields);
    block_on(keys.authenticate(&head))
}

/// The name and the permissions of the identity for a request with this key, or why it is invalid.
fn check(keys: &Keys, key: &str) -> Result<(String, Vec<String>), String> {
    match authenticate(keys, &[format!("Bearer {key}").as_bytes()]) {
        Authentication::Identity(identity) => {
            Ok((identity.name().to_owned(), identity.permissions().map(str::to_owned).collect()))
        }
        Authentication::Invalid(why) => Err(why),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_debug_output_of_a_head_omits_credentials() {
    let mut head = Head::new(http::Method::GET, http::Uri::from_static("/a"));
    for name in ["authorization", "proxy-authorization", "cookie", "x-api-key", "accept"] {
        let value = http::HeaderValue::from_str(&format!("value of {name}")).unwrap();
        head.headers.push((http::HeaderName::from_static(name), value));
    }
    let printed = format!("{head:?}");
    assert_eq!(printed.matches("value of ").count(), 1, "{printed}");
    assert!(printed.contains("value of accept") && printed.contains("proxy-authorization"), "{printed}");
}
