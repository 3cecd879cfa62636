//! Bearer keys: the file that keeps them, how they are made and revoked, and whom a request's key stands for.

mod changes;
mod cost;
mod faulty;
mod files;
mod kept;
mod limits;
mod looked_up;

use std::path::Path;

use http::{HeaderValue, Method, Uri, header};
use rulebook::{Head, Identity, Inspect, Inspection, Keys};

use crate::cli::Ran;
use crate::handlers::wait;
use crate::served::program;

/// Makes a key with the program, in `folder`.
pub fn add(folder: &Path, arguments: &[&str]) -> String {
    let ran = keys(folder, &[&["add"], arguments].concat());
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{arguments:?}");
    ran.out.strip_suffix('\n').unwrap().to_owned()
}

/// Runs one of the commands for keys, in `folder`.
fn keys(folder: &Path, arguments: &[&str]) -> Ran {
    program(folder).arg("keys").args(arguments).args(["--data", "data"]).output().unwrap().into()
}

/// The id of a key.
fn id(key: &str) -> &str {
    key.split('_').nth(1).unwrap()
}

/// The secret of a key, and its checksum.
fn secret(key: &str) -> (&str, &str) {
    key.split('_').nth(2).unwrap().split_at(54)
}

/// What is said of a request with these `Authorization` fields.
fn inspect(keys: &Keys, fields: &[&[u8]]) -> Inspection {
    let mut head = Head::new(Method::GET, Uri::from_static("/"));
    let fields = fields.iter().map(|field| (header::AUTHORIZATION, HeaderValue::from_bytes(field).unwrap()));
    head.headers.extend(fields);
    wait(keys.inspect(&head))
}

/// What is said of a key.
fn judge(keys: &Keys, key: &str) -> Result<Identity, String> {
    match inspect(keys, &[format!("Bearer {key}").as_bytes()]) {
        Inspection::Identity(identity) => Ok(identity),
        Inspection::Invalid(why) => Err(why),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_head_that_is_printed_shows_no_credential() {
    let mut head = Head::new(http::Method::GET, http::Uri::from_static("/a"));
    for name in ["authorization", "proxy-authorization", "cookie", "accept"] {
        let value = http::HeaderValue::from_str(&format!("value of {name}")).unwrap();
        head.headers.push((http::HeaderName::from_static(name), value));
    }
    let printed = format!("{head:?}");
    assert_eq!(printed.matches("value of ").count(), 1, "{printed}");
    assert!(printed.contains("value of accept") && printed.contains("proxy-authorization"), "{printed}");
}
