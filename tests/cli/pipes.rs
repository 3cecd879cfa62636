//! What the program does with its streams.

use std::fs::File;
use std::process::Stdio;

use serde_json::json;

use super::{folder, run, shop};
use crate::served::program;

/// Commands that print.
const PRINTING: [&[&str]; 6] =
    [&["check"], &["check", "--print"], &["routes"], &["explain"], &["call", "article.get"], &["--help"]];

#[test]
fn a_reader_that_has_gone_is_no_fault() {
    let folder = shop();
    for arguments in PRINTING {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = program(folder.path()).args(arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), told.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_a_failure() {
    let folder = shop();
    for arguments in [&["check", "--print"][..], &["routes"], &["call", "article.get", "id=x"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = program(folder.path()).args(arguments).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {told}");
        assert!(told.starts_with("error: standard output: "), "{told}");
    }
}

#[test]
fn pipes_have_no_colours() {
    let folder = folder(&[("a.json", json!({ "/": { "a": { "GET": { "info": " " } } } }))]);
    for arguments in [&["check"][..], &["routes"], &["serve"], &["--help"], &["--unknown"]] {
        let ran = run(folder.path(), arguments);
        assert!(!ran.out.contains('\x1b') && !ran.err.contains('\x1b'), "{arguments:?}: {ran:?}");
        assert!(ran.out.len() + ran.err.len() > 40, "{arguments:?}: {ran:?}");
    }
}
