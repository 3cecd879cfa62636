//! What `docs/definitions.md` says of defaults, types and keys is so.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rulebook::model::Limits;
use rulebook::types::Types;

#[test]
fn limits_have_the_defaults_that_are_written() {
    let Limits { head, uri, body, multipart, part, parts, fields, nesting, items, seconds } = Limits::default();
    let limits = [
        ("head", head),
        ("uri", uri),
        ("body", body),
        ("multipart", multipart),
        ("part", part),
        ("parts", parts),
        ("fields", fields),
        ("nesting", nesting),
        ("items", items),
        ("seconds", seconds),
    ];
    let written: Vec<_> =
        rows("### limits").into_iter().map(|cells| (quoted(&cells[0]).remove(0), cells[2].parse().unwrap())).collect();
    let limits: Vec<_> = limits.map(|(name, value)| (name.to_owned(), value)).into();
    assert_eq!(written, limits);
}

#[test]
fn all_types_are_written() {
    let written: BTreeSet<_> = rows("## Types").iter().flat_map(|cells| quoted(&cells[0])).collect();
    let types: BTreeSet<_> = Types::builtin().iter().map(|one| one.name().to_owned()).collect();
    assert_eq!(written, types);
}

/// The rows of the first table behind a heading, their cells without blanks around them.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let page = page();
    let (_, behind) = page.split_once(&format!("\n{heading}\n")).unwrap();
    let table: Vec<_> = behind
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect())
        .collect();
    assert!(!table.is_empty(), "{heading} has no table");
    table
}

/// The words of a cell that are written as code.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/definitions.md")).unwrap()
}
