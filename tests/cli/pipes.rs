//! Standard output and standard error of the program.

use std::fs::File;
use std::process::Stdio;

use serde_json::json;

use super::{folder, run, shop};
use crate::server_process::program;

/// Commands that print to standard output.
const PRINTING: [&[&str]; 6] =
    [&["check"], &["check", "--print"], &["routes"], &["explain"], &["call", "article.get"], &["--help"]];

#[test]
fn a_closed_pipe_is_not_an_error() {
    let folder = shop();
    for arguments in PRINTING {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = program(folder.path()).args(arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let folder = shop();
    for arguments in [&["check", "--print"][..], &["routes"], &["call", "article.get", "id=x"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = program(folder.path()).args(arguments).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {stderr}");
        assert!(stderr.starts_with("error: standard output: "), "{stderr}");
    }
}

#[test]
fn output_to_pipes_has_no_colors() {
    let folder = folder(&[("a.json", json!({ "/": { "a": { "GET": { "info": " " } } } }))]);
    for arguments in [&["check"][..], &["routes"], &["serve"], &["--help"], &["--unknown"]] {
        let result = run(folder.path(), arguments);
        assert!(!result.out.contains('\x1b') && !result.err.contains('\x1b'), "{arguments:?}: {result:?}");
        assert!(result.out.len() + result.err.len() > 40, "{arguments:?}: {result:?}");
    }
}
