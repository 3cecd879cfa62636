//! Finds definitions in other texts: in strings of Go code, and below the key `endpoints`.

use jsonc_parser::common::Ranged;

use crate::members::{members_of, parse};
use crate::project::definition_file::line_at;

/// The key with the name of a function.
const NAME: &str = "\"name\"";

/// Returns the strings in backquotes of Go code, each with its first line.
pub(super) fn raw_strings(code: &str) -> Vec<(&str, usize)> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(['`', '"', '\'', '/']) {
        let (token, after) = rest[at..].split_at(1);
        rest = match token {
            "`" => {
                let start = code.len() - after.len();
                let (text, after) = after.split_once('`').unwrap_or((after, ""));
                found.push((text, line_at(code, start)));
                after
            }
            "/" if after.starts_with('/') => after.split_once('\n').map_or("", |(_, after)| after),
            "/" if after.starts_with('*') => after.split_once("*/").map_or("", |(_, after)| after),
            "/" => after,
            quote => after_string(after, quote),
        };
    }
    found
}

/// Returns the text after the end of a string with escapes.
fn after_string<'c>(code: &'c str, quote: &str) -> &'c str {
    let mut is_escaped = false;
    for (at, char) in code.char_indices() {
        match char {
            '\n' => return &code[at..],
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if quote.starts_with(char) => return &code[at + 1..],
            _ => {}
        }
    }
    ""
}

/// Returns the list of methods below the key `endpoints`, and its first line. The key `name` of a method, which is that
/// of its function, becomes its `id`.
pub(super) fn endpoints(text: &str) -> Option<(String, usize)> {
    let content = parse(text)?;
    let members = members_of(&content);
    let list = members.into_iter().find(|member| member.key == "endpoints")?.value;
    let start = list.start();
    let mut copied = text.get(start..list.end())?.to_owned();
    let items = members_of(list);
    let names = items.iter().flat_map(|item| members_of(item.value)).filter(|member| member.key == "name");
    let starts: Vec<usize> = names.map(|member| member.range.start - start).collect();
    for at in starts.into_iter().rev() {
        if copied[at..].starts_with(NAME) {
            copied.replace_range(at..at + NAME.len(), "\"id\"");
        }
    }
    Some((copied, line_at(text, start)))
}
