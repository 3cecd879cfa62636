//! Tests of standard output and standard error: closed pipes, full disks, and colors.

use std::fs::File;
use std::process::Stdio;

use serde_json::json;

use super::{definition_folder, run_program, shop_folder};
use crate::server_process::program;

/// Command line arguments with which the program prints to standard output.
const PRINTING_COMMANDS: [&[&str]; 6] =
    [&["check"], &["check", "--print"], &["routes"], &["explain"], &["call", "article.get"], &["--help"]];

#[test]
fn output_to_a_closed_pipe_is_not_an_error() {
    let folder = shop_folder();
    for arguments in PRINTING_COMMANDS {
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
fn output_to_a_full_disk_is_an_error() {
    let folder = shop_folder();
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
    let folder = definition_folder(&[("a.json", json!({ "/": { "a": { "GET": { "info": " " } } } }))]);
    for arguments in [&["check"][..], &["routes"], &["serve"], &["--help"], &["--unknown"]] {
        let result = run_program(folder.path(), arguments);
        assert!(!result.stdout.contains('\x1b') && !result.stderr.contains('\x1b'), "{arguments:?}: {result:?}");
        assert!(result.stdout.len() + result.stderr.len() > 40, "{arguments:?}: {result:?}");
    }
}
