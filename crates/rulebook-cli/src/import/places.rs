//! Finds the members of a JSON text that contain certain bytes.

use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

/// The keys and indexes that lead to a member.
pub(super) type MemberPath = Vec<String>;

/// Returns the path of the innermost member that contains the byte at each of the offsets. Returns an empty path for a
/// byte outside of all members.
pub(super) fn members_at(text: &str, offsets: &[usize]) -> Vec<MemberPath> {
    let mut paths = vec![MemberPath::new(); offsets.len()];
    let parsed = parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default());
    if let Some(value) = parsed.ok().and_then(|parsed| parsed.value) {
        let all: Vec<usize> = (0..offsets.len()).collect();
        visit(&value, &mut Vec::new(), offsets, &all, &mut paths);
    }
    paths
}

/// Sets the paths of the offsets with the indexes `inside`, which are all inside of `value`.
fn visit(value: &Value<'_>, path: &mut MemberPath, offsets: &[usize], inside: &[usize], paths: &mut [MemberPath]) {
    let mut visit_member = |key: String, start: usize, member: &Value<'_>| {
        let inside: Vec<usize> =
            inside.iter().copied().filter(|index| start <= offsets[*index] && offsets[*index] < member.end()).collect();
        if inside.is_empty() {
            return;
        }
        path.push(key);
        for index in &inside {
            paths[*index].clone_from(path);
        }
        visit(member, path, offsets, &inside, paths);
        path.pop();
    };
    match value {
        Value::Object(object) => {
            for property in &object.properties {
                visit_member(property.name.as_str().to_owned(), property.start(), &property.value);
            }
        }
        Value::Array(array) => {
            for (index, item) in array.elements.iter().enumerate() {
                visit_member(index.to_string(), item.start(), item);
            }
        }
        _ => {}
    }
}
