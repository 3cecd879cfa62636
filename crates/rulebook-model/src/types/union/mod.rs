//! The type `union`: a value of one of several types. Either a member of the value, the tag, says of which type it is,
//! or no value can have two of the types.

mod choice;
mod tagged;
mod untagged;

pub(super) use choice::constants_of;

use std::sync::Arc;

use serde_json::Value as Json;

use super::{ArgumentError, Arity, Check, NestedCheck, TypeArguments, nested_type_path};

/// The name of the attribute that contains the types of a union.
pub(super) const OF_ATTRIBUTE: &str = "of";
/// The name of the attribute that contains the name of the member that says of which type a value is.
const TAG_ATTRIBUTE: &str = "tag";

/// The maximum number of branches that the words of a union describe.
const MAX_DESCRIBED_BRANCHES: usize = 50;

/// Joins the descriptions of branches. Branches with the same description are named once.
fn join_branches(branches: impl Iterator<Item = String>) -> String {
    let mut words = Vec::new();
    let mut others = 0;
    for branch in branches {
        if words.contains(&branch) {
            continue;
        }
        if words.len() < MAX_DESCRIBED_BRANCHES { words.push(branch) } else { others += 1 }
    }
    if others > 0 {
        words.push(format!("one of {others} others"));
    }
    words.join(", or ")
}

/// Joins the words for branches so that they can describe the items of a list: without "either", the alternatives of an
/// item would look like alternatives to the list.
fn join_words(branches: impl Iterator<Item = String>) -> String {
    let words = join_branches(branches);
    if words.contains(", or ") { format!("either {words}") } else { words }
}

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.expect_no_arguments()?;
    let types: Vec<_> = arguments.types_in(OF_ATTRIBUTE).collect();
    let is_file = |nested: &&NestedCheck| matches!(nested.check.arity(), Arity::File | Arity::Files);
    if let Some(index) = types.iter().position(is_file) {
        return Err(arguments.error("a union cannot contain files").at(&nested_type_path(OF_ATTRIBUTE, index)));
    }
    let tag = arguments.text(TAG_ATTRIBUTE)?;
    match (tag, arguments.attributes.get(OF_ATTRIBUTE)) {
        (Some(""), _) => Err(arguments.error("`tag` must be the name of a member").at(TAG_ATTRIBUTE)),
        (Some(tag), Some(Json::Object(_))) if !types.is_empty() => {
            let named = |nested: &NestedCheck| Some((nested.name.clone()?, Arc::clone(&nested.check)));
            Ok(tagged::tagged_union(tag, types.into_iter().filter_map(named).collect()))
        }
        (None, Some(Json::Array(_))) if !types.is_empty() => {
            Ok(untagged::untagged_union(types.into_iter().map(|nested| Arc::clone(&nested.check)).collect()))
        }
        (Some(_), of) => {
            let error = arguments.error("a union with `tag` needs a schema in `of` for each value of the tag");
            let error = if of.is_some() { error.at(OF_ATTRIBUTE) } else { error };
            let form = "write `\"of\": {\"cat\": \"Cat\", \"dog\": \"Dog\"}`; a value that begins with `$` or `x-` \
                        needs an object: `\"x-cat\": {\"type\": \"Cat\"}`";
            Err(error.help(form))
        }
        (None, of) => {
            let error = arguments.error("a union needs the list of its types in `of`");
            let error = if of.is_some() { error.at(OF_ATTRIBUTE) } else { error };
            Err(error.help("write `\"of\": [\"int\", \"string\"]`, or add `tag`"))
        }
    }
}
