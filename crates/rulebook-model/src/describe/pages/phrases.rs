//! Texts that several pages share: permissions, a method in one line, links to the parts of a list.

use super::document::{Block, Inline, Inlines, ListItem, MethodLine};
use super::{MethodEntry, PageId, Pages};
use crate::describe::conditions;
use crate::model::{Location, Method, Parameter, Permission, PermissionPart};

/// Describes the permissions that a method requires and, on a page for the caller, the values with which the caller can
/// call the method.
pub(super) fn scope(method: &Method) -> Inlines<'_> {
    let mut inlines = groups(method);
    if let Some(when) = conditions::describe(method, str::to_owned) {
        inlines.extend([Inline::text("; you may call it "), Inline::quoted(when)]);
    }
    inlines
}

/// Describes the permissions that a method requires.
pub(super) fn groups(method: &Method) -> Inlines<'_> {
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

/// Adds a permission, with the parameters whose values replace its variables.
fn write_permission<'a>(permission: &'a Permission, parameters: &'a [Parameter], inlines: &mut Inlines<'a>) {
    inlines.push(Inline::code(&permission.text));
    let variables = permission.parts.iter().filter_map(|piece| match piece {
        PermissionPart::Variable(name) => Some(name),
        PermissionPart::Literal(_) => None,
    });
    for (index, name) in variables.enumerate() {
        inlines.push(Inline::text(if index == 0 { " with the value of " } else { " and " }));
        let parameter = parameters.iter().find(|parameter| parameter.name == *name);
        inlines.push(Inline::code(parameter.map_or(name.as_str(), wire_name)));
    }
}

/// Returns the name of a parameter in requests, or the name in code for positions, which have no name in requests.
pub(super) fn wire_name(parameter: &Parameter) -> &str {
    if parameter.key.is_empty() { &parameter.name } else { &parameter.key }
}

/// Describes a method in one line.
pub(super) fn method_line<'a>(pages: &'a Pages, index: usize, entry: MethodEntry<'a>) -> MethodLine<'a> {
    let MethodEntry { uri, method, .. } = entry;
    MethodLine {
        page: pages.link(PageId::Method(index)),
        http: method.http,
        uri,
        info: summary(&method.info),
        id: &method.id,
        scope: scope(method),
        deprecated: method.options.deprecated,
    }
}

/// Returns the first line of a description.
pub(super) fn summary(info: &str) -> &str {
    info.trim().lines().next().unwrap_or_default()
}

/// Formats a number with its noun: `1 method`, `2 methods`.
pub(super) fn count(number: usize, singular: &str, plural: &str) -> String {
    format!("{number} {}", if number == 1 { singular } else { plural })
}

/// Returns links to the parts of a list. The result is empty if the list has only one part.
pub(super) fn part_links<'a>(
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
            vec![Inline::Link(pages.link(page(part)), vec![Inline::text(name)])]
        })
    };
    (parts > 1).then(|| Block::List((0..parts).map(item).collect()))
}

/// Returns the part of a request that carries a parameter.
pub(super) fn location(from: Location) -> Inline<'static> {
    match from {
        Location::Path => Inline::text("path"),
        Location::Position(n) => Inline::text(format!("path, segment {} after the URI", n + 1)),
        Location::Query => Inline::text("query"),
        Location::Body => Inline::text("body"),
        Location::Any => Inline::text("query or body"),
        Location::Header => Inline::text("header"),
        Location::Cookie => Inline::text("cookie"),
    }
}
