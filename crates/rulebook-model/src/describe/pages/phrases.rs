//! Texts that several documentation pages contain: required permissions, a method in one line, and links to the parts
//! of a long list.

use super::document::{Block, Inline, Inlines, ListItem, MethodLine, parse_line, plain_text};
use super::links::{LinkTarget, method_page_path};
use super::{MethodEntry, PageId, Pages};
use crate::describe::in_words;
use crate::model::{Deprecation, Location, Method, Parameter, Permission, PermissionPart};

/// On a page for one caller, also the parameter values with which the caller can call the method.
pub(super) fn describe_scope(method: &Method) -> Inlines<'_> {
    let mut inlines = describe_permission_groups(method);
    if let Some(when) = in_words::describe_call_condition(method, str::to_owned) {
        inlines.extend([Inline::text("; you may call it "), Inline::quoted(when)]);
    }
    inlines
}

fn describe_permission_groups(method: &Method) -> Inlines<'_> {
    if method.scope.is_public() {
        return vec![Inline::text("public")];
    }
    let mut inlines = vec![Inline::text("requires ")];
    for (index, group) in method.scope.groups.iter().enumerate() {
        if index > 0 {
            inlines.push(Inline::text(", or "));
        }
        for (index, permission) in group.iter().enumerate() {
            if index > 0 {
                inlines.push(Inline::text(" and "));
            }
            write_permission(permission, &method.parameters, &mut inlines);
        }
    }
    inlines
}

/// Writes a permission, and the names of the parameters whose values replace its variables.
fn write_permission<'a>(permission: &'a Permission, parameters: &'a [Parameter], inlines: &mut Inlines<'a>) {
    inlines.push(Inline::code(&permission.text));
    let variables = permission.parts.iter().filter_map(|piece| match piece {
        PermissionPart::Variable(name) => Some(name),
        PermissionPart::Literal(_) => None,
    });
    for (index, name) in variables.enumerate() {
        inlines.push(Inline::text(if index == 0 { " with the value of " } else { " and " }));
        let parameter = parameters.iter().find(|parameter| parameter.name == *name);
        inlines.push(Inline::code(parameter.map_or(name.as_str(), Parameter::request_name)));
    }
}

pub(super) fn method_line<'a>(MethodEntry { uri, method, .. }: MethodEntry<'a>) -> MethodLine<'a> {
    MethodLine {
        page_link: LinkTarget::Page(method_page_path(&method.id), None),
        http: method.http,
        uri,
        title: title(&method.info),
        info: parse_line(first_line(&method.info)),
        id: &method.id,
        scope: describe_scope(method),
        is_restricted: !method.scope.is_public(),
        deprecated: method.options.deprecation.as_deref().map(deprecation_mark),
    }
}

fn deprecation_mark(deprecation: &Deprecation) -> String {
    format!("deprecated {}", in_words::describe_deprecation_dates(deprecation)).trim_end().to_owned()
}

pub(super) fn first_line(info: &str) -> &str {
    info.trim().lines().next().unwrap_or_default()
}

/// The minimum length in bytes of a first sentence. A shorter one is an abbreviation, such as `e.g.`.
const MIN_SENTENCE_LEN: usize = 10;

/// Splits a description into its title, which is the first sentence of its first line, and the text after the title.
pub(super) fn split_title(info: &str) -> (&str, &str) {
    let info = info.trim();
    let line = first_line(info);
    let is_end = |at: &usize| line[at + 2..].starts_with(char::is_uppercase) && *at >= MIN_SENTENCE_LEN;
    let sentence = line.match_indices(". ").map(|(at, _)| at).find(is_end);
    let (title, rest) = info.split_at(sentence.unwrap_or(line.len()));
    (title, rest.strip_prefix('.').unwrap_or(rest).trim())
}

pub(super) fn title(info: &str) -> String {
    let (written, _) = split_title(info);
    // A line that consists of markup only, such as `---`, has no other text.
    Some(plain_text(&parse_line(written))).filter(|text| !text.trim().is_empty()).unwrap_or_else(|| written.to_owned())
}

/// Formats a number with a noun, such as `1 method` or `2 methods`.
pub(super) fn count_with_noun(number: usize, singular: &str, plural: &str) -> String {
    format!("{number} {}", if number == 1 { singular } else { plural })
}

/// Returns links to the pages that contain the parts of a long list. Returns `None` if the list has only one part.
pub(super) fn links_to_parts<'a>(
    pages: &Pages,
    current: usize,
    parts: usize,
    page: impl Fn(usize) -> PageId,
) -> Option<Block<'a>> {
    let item = |part: usize| {
        let name = format!("Part {}", part + 1);
        ListItem::new(if part == current {
            vec![Inline::text(format!("{name} (this page)"))]
        } else {
            vec![Inline::Link(pages.page_link(page(part)), vec![Inline::text(name)])]
        })
    };
    (parts > 1).then(|| Block::List((0..parts).map(item).collect()))
}

pub(super) fn location_name(from: Location) -> &'static str {
    match from {
        Location::Path | Location::Position(_) => "path",
        Location::Query => "query",
        Location::Body => "body",
        Location::WholeBody => "whole body",
        Location::Any => "query or body",
        Location::Header => "header",
        Location::Cookie => "cookie",
    }
}
