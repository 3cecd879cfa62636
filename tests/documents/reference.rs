//! The reference is generated from the program: its settings, its errors, the help of its commands.

use std::fmt::Write;
use std::fs;

use rulebook::envelope::Envelope;
use rulebook_model::definition::keys;
use rulebook_model::envelope::Iapi;
use rulebook_model::error::codes;

use super::{cell, compare_generated, root};
use crate::server_process::program;

#[test]
fn the_reference_is_generated_from_the_program() {
    let made = compare_generated("docs/reference.md", |what| match what {
        "the settings" => settings(),
        "the errors" => errors(),
        other => panic!("unknown block: {other}"),
    });
    assert_eq!(made, 2);
}

/// Returns the settings of `serve`, from its help.
fn settings() -> String {
    let folder = tempfile::tempdir().unwrap();
    // The width is large enough that no sentence is wrapped.
    let result = program(folder.path()).args(["serve", "--help"]).env("COLUMNS", "2000").output().unwrap();
    let help = String::from_utf8(result.stdout).unwrap();
    let (_, settings) = help.split_once("Settings:\n").unwrap();
    let mut table =
        "| flag | environment | `app.json` | meaning | default |\n| --- | --- | --- | --- | --- |\n".to_owned();
    let mut count = 0;
    for one in settings.split("\n\n      --") {
        let one = one.trim_start().trim_start_matches("--");
        let (flag, about) = one.split_once('\n').unwrap();
        let sentence = about.trim_start().lines().next().unwrap();
        let info = sentence.split(" [").next().unwrap().trim_end_matches('.');
        let marked = |mark: &str| {
            let (_, behind) = about.split_once(&format!("[{mark}"))?;
            Some(behind.split_once(']')?.0.trim_end_matches('='))
        };
        let (name, _) = flag.split_once(' ').unwrap();
        let key = name.replace('-', "_");
        let key = keys::APP.find(&key).map_or_else(String::new, |_| format!("`{key}`"));
        let variable = marked("env: ").unwrap_or_else(|| panic!("{name} has no variable"));
        let default = marked("default: ").unwrap_or_else(|| panic!("{name} has no default"));
        writeln!(table, "| `--{flag}` | `{variable}` | {key} | {} | {} |", cell(info), cell(default)).unwrap();
        count += 1;
    }
    assert_eq!(count, help.matches("\n      --").count(), "each of the settings has a row");
    assert!(count > 7, "there are {count} settings");
    table
}

/// Returns the errors of the engine, with the comments on them in the source.
fn errors() -> String {
    let source = fs::read_to_string(root().join("crates/rulebook-model/src/error/codes.rs")).unwrap();
    let (_, listed) = source.split_once("pub enum ErrorCode {\n").unwrap();
    let mut comments = listed.lines().map(str::trim);
    let iapi = Iapi { strict_status: false };
    let mut table = "| error | number | status | in `iapi` | when |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for row in codes::TABLE {
        let when = comments.next().unwrap().strip_prefix("/// ").unwrap();
        assert_eq!(comments.next().unwrap(), format!("{:?},", row.code), "one line about each");
        let (status, there) = (row.status, iapi.status(row.status));
        writeln!(table, "| `{}` | {} | {status} | {there} | {} |", row.name, row.number, cell(when)).unwrap();
    }
    table
}
