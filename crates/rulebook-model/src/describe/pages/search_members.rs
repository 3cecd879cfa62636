//! The parameters, outputs and errors of methods that a search finds.

use super::Pages;
use super::document::{Inline, ListItem};
use super::fields::{fragment, output_name};
use super::links::{LinkTarget, method_page_path};
use super::parse_markdown::parse_line;
use super::phrases::{first_line, location_name};
use crate::model::OutputPlace;

/// The maximum number of methods whose entries are searched, which limits the time of a search.
const MAX_SEARCHED_METHODS: usize = 1_000;

/// A parameter, an output or an error of a method that contains all words of a query.
#[derive(Debug)]
pub(super) struct FoundMember<'a> {
    /// The index of the method.
    method: usize,
    /// The URL fragment of the entry on the page of the method.
    fragment: String,
    name: &'a str,
    /// What the entry is, such as `path` for a parameter in the path.
    kind: &'static str,
    info: &'a str,
}

/// Returns the entries of these methods that contain all words of a query, which are in lower case: first those whose
/// name is a word, then those whose name contains a word. Of equal entries of several methods, only the first is
/// returned.
pub(super) fn find_members<'a>(
    pages: &'a Pages,
    methods: &[(u32, usize)],
    queries: &[Vec<String>],
    limit: usize,
) -> Vec<FoundMember<'a>> {
    let mut found: Vec<(u8, FoundMember<'_>)> = Vec::new();
    for (_, index) in methods.iter().take(MAX_SEARCHED_METHODS) {
        for member in members_of(pages, *index) {
            let (name, info) = (member.name.to_lowercase(), member.info.to_lowercase());
            let is_found = |words: &&Vec<String>| words.iter().all(|word| name.contains(word) || info.contains(word));
            let Some(words) = queries.iter().find(is_found) else { continue };
            let rank = match () {
                () if words.contains(&name) => 0,
                () if words.iter().any(|word| name.contains(word)) => 1,
                () => 2,
            };
            let is_same = |other: &FoundMember<'_>| {
                (other.name, other.kind, other.info) == (member.name, member.kind, member.info)
            };
            if !found.iter().any(|(_, other)| is_same(other)) {
                found.push((rank, member));
            }
        }
        if found.len() >= limit {
            break;
        }
    }
    found.sort_by_key(|(rank, _)| *rank);
    found.truncate(limit);
    found.into_iter().map(|(_, member)| member).collect()
}

fn members_of(pages: &Pages, method: usize) -> impl Iterator<Item = FoundMember<'_>> {
    let definition = pages.method_entry(method).method;
    let parameters = definition.parameters.iter().map(move |parameter| FoundMember {
        method,
        fragment: fragment("parameter", &parameter.name),
        name: parameter.request_name(),
        kind: location_name(parameter.from),
        info: &parameter.info,
    });
    let outputs = definition.outputs.iter().filter(|output| output.place != OutputPlace::Status);
    let outputs = outputs.map(move |output| FoundMember {
        method,
        fragment: if definition.options.download { "response".into() } else { fragment("output", &output.name) },
        name: output_name(output),
        kind: if output.place == OutputPlace::Body { "output" } else { "response header" },
        info: &output.info,
    });
    let errors = definition.errors.iter().map(move |error| FoundMember {
        method,
        fragment: "errors".into(),
        name: &error.name,
        kind: "error",
        info: &error.info,
    });
    parameters.chain(outputs).chain(errors)
}

/// Describes an entry in one line, with a link to it.
pub(super) fn member_item<'a>(pages: &'a Pages, member: &FoundMember<'a>) -> ListItem<'a> {
    let entry = pages.method_entry(member.method);
    let target = LinkTarget::Page(method_page_path(&entry.method.id), Some(member.fragment.clone().into()));
    let mut inlines = vec![
        Inline::Link(target, vec![Inline::code(member.name)]),
        Inline::text(format!(" ({}) of ", member.kind)),
        Inline::text(format!("{} ", entry.method.http.as_str())),
        Inline::code(entry.uri),
        Inline::text(": "),
    ];
    inlines.extend(parse_line(first_line(member.info)));
    ListItem::new(inlines)
}
