//! Tests of bearer keys (API keys): the key file, the commands that create and revoke keys, and the authentication of
//! requests by keys.

mod authentication;
mod callers;
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

/// Creates a key with the command `keys add`, and returns the key. The data folder is `data` in `folder`.
pub fn add_key(folder: &Path, arguments: &[&str]) -> String {
    // In most tests, no method requires the permissions of the key.
    let result = run_keys_command(folder, &[&["add", "--force"], arguments].concat());
    assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    result.stdout.strip_suffix('\n').unwrap().to_owned()
}

/// Runs `rulebook keys` with these arguments. The data folder is `data` in `folder`.
fn run_keys_command(folder: &Path, arguments: &[&str]) -> RunResult {
    program(folder).arg("keys").args(arguments).args(["--data", "data"]).output().unwrap().into()
}

/// Returns the id of a key, which is the part between its two underscores.
fn key_id(key: &str) -> &str {
    key.split('_').nth(1).unwrap()
}

/// Returns the secret of a key, and the checksum after the secret.
fn key_secret(key: &str) -> (&str, &str) {
    key.split('_').nth(2).unwrap().split_at(54)
}

/// Authenticates a request that has these `Authorization` fields, and returns the result.
fn authenticate(keys: &Keys, fields: &[&[u8]]) -> Authentication {
    let mut head = Head::new(Method::GET, Uri::from_static("/"));
    let fields = fields.iter().map(|field| (header::AUTHORIZATION, HeaderValue::from_bytes(field).unwrap()));
    head.headers.extend(fields);
    block_on(keys.authenticate(&head))
}

/// Authenticates a request with this key. Returns the name and the permissions of its identity, or the reason why the
/// key is not accepted.
fn authenticate_key(keys: &Keys, key: &str) -> Result<(String, Vec<String>), String> {
    match authenticate(keys, &[format!("Bearer {key}").as_bytes()]) {
        Authentication::Identity(identity) => {
            Ok((identity.name().to_owned(), identity.permissions().map(str::to_owned).collect()))
        }
        Authentication::Invalid(why) | Authentication::Unavailable(why) => Err(why),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_debug_output_of_a_head_omits_credentials() {
    let mut head = Head::new(http::Method::GET, http::Uri::from_static("/a?token=hidden"));
    for name in ["authorization", "proxy-authorization", "cookie", "x-api-key", "accept"] {
        let value = http::HeaderValue::from_str(&format!("value of {name}")).unwrap();
        head.headers.push((http::HeaderName::from_static(name), value));
    }
    let printed = format!("{head:?}");
    assert_eq!(printed.matches("value of ").count(), 1, "{printed}");
    assert!(!printed.contains("hidden"), "{printed}");
    assert!(printed.contains("value of accept") && printed.contains("proxy-authorization"), "{printed}");
}
