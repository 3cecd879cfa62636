//! Words that several pages have: who may call, a method in one line, the parts of a list.

use super::sheet::{Block, Item, Line, Span, Words};
use super::{Entry, Page, Pages};
use crate::describe::when;
use crate::model::{From, Method, Parameter, Permission, Piece};

/// Who may call a method, and where the page is for somebody, with which values that one may.
pub(super) fn scope(own: &Method) -> Words<'_> {
    let mut words = groups(own);
    if let Some(when) = when::words(own, str::to_owned) {
        words.extend([Span::own("; for you "), Span::said(when)]);
    }
    words
}

/// Who may call a method.
pub(super) fn groups(own: &Method) -> Words<'_> {
    if own.scope.is_public() {
        return vec![Span::own("open to everybody")];
    }
    let mut words = vec![Span::own("for ")];
    for (index, group) in own.scope.groups.iter().enumerate() {
        if index > 0 {
            words.push(Span::own(", or "));
        }
        for (index, one) in group.iter().enumerate() {
            if index > 0 {
                words.push(Span::own(" and "));
            }
            permission(one, &own.parameters, &mut words);
        }
    }
    words
}

/// Adds a permission, and of which parameters it holds the values, by their names for clients.
fn permission<'a>(own: &'a Permission, parameters: &'a [Parameter], words: &mut Words<'a>) {
    words.push(Span::code(&own.text));
    let variables = own.pieces.iter().filter_map(|piece| match piece {
        Piece::Variable(name) => Some(name),
        Piece::Literal(_) => None,
    });
    for (index, name) in variables.enumerate() {
        words.push(Span::own(if index == 0 { " with the value of " } else { " and " }));
        let parameter = parameters.iter().find(|parameter| parameter.name == *name);
        words.push(Span::code(parameter.map_or(name.as_str(), wire_name)));
    }
}

/// A parameter's name for clients; positions have none but the one in code.
pub(super) fn wire_name(own: &Parameter) -> &str {
    if own.key.is_empty() { &own.name } else { &own.key }
}

/// A method in one line.
pub(super) fn line<'a>(pages: &'a Pages, index: usize, entry: Entry<'a>) -> Line<'a> {
    let Entry { uri, method, .. } = entry;
    Line {
        to: pages.to(Page::Method(index)),
        http: method.http,
        uri,
        info: summary(&method.info),
        id: &method.id,
        scope: scope(method),
        deprecated: method.options.deprecated,
    }
}

/// The first line of a description.
pub(super) fn summary(info: &str) -> &str {
    info.trim().lines().next().unwrap_or_default()
}

/// So many of something.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Ways to the other parts of a list, where there is more than one.
pub(super) fn parts<'a>(pages: &Pages, current: usize, all: usize, page: impl Fn(usize) -> Page) -> Option<Block<'a>> {
    let item = |part: usize| {
        let words = vec![Span::own(format!("Part {}", part + 1))];
        Item::new(if part == current {
            [words, vec![Span::own(", this one")]].concat()
        } else {
            vec![Span::Link(pages.to(page(part)), words)]
        })
    };
    (all > 1).then(|| Block::List((0..all).map(item).collect()))
}

/// Where a parameter stands in a request.
pub(super) fn stands(from: From) -> Span<'static> {
    match from {
        From::Path => Span::own("path"),
        From::Position(n) => Span::own(format!("path, segment {} behind the URI", n + 1)),
        From::Query => Span::own("query"),
        From::Body => Span::own("body"),
        From::Any => Span::own("query or body"),
        From::Header => Span::own("header"),
        From::Cookie => Span::own("cookie"),
    }
}
