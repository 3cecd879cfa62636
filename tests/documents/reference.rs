//! Tests that the page docs/reference.md lists the settings and the errors of the program.

use std::fmt::Write;
use std::fs;

use rulebook::envelope::Envelope;
use rulebook_model::connection_limits::{CONNECTION_LIMITS, ConnectionLimit};
use rulebook_model::definition::keys;
use rulebook_model::envelope::Iapi;
use rulebook_model::error::codes;

use super::{compare_generated, escape_cell, repository_folder};
use crate::server_process::program;

#[test]
fn the_reference_is_generated_from_the_program() {
    let made = compare_generated("docs/reference.md", |what| match what {
        "the settings" => settings_table(),
        "the errors" => errors_table(),
        "the limits of connections" => connection_limits_table(),
        other => panic!("unknown block: {other}"),
    });
    assert_eq!(made, 3);
}

/// Returns a table of the settings, which is generated from the help of the command `serve`.
fn settings_table() -> String {
    let folder = tempfile::tempdir().unwrap();
    // The output is so wide that no sentence is wrapped.
    let result = program(folder.path()).args(["serve", "--help"]).env("COLUMNS", "2000").output().unwrap();
    let help = String::from_utf8(result.stdout).unwrap();
    let (_, settings) = help.split_once("Settings:\n").unwrap();
    let mut table =
        "| flag | environment | `app.json` | meaning | default |\n| --- | --- | --- | --- | --- |\n".to_owned();
    let mut count = 0;
    let mut without_key = Vec::new();
    for one in settings.split("\n\n      --") {
        let one = one.trim_start().trim_start_matches("--");
        let (flag, about) = one.split_once('\n').unwrap();
        let sentence = about.trim_start().lines().next().unwrap();
        let info = sentence.split(" [").next().unwrap().trim_end_matches('.');
        let marked = |mark: &str| {
            let (_, behind) = about.split_once(&format!("[{mark}"))?;
            Some(behind.split_once(']')?.0.trim_end_matches('='))
        };
        let name = flag.split([' ', '[']).next().unwrap();
        let key = name.replace('-', "_");
        let key = keys::APP.find(&key).map_or_else(String::new, |_| format!("`{key}`"));
        if key.is_empty() {
            without_key.push(format!("--{name}"));
        }
        let variable = marked("env: ").unwrap_or_else(|| panic!("{name} has no variable"));
        let default = marked("default: ").unwrap_or_else(|| panic!("{name} has no default"));
        writeln!(table, "| `--{flag}` | `{variable}` | {key} | {} | {} |", escape_cell(info), escape_cell(default))
            .unwrap();
        count += 1;
    }
    assert_eq!(count, settings.matches("\n      --").count() + 1, "each of the settings has a row");
    assert!(count > 7, "there are {count} settings");
    let last = without_key.pop().unwrap();
    let sentence = format!(" {} and {last} have no key in app.json.", without_key.join(", "));
    let result = program(folder.path()).arg("--help").env("COLUMNS", "2000").output().unwrap();
    assert!(String::from_utf8(result.stdout).unwrap().contains(&sentence), "the help does not contain{sentence}");
    table
}

/// Returns a table of the limits that hold for every connection.
fn connection_limits_table() -> String {
    let mut table = "| limit | value | what it restricts | if it is exceeded |\n| --- | --- | --- | --- |\n".to_owned();
    for ConnectionLimit { name, value, unit, description, effect, .. } in CONNECTION_LIMITS {
        let value = value.map_or_else(|| "depends on the system".to_owned(), |value| format!("{value} {unit}"));
        writeln!(table, "| `{name}` | {value} | {} | {} |", escape_cell(description), escape_cell(effect)).unwrap();
    }
    table
}

/// Returns a table of the error codes. The descriptions are the doc comments of `ErrorCode` in the source code.
fn errors_table() -> String {
    let source = fs::read_to_string(repository_folder().join("crates/rulebook-model/src/error/codes.rs")).unwrap();
    let (_, listed) = source.split_once("pub enum ErrorCode {\n").unwrap();
    let mut comments = listed.lines().map(str::trim);
    let iapi = Iapi { strict_status: false };
    let mut table = "| error | number | status | in `iapi` | when |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for row in codes::ERROR_CODES {
        let when = comments.next().unwrap().strip_prefix("/// ").unwrap();
        assert_eq!(comments.next().unwrap(), format!("{:?},", row.code), "one line about each");
        let (status, there) = (row.status, iapi.status(row.status));
        writeln!(table, "| `{}` | {} | {status} | {there} | {} |", row.name, row.aicra_number, escape_cell(when))
            .unwrap();
    }
    table
}
