//! Tests that the pictures on the page about the architecture agree with the code: one shows the stages of a request in
//! their order, the other shows the dependencies between the crates. The tables of crates are complete.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use regex::Regex;

use super::names_in_code::section;
use super::repository_folder;

/// The functions that `handle` calls besides the stages of a request.
const NO_STAGES: [&str; 6] = ["catch_panic_async", "connection_of", "drop", "fn", "leads_to_service", "yield_now"];

/// Returns the picture (the Mermaid block) below a heading of the page about the architecture, without its first line.
fn picture(heading: &str) -> String {
    let page = fs::read_to_string(repository_folder().join("docs/architecture.md")).unwrap();
    let (_, picture) = section(&page, heading).split_once("```mermaid\n").unwrap();
    let (picture, _) = picture.split_once("```").unwrap();
    picture.split_once('\n').unwrap().1.to_owned()
}

/// Returns the first group of every match of a pattern, in the order of the text. Repeated words are omitted.
fn matched_words(text: &str, pattern: &str) -> Vec<String> {
    let mut words = Vec::new();
    for captures in Regex::new(pattern).unwrap().captures_iter(text) {
        let word = captures[1].to_owned();
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

#[test]
fn the_picture_of_a_request_shows_the_functions_that_handle_calls_in_their_order() {
    let read = |file| fs::read_to_string(repository_folder().join("crates/rulebook/src/server").join(file)).unwrap();
    let code = read("handle.rs");
    let function = |beginning: &str| {
        let (_, body) = code.split_once(beginning).unwrap();
        body.split_once("\n}\n").unwrap().0
    };
    // What a function of this file calls is read at the place where it is called.
    let rare = function("fn find_method_or_respond<");
    let stages = function("fn run_stages(").replace("find_method_or_respond(", &format!("{rare}("));
    let body = function("fn handle(").replace("run_stages(", &format!("{stages}("));
    // The services of the `App` call the first stage before `handle`.
    assert!(read("routed_request.rs").contains(" route(&"), "the call of `route` is not found");
    let body = format!("route({body}");
    // The names of functions begin with a lowercase letter. No `.` or `:` is before the name, as it is in the call of a
    // method or of a function of a type.
    let mut called = matched_words(&body, r"(?:^|[^.:\w])([a-z]\w*)\(");
    called.retain(|function| !NO_STAGES.contains(&function.as_str()));
    assert!(called.len() > 15, "the calls are not found: {called:?}");
    let labels = Regex::new(r"\|[^|]*\|").unwrap();
    let picture = picture("## How a request is handled");
    assert_eq!(matched_words(&labels.replace_all(&picture, ""), r"(\w+)"), called);
}

/// Returns the crates of this workspace on which a crate depends, except for those that only its tests need.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut is_in_dependencies = false;
    let mut names = BTreeSet::new();
    for line in manifest.lines() {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            is_in_dependencies =
                ["dependencies", "build-dependencies"].contains(&header) || header.ends_with(".dependencies");
        } else if is_in_dependencies && line.starts_with("rulebook") {
            let end = line.find([' ', '.', '=']).unwrap();
            names.insert(line[..end].to_owned());
        }
    }
    names
}

#[test]
fn the_picture_of_the_crates_shows_their_dependencies() {
    let mut manifests = vec![repository_folder().join("Cargo.toml")];
    let folders = fs::read_dir(repository_folder().join("crates")).unwrap();
    manifests.extend(folders.map(|folder| folder.unwrap().path().join("Cargo.toml")));
    let mut expected = BTreeSet::new();
    for manifest in manifests {
        let manifest = fs::read_to_string(manifest).unwrap();
        // The table of the dependencies of the whole workspace is no dependency of a crate.
        let (_, package) = manifest.split_once("[package]\n").unwrap();
        let name = matched_words(package, r#"(?m)^name = "(.*)"$"#).swap_remove(0);
        expected.extend(dependencies(package).into_iter().map(|dependency| (name.clone(), dependency)));
    }
    let picture = picture("## Crates");
    // A node of the picture has the form `id["name"]` at its first use, if its name differs from its id.
    let node = Regex::new(r#"(\w+)\["([\w-]+)[^"]*"\]"#).unwrap();
    let names: BTreeMap<_, _> =
        node.captures_iter(&picture).map(|captures| (captures[1].to_owned(), captures[2].to_owned())).collect();
    let name = |id: &str| names.get(id).cloned().unwrap_or_else(|| id.to_owned());
    let short = node.replace_all(&picture, "$1");
    let arrows: BTreeSet<_> = short
        .lines()
        .map(|line| line.trim().split_once(" --> ").unwrap())
        .map(|(from, to)| (name(from), name(to)))
        .collect();
    assert_eq!(arrows, expected);
}

#[test]
fn the_tables_of_crates_list_every_crate() {
    let folders = fs::read_dir(repository_folder().join("crates")).unwrap();
    let crates: BTreeSet<_> = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    for (page, heading, folder) in
        [("docs/architecture.md", "## Crates", ""), ("CONTRIBUTING.md", "## Where things are", "crates/")]
    {
        let text = fs::read_to_string(repository_folder().join(page)).unwrap();
        let listed = matched_words(section(&text, heading), &format!(r"(?m)^\| `{folder}(rulebook[\w-]*)` \|"));
        assert_eq!(BTreeSet::from_iter(listed), crates, "{page}");
    }
}
