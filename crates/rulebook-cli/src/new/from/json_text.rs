//! Finds and changes the members of objects in a JSON text, without changing the rest of the text.

use std::collections::BTreeMap;
use std::ops::Range;

use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

/// The path of a member: the keys and the indexes of all values that contain the member, and its key or index.
pub(super) type MemberPath = Vec<String>;

/// A member of an object, or an item of an array, in a text.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// The key, or the index of an item.
    pub key: String,
    /// The bytes of the value.
    pub value: Range<usize>,
    /// The bytes to remove from the text if the member is removed: they include a comma.
    pub removal: Range<usize>,
}

/// Returns the members that contain the byte at `offset`, from the outermost to the innermost. The list is empty if the
/// text is not JSON.
pub(super) fn members_at(text: &str, offset: usize) -> Vec<Member> {
    let mut found = Vec::new();
    visit(text, &mut |depth, member, begin| {
        if begin <= offset && offset < member.value.end {
            found.truncate(depth);
            found.push(member);
        }
    });
    found
}

/// Returns the line of each member, counted from 1.
pub(super) fn member_lines(text: &str) -> BTreeMap<MemberPath, usize> {
    let mut lines = BTreeMap::new();
    let mut path = MemberPath::new();
    visit(text, &mut |depth, member, begin| {
        path.truncate(depth);
        path.push(member.key);
        lines.insert(path.clone(), line_at(text, begin));
    });
    lines
}

/// Returns the line of the byte at `offset`, counted from 1.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// Calls a function for each member, in the order of the text, with its depth and the offset at which it begins.
fn visit(text: &str, call: &mut dyn FnMut(usize, Member, usize)) {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default());
    if let Some(value) = parsed.ok().and_then(|parsed| parsed.value) {
        visit_value(&value, 0, call);
    }
}

fn visit_value(value: &Value<'_>, depth: usize, call: &mut dyn FnMut(usize, Member, usize)) {
    let members: Vec<(String, Range<usize>, &Value<'_>)> = match value {
        Value::Object(object) => object
            .properties
            .iter()
            .map(|property| (property.name.as_str().to_owned(), property.start()..property.end(), &property.value))
            .collect(),
        Value::Array(array) => {
            let items = array.elements.iter().enumerate();
            items.map(|(index, item)| (index.to_string(), item.start()..item.end(), item)).collect()
        }
        _ => return,
    };
    for (index, (key, range, inner)) in members.iter().enumerate() {
        let (previous, next) = (index.checked_sub(1).and_then(|index| members.get(index)), members.get(index + 1));
        let removal = match (previous, next) {
            (_, Some((_, next, _))) => range.start..next.start,
            (Some((_, previous, _)), None) => previous.end..range.end,
            (None, None) => range.clone(),
        };
        call(depth, Member { key: key.clone(), value: inner.start()..inner.end(), removal }, range.start);
        visit_value(inner, depth + 1, call);
    }
}
